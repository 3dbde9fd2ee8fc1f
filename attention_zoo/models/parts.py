"""The pieces that the factories share."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.positional_encoding import PositionalEncoding
from attention_zoo.layers.time_pooling import REDUCTIONS, TimePooling

_RECURRENT = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def entry(
    input_shape: Any, axes: tuple[str, ...], standardize: bool, mask_value: float | None = None
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input, and what the model works on: masked and standardized where that is asked for."""
    checks.boolean("standardize", standardize)
    shape = checks.shape("input_shape", input_shape, axes)
    if shape[-1] is None:
        raise ValueError(
            "`input_shape` must end with the number of features: weights depend on it. "
            f"Received: input_shape={input_shape!r}"
        )
    x = inputs = keras.Input(shape, name="x")
    # In half precision another value may round to that of the padding, and large ones to each other
    whole = "float64" if keras.config.dtype_policy().compute_dtype == "float64" else "float32"
    if mask_value is not None:
        checks.number("mask_value", mask_value)
        x = keras.layers.Masking(float(mask_value), dtype=whole, name="masking")(x)
    if standardize:
        x = keras.layers.Normalization(dtype=whole, name="standardize")(x)
    return inputs, x


def attend(attention: keras.layers.Layer | None, x: Any, *, architecture: str) -> Any:
    """`attention` on `x`, which must come out with its shape; without attention, `x` itself."""
    if attention is None:
        return x
    outputs = attention(x)
    if len(outputs.shape) != len(x.shape):
        raise ValueError(
            f"{architecture!r} needs an attention layer that keeps the shape of its input. "
            f"{type(attention).__name__} turns {tuple(x.shape)} into {tuple(outputs.shape)}; "
            "use it where states are pooled, as in 'lstm_after' and 'gru'."
        )
    return outputs


def attend_and_pool(attention: keras.layers.Layer | None, x: Any, pooling: str | None) -> Any:
    """`attention` on a sequence of states, and one vector from what it returns."""
    if pooling is not None and pooling not in REDUCTIONS:
        raise one_of("pooling", pooling, REDUCTIONS)
    gated = attention is not None and getattr(attention, "kind", "gate") == "gate"
    if attention is not None:
        x = attention(x)
    if len(x.shape) == 2:
        return x
    return TimePooling(pooling or ("sum" if gated else "mean"), name="pooling")(x)


def described(
    attention: keras.layers.Layer | None,
    states: Any,
    normalize: bool | None,
    positions: bool | None,
) -> Any:
    """The states as attention sees them: normalized, with their places; None is where it helps.

    States are small at first, and so would be the logits and the gradients of the scores. Attention
    by location has the places in its weights.
    """
    checks.boolean("normalize", normalize, none=True)
    checks.boolean("positions", positions, none=True)
    attended = attention is not None
    by_location = getattr(attention, "score", None) == "location"
    if normalize or (normalize is None and attended):
        states = keras.layers.LayerNormalization(name="normalize")(states)
    if positions or (positions is None and attended and not by_location):
        states = PositionalEncoding(name="positions")(states)
    return states


def recurrent(
    kind: str,
    x: Any,
    *,
    units: int,
    depth: int,
    bidirectional: bool,
    dropout: float,
    recurrent_dropout: float,
    sequences: bool,
) -> Any:
    """`depth` recurrent layers, the last of which returns its states or only the final one."""
    checks.positive_int("units", units)
    checks.positive_int("depth", depth)
    checks.boolean("bidirectional", bidirectional)
    checks.rate("dropout", dropout)
    checks.rate("recurrent_dropout", recurrent_dropout)
    for level in range(1, depth + 1):
        name = kind if depth == 1 else f"{kind}_{level}"
        layer = _RECURRENT[kind](
            units,
            return_sequences=sequences or level < depth,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            name=name,
        )
        x = keras.layers.Bidirectional(layer, name=f"bi_{name}")(x) if bidirectional else layer(x)
    return x


def head(x: Any, *, outputs: int, activation: Any, dropout: float) -> Any:
    """Dropout and the dense layer that answers, in float32 whatever the precision policy."""
    checks.positive_int("outputs", outputs)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.layers.Dense(outputs, activation=activation, dtype="float32", name="y")(x)


def attention_first(
    kind: str,
    architecture: str,
    input_shape: Any,
    attention: Any,
    *,
    outputs: int,
    activation: Any,
    return_sequences: bool,
    mask_value: float | None,
    standardize: bool,
    **recurrent_config: Any,
) -> keras.Model:
    """Attention over the input sequence, then recurrent layers, then the answer."""
    checks.boolean("return_sequences", return_sequences)
    inputs, x = entry(input_shape, ("time", "features"), standardize, mask_value)
    x = attend(attention, x, architecture=architecture)
    x = recurrent(kind, x, sequences=return_sequences, **recurrent_config)
    y = head(x, outputs=outputs, activation=activation, dropout=recurrent_config["dropout"])
    return keras.Model(inputs, y, name=architecture)


def attention_last(
    kind: str,
    architecture: str,
    input_shape: Any,
    attention: Any,
    *,
    pooling: str | None,
    normalize: bool | None,
    positions: bool | None,
    outputs: int,
    activation: Any,
    mask_value: float | None,
    standardize: bool,
    **recurrent_config: Any,
) -> keras.Model:
    """Recurrent layers, then attention over their states, then the answer."""
    inputs, x = entry(input_shape, ("time", "features"), standardize, mask_value)
    x = recurrent(kind, x, sequences=True, **recurrent_config)
    x = described(attention, x, normalize, positions)
    x = attend_and_pool(attention, x, pooling)
    y = head(x, outputs=outputs, activation=activation, dropout=recurrent_config["dropout"])
    return keras.Model(inputs, y, name=architecture)
