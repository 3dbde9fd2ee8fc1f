"""Interventions on attention: a model's predictions with replaced scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.inference import fixed_batch_size
from attention_zoo.capture.inputs import check_inputs, check_model
from attention_zoo.capture.scores import capture_model, capture_scores
from attention_zoo.core import arrays, checks
from attention_zoo.core.registry import one_of


def predict_with_scores(
    model: keras.Model, x: Any, scores: Mapping[str, Any], batch_size: int = 256
) -> Any:
    """The model's predictions with other attention scores than those it computes.

    Everything else is as in `predict`: the values that are attended to are those of x, and layers
    that are not named keep their own scores. Scores need not sum to 1. The model is left as it is.

    Args:
        model: a built model with attention layers of this package or Keras's own.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        scores: `{layer name: array}`, of the names and shapes that `attention_scores` returns.
        batch_size: how many samples go through at once.

    Returns:
        The model's outputs.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `attention_scores`; for an unknown name, scores of another shape or that are
            not finite, and for a layer whose scores depend on each other from step to step
            (`AttentionDecoder`) or are no attention (the second level of `RetainAttention`).

    Example:

    >>> model = az.load("lstm_after")
    >>> x = az.tasks.get("planted_step").sample(3, split="test").x
    >>> scores = az.attention_scores(model, x)
    >>> same = az.capture.predict_with_scores(model, x, scores)
    >>> bool(np.allclose(same, model.predict(x, verbose=0), atol=1e-5))
    True
    """
    checks.positive_int("batch_size", batch_size)
    check_model(model)
    x = check_inputs(model, x)
    size = fixed_batch_size(model) or 1
    first = keras.tree.map_structure(lambda array: array[:size], x)
    known = capture_scores(model, first, size).scores
    samples = len(keras.tree.flatten(x)[0])
    given = {name: _checked(name, value, known, samples) for name, value in scores.items()}
    if not given:
        raise ValueError(f"`scores` must name at least one of the layers {list(known)}.")
    replacing = capture_model(model, replaces=True)
    found = replacing.predict((x, given), batch_size=batch_size, verbose=0)
    kept = [name for name in given if name not in replacing.replaced]
    if kept:
        raise ValueError(
            f"The scores of {kept} cannot be replaced: they are no attention, or depend on each "
            "other from step to step."
        )
    return found["predictions"]


def _checked(name: str, value: Any, known: Mapping[str, np.ndarray], samples: int) -> np.ndarray:
    if name not in known:
        raise one_of("layer", name, known)
    array = arrays.numeric(name, value).astype("float32")
    if array.shape != (samples, *known[name].shape[1:]):
        raise ValueError(
            f"`scores[{name!r}]` must have the shape {(samples, *known[name].shape[1:])}. "
            f"Received: {array.shape}"
        )
    arrays.finite(name, array)
    return array
