"""Dense models: attention over the features of a table, or over the steps of a sequence."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.models import parts
from attention_zoo.models.register import register_model


@register_model("dense")
def dense(
    input_shape: Any,
    attention: Any = "feature",
    *,
    units: int = 64,
    depth: int = 1,
    outputs: int = 1,
    activation: Any = None,
    hidden_activation: str = "relu",
    dropout: float = 0.0,
    standardize: bool = False,
) -> keras.Model:
    """A model for tables: attention over the features, then dense layers.

    ```
    x -> attention -> Dense(units) ... -> Dense(outputs)
    ```

    Args:
        input_shape: `(features,)`.
        attention: a name, config or layer that keeps `(batch, features)`, or None for none.
        units: the width of each hidden layer.
        depth: the number of hidden layers.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        hidden_activation: the activation of the hidden layers.
        dropout: the fraction dropped before the output.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, features) -> (batch, outputs)`.

    Raises:
        ValueError: for an argument out of its range, or an attention layer that does not keep the
            shape.

    Example:

    >>> model = az.build("dense", input_shape=(32,), outputs=3, activation="softmax")
    >>> model.output_shape
    (None, 3)
    """
    checks.positive_int("depth", depth)
    inputs, x = parts.entry(input_shape, ("features",), standardize)
    x = parts.attend(attention, x)
    x = _stack(x, "hidden", depth, units, hidden_activation)
    return keras.Model(inputs, parts.head(x, outputs, activation, dropout), name="dense")


@register_model("dense_after")
def dense_after(
    input_shape: Any,
    attention: Any = "pooling",
    *,
    units: int = 64,
    depth: int = 1,
    answer_depth: int = 1,
    pooling: str | None = None,
    outputs: int = 1,
    activation: Any = None,
    hidden_activation: str = "relu",
    dropout: float = 0.0,
    mask_value: float | None = None,
    standardize: bool = False,
) -> keras.Model:
    """A model for sets, and for long series in which only some steps count: no recurrence.

    ```
    x -> Dense(units) ... on each step -> attention -> pooling over time
      -> Dense(units) ... -> Dense(outputs)
    ```

    The feed-forward attention of Raffel and Ellis, 2015 (arXiv:1512.08756): as fast as its
    matrix products, whatever the length, but blind to the order of the steps.

    Args:
        input_shape: `(time, features)`; time is None where the attention layer takes any length.
        attention: a name, config or layer that takes `(batch, time, units)`; None is the mean over
            time.
        units: the width of each hidden layer.
        depth: the number of layers on each step, which may be 0.
        answer_depth: the number of hidden layers after the attention, which may be 0.
        pooling: how one vector comes from the attended steps, if the attention layer has not made
            one: `"sum"`, `"mean"` or `"flatten"`, as in `rnn`.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        hidden_activation: the activation of the hidden layers.
        dropout: the fraction dropped before the output.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`.

    Raises:
        ValueError: for an argument out of its range, or an attention layer that needs a fixed
            length where time is None.

    Example:

    >>> model = az.build("dense_after", input_shape=(None, 2), units=16)
    >>> model.output_shape
    (None, 1)
    """
    checks.natural("depth", depth)
    checks.natural("answer_depth", answer_depth)
    inputs, x = parts.entry(input_shape, ("time", "features"), standardize, mask_value)
    x = _stack(x, "step", depth, units, hidden_activation)
    x = parts.attend_and_pool(attention, x, pooling)
    x = _stack(x, "hidden", answer_depth, units, hidden_activation)
    return keras.Model(inputs, parts.head(x, outputs, activation, dropout), name="dense_after")


def _stack(x: Any, name: str, depth: int, units: int, activation: str) -> Any:
    checks.positive_int("units", units)
    for level in range(1, depth + 1):
        x = keras.layers.Dense(units, activation=activation, name=f"{name}_{level}")(x)
    return x
