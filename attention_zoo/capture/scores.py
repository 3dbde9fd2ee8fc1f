"""Where a model looks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.capture.capturing import watch


def attention_scores(model: keras.Model, x: Any, batch_size: int = 256) -> dict[str, np.ndarray]:
    """Where a model looks: the scores of each of its attention layers on `x`.

    One pass over the data in batches; the model is left as it is. The scores are those that
    `predict` uses: 1 in sum over what is visible, exactly 0 on padding.

    Args:
        model: a built Keras model, trained or loaded, with attention layers of ours or Keras's
            own `Attention`, `AdditiveAttention`, `MultiHeadAttention`, `GroupQueryAttention`.
        x: an array `(samples, ...)` that fits the model's input; for a model of several inputs a
            list of arrays, or a dictionary by the inputs' names, paired with the inputs as the
            model's `predict` pairs them, and refused where it refuses them.
        batch_size: how many samples go through at once.

    Returns:
        `{layer name: array (samples, ...)}`, shaped as the layer's `return_attention_scores`. A
        layer in a nested model or layer has the names of both, `sentence/attention`; under
        `TimeDistributed` its scores have the steps that are distributed over as their first axis,
        `(samples, segments, ...)`. A layer that is used more than once has further entries
        `name@2`, `name@3`, in the order in which the model computes them, which may be another
        than that of the calls; one that attends on several levels has one a level, `name/1`,
        `name/2`.

    Raises:
        ValueError: if the model is not built, has no attention layer or one inside the cell of a
            recurrent layer, or x does not fit it.

    Example:

    >>> model = az.load("lstm_after")
    >>> x, y, relevance = az.tasks.get("planted_step").sample(3, split="test")
    >>> {name: scores.shape for name, scores in az.attention_scores(model, x).items()}
    {'attention': (3, 20)}
    """
    return watch(model, x, batch_size).scores
