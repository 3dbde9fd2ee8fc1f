"""Attention over the features of a table, then dense layers."""

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
        outputs: the number of outputs: 1 for regression and binary classification, else the
            number of classes.
        activation: of the output: None for regression, `"sigmoid"` for two classes, `"softmax"`
            for more.
        hidden_activation: of the hidden layers.
        dropout: the fraction dropped after the hidden layers.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, features) -> (batch, outputs)`.

    Example:

    >>> model = az.build("dense", input_shape=(32,), outputs=3, activation="softmax")
    >>> model.output_shape
    (None, 3)
    """
    checks.positive_int("units", units)
    checks.positive_int("depth", depth)
    checks.rate("dropout", dropout)
    inputs, x = parts.entry(input_shape, ("features",), standardize)
    x = parts.attend(attention, x, architecture="dense")
    for level in range(1, depth + 1):
        x = keras.layers.Dense(units, activation=hidden_activation, name=f"hidden_{level}")(x)
    y = parts.head(x, outputs=outputs, activation=activation, dropout=dropout)
    return keras.Model(inputs, y, name="dense")
