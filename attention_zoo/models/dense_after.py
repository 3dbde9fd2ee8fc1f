"""Dense layers on each step, then attention over the steps."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.models import parts
from attention_zoo.models.register import register_model


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
            one: `"sum"`, `"mean"` or `"flatten"`, as in `lstm_after`.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        hidden_activation: of the hidden layers.
        dropout: the fraction dropped before the output.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`.

    Example:

    >>> model = az.build("dense_after", input_shape=(None, 2), units=16)
    >>> model.output_shape
    (None, 1)
    """
    checks.positive_int("units", units)
    checks.natural("depth", depth)
    checks.natural("answer_depth", answer_depth)
    checks.rate("dropout", dropout)
    inputs, x = parts.entry(input_shape, ("time", "features"), standardize, mask_value)
    for level in range(1, depth + 1):
        x = keras.layers.Dense(units, activation=hidden_activation, name=f"step_{level}")(x)
    x = parts.attend_and_pool(attention, x, pooling)
    for level in range(1, answer_depth + 1):
        x = keras.layers.Dense(units, activation=hidden_activation, name=f"hidden_{level}")(x)
    y = parts.head(x, outputs=outputs, activation=activation, dropout=dropout)
    return keras.Model(inputs, y, name="dense_after")
