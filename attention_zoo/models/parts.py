"""The pieces that the factories share."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.conjunctive import ConjunctivePooling
from attention_zoo.layers.time_pooling import REDUCTIONS, TimePooling


def entry(
    input_shape: Any, axes: tuple[str, ...], standardize: bool, mask_value: float | None = None
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input, and the input masked and standardized."""
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


def attend(attention: keras.layers.Layer | None, x: Any, argument: str = "attention") -> Any:
    """`attention` on `x`, whose shape it must keep."""
    if attention is None:
        return x
    outputs = attention(x)
    if len(outputs.shape) != len(x.shape):
        raise ValueError(
            f"`{argument}` needs an attention layer that keeps the shape of its input here. "
            f"{type(attention).__name__} turns {tuple(x.shape)} into {tuple(outputs.shape)}; "
            "use it where states are pooled, as in 'lstm_after' and 'gru_after'."
        )
    return outputs


def attend_and_pool(attention: keras.layers.Layer | None, x: Any, pooling: str | None) -> Any:
    """`attention` on a sequence, and one vector from what it returns."""
    if pooling is not None and pooling not in REDUCTIONS:
        raise one_of("pooling", pooling, REDUCTIONS)
    gated = attention is not None and getattr(attention, "kind", "gate") == "gate"
    if attention is not None:
        x = attention(x)
    if len(x.shape) == 2:
        return x
    return TimePooling(pooling or ("sum" if gated else "mean"), name="pooling")(x)


def answer(
    attention: keras.layers.Layer | None,
    x: Any,
    pooling: str | None,
    outputs: int,
    activation: Any,
    dropout: float,
) -> Any:
    """`attention` on a sequence and the output layer, which a `ConjunctivePooling` without `units`
    is by itself."""
    if not isinstance(attention, ConjunctivePooling) or attention.units is not None:
        return head(attend_and_pool(attention, x, pooling), outputs, activation, dropout)
    checks.positive_int("outputs", outputs)
    checks.rate("dropout", dropout)
    if pooling is not None:
        raise ValueError(
            "`pooling` must be None after a ConjunctivePooling without `units`, whose output is "
            f"the model's. Received: pooling={pooling!r}"
        )
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    own = {"units": outputs, "activation": activation, "dtype": "float32"}
    return ConjunctivePooling.from_config({**attention.get_config(), **own})(x)


def head(x: Any, outputs: int, activation: Any, dropout: float) -> Any:
    """Dropout and the output layer, which is float32 under every dtype policy."""
    checks.positive_int("outputs", outputs)
    checks.rate("dropout", dropout)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.layers.Dense(outputs, activation=activation, dtype="float32", name="y")(x)
