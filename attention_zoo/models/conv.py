"""Convolutional models: attention after convolutions over time, and beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.layers.masked_conv1d import MaskedConv1D
from attention_zoo.layers.time_pooling import TimePooling
from attention_zoo.models import parts
from attention_zoo.models.register import register_model


@register_model("conv_after")
def conv_after(
    input_shape: Any,
    attention: Any = "conjunctive",
    *,
    filters: int | Sequence[int] = 128,
    kernel_sizes: Sequence[int] = (8, 5, 3),
    strides: int | Sequence[int] = 1,
    dilation_rates: int | Sequence[int] = 1,
    pooling: str | None = None,
    outputs: int = 1,
    activation: Any = None,
    dropout: float = 0.0,
    mask_value: float | None = None,
    standardize: bool = False,
) -> keras.Model:
    """A model for series: convolutions over time, then attention over their steps.

    ```
    x -> MaskedConv1D(filters, kernel_size, strides) -> BatchNormalization -> ReLU ...
      -> attention -> pooling over time -> Dense(outputs)
    ```

    The fully convolutional network of Wang et al., 2017 (arXiv:1611.06455), with attention in the
    place of its mean over time, which `attention=None` is. The default is the conjunctive pooling
    of Early et al., 2024 (arXiv:2311.10049).

    What attention shows is as fine as a step of the last convolution: it sees as many steps of the
    input as all kernels reach, 14 by default, and stands for as many as the product of `strides`.
    `az.explain` has the scores at the steps of the input.

    Args:
        input_shape: `(time, features)`; time is None where the attention layer takes any length.
        attention: the attention over the last convolution: a name, config or layer that takes
            `(batch, time, filters)`; None for the mean over time. A `ConjunctivePooling` without
            `units` needs no output layer: the answer is its own sum over the steps.
        filters: the number of features of each convolution: one for each, or one number, the first
            and last convolution's, of which those between have twice as many.
        kernel_sizes: how many steps each convolution sees; as many convolutions as there are.
        strides: how many steps become one in each convolution: one for each, or one number for all.
        dilation_rates: how many steps apart those are that a kernel sees: one for each, or one
            number for all. A convolution with strides has 1.
        pooling: how one vector comes from the attended steps, if the attention layer has not made
            one: `"sum"`, `"mean"` or `"flatten"`, as in `rnn`.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        dropout: the fraction dropped before the output.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`.

    Raises:
        ValueError: for an argument out of its range, arguments of different numbers of
            convolutions, or an attention layer that does not fit.

    Example:

    >>> model = az.build("conv_after", input_shape=(None, 2), filters=16, strides=(2, 1, 1))
    >>> model.output_shape
    (None, 1)
    """
    inputs, x = parts.entry(input_shape, ("time", "features"), standardize, mask_value)
    x = _convolutions(x, filters, kernel_sizes, strides, dilation_rates)
    x = parts.answer(attention, x, pooling, outputs, activation, dropout)
    return keras.Model(inputs, x, name="conv_after")


@register_model("lstm_fcn")
def lstm_fcn(
    input_shape: Any,
    attention: Any = "luong",
    *,
    units: int = 8,
    dimension_shuffle: bool = False,
    filters: int | Sequence[int] = 128,
    kernel_sizes: Sequence[int] = (8, 5, 3),
    pooling: str | None = None,
    outputs: int = 1,
    activation: Any = None,
    dropout: float = 0.8,
    mask_value: float | None = None,
    standardize: bool = False,
) -> keras.Model:
    """A model for series: an LSTM with attention over its states, beside convolutions.

    ```
    x -> LSTM(units) -> attention -> pooling over time -> dropout  |
    x -> convolutions, as in conv_after -> mean over time          | -> Dense(outputs)
    ```

    LSTM-FCN (`attention=None`) and ALSTM-FCN of Karim et al., 2017 (arXiv:1709.05206). Attention
    tells of the LSTM's half of the model alone: the convolutions go around it. Where one is to see
    what the answer rests on, take `conv_after`.

    With `dimension_shuffle` the LSTM reads the features one after the other, each with all its
    steps at once: a series of one feature is a single step, whose score is always 1. Attention then
    weighs features and says nothing about time; `az.explain` names its axis `feature`.

    Differs from Karim et al.: no dimension shuffle by default; the attention is one of this
    package's layers over the states, where theirs is inside the LSTM's cell.

    Args:
        input_shape: `(time, features)`; time is None where the attention layer takes any length.
        attention: the attention over the LSTM's states: a name, config or layer that takes
            `(batch, time, units)`; None for the last state alone.
        units: the width of the LSTM.
        dimension_shuffle: whether the LSTM reads the features in the place of the steps, as
            published. It needs a fixed time and no padding.
        filters, kernel_sizes: as in `conv_after`.
        pooling: how one vector comes from the attended states, if the attention layer has not
            made one: `"sum"`, `"mean"` or `"flatten"`, as in `rnn`.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        dropout: the fraction of the LSTM's half that is dropped in training.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`.

    Raises:
        ValueError: for an argument out of its range, arguments that exclude each other, or an
            attention layer that does not fit.
        TypeError: for a flag that is neither True nor False.

    Example:

    >>> model = az.build("lstm_fcn", input_shape=(20, 2), filters=16, outputs=3)
    >>> {name: s.shape for name, s in az.attention_scores(model, np.zeros((4, 20, 2))).items()}
    {'attention': (4, 20)}
    """
    checks.positive_int("units", units)
    checks.boolean("dimension_shuffle", dimension_shuffle)
    checks.rate("dropout", dropout)
    inputs, x = parts.entry(input_shape, ("time", "features"), standardize, mask_value)
    states = x
    if dimension_shuffle:
        if x.shape[1] is None or mask_value is not None:
            raise ValueError(
                "`dimension_shuffle=True` makes features of the steps: it needs a fixed time and "
                f"no padding. Received: input_shape={input_shape!r}, mask_value={mask_value!r}"
            )
        states = keras.layers.Permute((2, 1), name="dimension_shuffle")(x)
    states = keras.layers.LSTM(units, return_sequences=attention is not None, name="lstm")(states)
    if attention is not None:
        states = parts.attend_and_pool(attention, states, pooling)
    if dropout:
        states = keras.layers.Dropout(dropout, name="dropout")(states)
    x = TimePooling("mean", name="mean")(_convolutions(x, filters, kernel_sizes))
    x = keras.layers.Concatenate(name="both")([states, x])
    return keras.Model(inputs, parts.head(x, outputs, activation, 0.0), name="lstm_fcn")


def _convolutions(
    x: Any, filters: Any, kernel_sizes: Any, strides: Any = 1, dilation_rates: Any = 1
) -> Any:
    """Convolutions, each with its normalization and its ReLU."""
    sizes = _each("kernel_sizes", kernel_sizes)
    if isinstance(filters, int):
        checks.positive_int("filters", filters)
        filters = [filters * (1 + (0 < i < len(sizes) - 1)) for i in range(len(sizes))]
    filters = _each("filters", filters, len(sizes))
    strides = _each("strides", strides, len(sizes))
    rates = _each("dilation_rates", dilation_rates, len(sizes))
    each = zip(filters, sizes, strides, rates, strict=True)
    for i, (width, size, stride, rate) in enumerate(each, start=1):
        if stride > 1 < rate:
            raise ValueError(
                "A convolution has strides or a dilation rate, not both. Received: "
                f"strides={strides!r}, dilation_rates={rates!r}"
            )
        x = MaskedConv1D(
            width,
            size,
            stride,
            dilation_rate=rate,
            use_bias=False,
            kernel_initializer="he_uniform",
            name=f"conv_{i}",
        )(x)
        # Keras's momentum of 0.99 needs more updates than small data have
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"normalize_{i}")(x)
        x = keras.layers.Activation("relu", name=f"relu_{i}")(x)
    return x


def _each(name: str, value: Any, count: int | None = None) -> list[int]:
    """One positive integer for each convolution, of one number the same for all."""
    given = [value] * (count or 1) if isinstance(value, int) else value
    if not isinstance(given, (list, tuple)) or len(given) != (count or len(given)) or not given:
        number = f"{count} positive integers, as `kernel_sizes`" if count else "positive integers"
        raise ValueError(f"`{name}` must be a list of {number}. Received: {name}={value!r}")
    for one in given:
        checks.positive_int(name, one)
    return list(given)
