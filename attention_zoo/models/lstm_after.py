"""An LSTM, then attention over its states."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.models import parts
from attention_zoo.models.register import register_model


@register_model("lstm_after")
def lstm_after(
    input_shape: Any,
    attention: Any = "temporal",
    *,
    units: int = 32,
    depth: int = 1,
    bidirectional: bool = False,
    pooling: str | None = None,
    normalize: bool | None = None,
    positions: bool | None = None,
    outputs: int = 1,
    activation: Any = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    mask_value: float | None = None,
    standardize: bool = False,
) -> keras.Model:
    """A model for sequences: an LSTM, then attention over its states.

    ```
    x -> LSTM(units) ... -> normalize, positions -> attention -> pooling over time
      -> Dense(outputs)
    ```

    Args:
        input_shape: `(time, features)`; time is None where the attention layer takes any length.
        attention: a name, config or layer that takes `(batch, time, units)`; None
            is the mean over time.
        units: the width of each LSTM layer, in each direction.
        depth: the number of LSTM layers.
        bidirectional: whether each reads the sequence both ways.
        pooling: how one vector comes from the attended states, if the attention layer has not
            made one: `"sum"`, the context vector, by default after a layer that weighs the steps;
            `"mean"`, by default after all others; `"flatten"`, which gives each step its own
            weights in the answer.
        normalize: a `keras.layers.LayerNormalization` of the states before the attention, which
            then learns where to look in fewer epochs. None: where there is attention.
        positions: put each step's place beside the state that attention sees, a
            `PositionalEncoding`. None: where there is attention that does not know places by its
            weights, as `temporal` with `score="location"` does.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        dropout: the fraction of the inputs of each LSTM and of the output dropped in training.
        recurrent_dropout: the fraction of the LSTM's state dropped in training.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`.

    Example:

    >>> model = az.build("lstm_after", input_shape=(20, 2), attention="temporal", outputs=1)
    >>> model.output_shape
    (None, 1)
    """
    return parts.attention_last(
        "lstm",
        "lstm_after",
        input_shape,
        attention,
        units=units,
        depth=depth,
        bidirectional=bidirectional,
        pooling=pooling,
        normalize=normalize,
        positions=positions,
        outputs=outputs,
        activation=activation,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        mask_value=mask_value,
        standardize=standardize,
    )
