"""Forecasts of several steps ahead, each of which attends to the past by itself."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.feature import FeatureAttention
from attention_zoo.layers.position_embedding import PositionEmbedding
from attention_zoo.layers.quantile_output import QuantileOutput, check_quantiles
from attention_zoo.layers.time_pooling import TimePooling
from attention_zoo.layers.variable_selection import VariableSelection
from attention_zoo.models import parts
from attention_zoo.models.register import register_model

_RECURRENT = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
_ENCODERS = (*_RECURRENT, "conv")
#: Layers whose mask may hide single cells.
_BY_CELL = (FeatureAttention, VariableSelection)


@register_model("forecaster")
def forecaster(
    input_shape: Any,
    attention: Any = {"class_name": "cross_attention", "config": {"score": "scaled_dot"}},  # noqa: B006
    *,
    attention_before: Any = None,
    encoder: str | None = "gru",
    units: int = 32,
    depth: int = 1,
    targets: int = 1,
    ahead: bool = False,
    quantiles: Sequence[float] | None = None,
    level: str | None = None,
    outputs: int = 1,
    activation: Any = None,
    dropout: float = 0.0,
    mask_value: float | None = None,
    standardize: bool = False,
) -> keras.Model:
    """A model for forecasts: an encoder of the past, and for each step ahead attention over it.

    ```
    x -> attention_before -> Dense(units)               each step, of the past and ahead
    past -> encoder -> keys and values
    last state and what is known of step h -> query h
    attention of query h over the past -> Dense -> forecast of step h, or its quantiles
    ```

    All steps ahead are answered at once, which needs no forecast of the step before. The scores,
    `(batch, horizon, past steps)`, say which past steps each step ahead reads. With
    `attention_before="variable_selection"` and an attention layer of `shared_values` heads these
    are the parts of the Temporal Fusion Transformer (Lim et al., 2021, arXiv:1912.09363), without
    its enrichment by static columns; two stages of attention, over columns and over steps, are
    those of Qin et al., 2017 (arXiv:1704.02971).

    Args:
        input_shape: `(time, columns)`, the targets first. With `ahead` the last `outputs` steps
            are those ahead, in which what is not known is `mask_value`.
        attention: a name, config or layer that is called with a query, a value and a key, such as
            `"cross_attention"`, `"multi_head"`, `"luong"` or `"bahdanau"`; None for the mean.
        attention_before: the attention over the columns of each step, such as
            `"variable_selection"`; None for none.
        encoder: `"gru"`, `"lstm"`, `"conv"` (causal convolutions of 3 steps, each as far again
            apart), or None for none.
        units: the width of every layer.
        depth: the number of layers of the encoder.
        targets: how many of the columns are targets, the first ones.
        ahead: whether the input has the steps ahead, with the columns that are known ahead.
        quantiles: the quantiles to forecast, such as `(0.1, 0.5, 0.9)`; None for one forecast.
        level: what of a window's targets is taken off before and put back after: `"last"` or
            `"mean"`; None for nothing.
        outputs, activation: the number of steps ahead; None for a quantity, `"sigmoid"` for what
            is or is not.
        dropout: the fraction dropped before the output.
        mask_value: a cell of this value is not known; None where all are.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, columns) -> (batch, outputs[, targets][, quantiles])`.

    Raises:
        ValueError: for an argument out of its range, or an attention layer that does not fit its
            place.
        TypeError: for a flag that is neither True nor False.

    Example:

    >>> model = az.build("forecaster", input_shape=(48, 3), outputs=12, quantiles=(0.1, 0.5, 0.9))
    >>> scores = az.attention_scores(model, np.zeros((2, 48, 3)))
    >>> model.output_shape, scores["attention"].shape
    ((None, 12, 3), (2, 12, 48))
    """
    sizes = {"units": units, "depth": depth, "targets": targets, "outputs": outputs}
    for name, value in sizes.items():
        checks.positive_int(name, value)
    checks.boolean("ahead", ahead)
    if encoder not in (*_ENCODERS, None):
        raise one_of("encoder", str(encoder), _ENCODERS)
    if level not in ("last", "mean", None):
        raise one_of("level", str(level), ("last", "mean"))
    count = len(check_quantiles(quantiles) or (None,))
    inputs, x = parts.entry(input_shape, ("time", "columns"), False)
    steps = _past(input_shape, targets, outputs if ahead else 0)
    seen = None if mask_value is None else ops.not_equal(x, mask_value)
    if standardize:
        x = keras.layers.Normalization(dtype=x.dtype, name="standardize")(x)
    x = x if seen is None else ops.where(seen, x, ops.zeros_like(x))
    base = None
    if level is not None:
        base = _level(level, x[:, :steps, :targets], None if seen is None else seen[:, :steps])
        x = keras.layers.Concatenate(name="without_level")(
            [x[..., :targets] - base, x[..., targets:]] if x.shape[-1] > targets else [x - base]
        )
        x = x if seen is None else ops.where(seen, x, ops.zeros_like(x))
    x = _columns(attention_before, x, seen)
    x = keras.layers.Dense(units, name="embed")(x)
    past = x[:, :steps]
    states = _encoded(encoder, past, units, depth)
    query = keras.layers.RepeatVector(outputs, name="repeat")(states[:, -1])
    if ahead:
        query = keras.layers.Concatenate(name="known_ahead")([query, x[:, steps:]])
    query = keras.layers.Dense(units, name="decode")(query)
    query = PositionEmbedding(name="step_ahead")(query)
    key = PositionEmbedding(name="past_step")(keras.layers.Dense(units, name="key")(states))
    visible = None if seen is None else ops.any(seen[:, :steps], axis=-1)
    value = keras.layers.Concatenate(name="value")([states, past]) if encoder else states
    context = _context(attention, query, value, key, visible)
    x = keras.layers.Concatenate(name="read")([context, query])
    hidden = keras.layers.Dense(units, activation="relu", name="hidden")(x)
    x = keras.layers.Concatenate(name="answer")([x, hidden])
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(targets * count, dtype="float32", name="forecast")(x)
    x = x if base is None else x + _of_middle(base, count)
    if activation == "softmax":
        raise ValueError(
            "'forecaster' forecasts no classes: give numbers, or yes and no as 0 and 1."
        )
    if activation is not None:
        if quantiles is not None or level is not None:
            raise ValueError(
                "`quantiles` and `level` are of quantities: leave `activation` out. "
                f"Received: activation={activation!r}"
            )
        x = keras.layers.Activation(activation, name="activation")(x)
    y = QuantileOutput(targets, quantiles, name="y")(x)
    return keras.Model(inputs, y, name="forecaster")


def _past(input_shape: Any, targets: int, ahead: int) -> int:
    """How many of the steps are past."""
    steps, columns = input_shape
    if steps is None or steps - ahead < 1:
        raise ValueError(
            "`input_shape` must have a fixed number of steps, with `ahead` more than `outputs`. "
            f"Received: input_shape={tuple(input_shape)}, outputs={ahead}"
        )
    if targets > columns:
        raise ValueError(
            f"`targets` must be at most the {columns} columns. Received: targets={targets}"
        )
    return steps - ahead


def _level(level: str, x: Any, seen: Any) -> Any:
    """The last or the mean value of each target, `(batch, 1, targets)`."""
    if seen is None:
        return x[:, -1:] if level == "last" else ops.mean(x, axis=1, keepdims=True)
    counts = ops.cast(seen[..., : x.shape[-1]], x.dtype)
    if level == "last":
        later = ops.flip(ops.cumsum(ops.flip(counts, axis=1), axis=1), axis=1)
        counts = counts * ops.cast(later == 1, x.dtype)
    total = ops.sum(x * counts, axis=1, keepdims=True)
    return total / ops.maximum(ops.sum(counts, axis=1, keepdims=True), 1.0)


def _of_middle(base: Any, count: int) -> Any:
    """What is added to each target's middle quantile, `(batch, 1, targets * count)`."""
    if count == 1:
        return base
    each = ops.expand_dims(base, -1)
    return ops.reshape(
        ops.concatenate([each, *[ops.zeros_like(each)] * (count - 1)], axis=-1),
        (-1, 1, base.shape[-1] * count),
    )


def _columns(attention: Any, x: Any, seen: Any) -> Any:
    """The columns after attention over them, beside which of them are known."""
    if isinstance(attention, _BY_CELL):
        x = attention(x, mask=seen)
    else:
        x = parts.attend(attention, x, "attention_before")
    if seen is None:
        return x
    return keras.layers.Concatenate(name="columns")([x, ops.cast(seen, x.dtype)])


def _context(attention: Any, query: Any, value: Any, key: Any, visible: Any) -> Any:
    """What each step ahead reads of the past; its mean where there is no attention."""
    if attention is None:
        mean = TimePooling("mean", name="pooling")(value, mask=visible)
        return keras.layers.RepeatVector(query.shape[1], name="same_for_all")(mean)
    if not {"query", "value", "key"} <= set(inspect.signature(attention.call).parameters):
        raise ValueError(
            "`attention` needs a layer that takes a query, a value and a key here, such as "
            f"'cross_attention' or 'multi_head'. Received: {type(attention).__name__}"
        )
    return attention(query, value, key, value_mask=visible)


def _encoded(encoder: str | None, x: Any, units: int, depth: int) -> Any:
    for level in range(depth if encoder else 0):
        name = f"{encoder}_{level + 1}" if depth > 1 else encoder
        if encoder == "conv":
            near = keras.layers.Conv1D(
                units, 3, padding="causal", dilation_rate=2**level, activation="relu", name=name
            )
            x = x + near(x)
        else:
            x = _RECURRENT[str(encoder)](units, return_sequences=True, name=name)(x)
    return x
