"""Attention over the input sequence, then a GRU."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.models import parts
from attention_zoo.models.register import register_model


@register_model("gru_before")
def gru_before(
    input_shape: Any,
    attention: Any = "temporal",
    *,
    units: int = 32,
    depth: int = 1,
    bidirectional: bool = False,
    outputs: int = 1,
    activation: Any = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    return_sequences: bool = False,
    mask_value: float | None = None,
    standardize: bool = False,
) -> keras.Model:
    """A model for sequences: attention over the input sequence, then a GRU.

    ```
    x -> attention -> GRU(units) ... -> Dense(outputs)
    ```

    Args:
        input_shape: `(time, features)`; time is None where the attention layer takes any length.
        attention: a name, config or layer that keeps `(batch, time, features)`, or None for none.
        units: the width of each GRU layer, in each direction.
        depth: the number of GRU layers.
        bidirectional: whether each reads the sequence both ways.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        dropout: the fraction of the inputs of each GRU and of the output dropped in training.
        recurrent_dropout: the fraction of the GRU's state dropped in training.
        return_sequences: one answer for each step, `(batch, time, outputs)`, instead of one for
            the sequence.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`, or `(batch, time,
        outputs)` with `return_sequences`.

    Example:

    >>> model = az.build("gru_before", input_shape=(20, 2), attention="temporal", outputs=1)
    >>> model.output_shape
    (None, 1)
    """
    return parts.attention_first(
        "gru",
        "gru_before",
        input_shape,
        attention,
        units=units,
        depth=depth,
        bidirectional=bidirectional,
        outputs=outputs,
        activation=activation,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        return_sequences=return_sequences,
        mask_value=mask_value,
        standardize=standardize,
    )
