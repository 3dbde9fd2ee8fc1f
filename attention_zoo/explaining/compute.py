"""`explain`: a model and samples to what it predicts and where it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.inputs import check_inputs
from attention_zoo.capture.outputs import output_index
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import arrays
from attention_zoo.explaining import names
from attention_zoo.explaining.explanation import Explanation


def explain(
    model: keras.Model,
    x: Any,
    *,
    y: Any = None,
    truth: Any = None,
    step_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Explanation:
    """Predict, and see where the model looks.

    Args:
        model: a built Keras model with attention layers, ours or Keras's own.
        x: an array `(samples, ...)` that fits the model's input, or several: see
            `attention_scores`. The columns of a data frame name the features.
        y: the labels or targets, if they are known; of one output, where the model has several.
        truth: 1 where the answer is, if that is known: the shape of the scores, or of their
            leading axes, those of the samples and at least one more.
        step_names: labels of the time steps.
        feature_names: labels of the features.
        batch_size: how many samples go through at once.
        output: the name or number of the output that y and the predicted classes are of, where
            the model has several.

    Returns:
        An `Explanation`.

    Raises:
        ValueError: as `attention_scores`, for a truth, labels or names of the wrong shape, and for
            labels where the model has several outputs and no `output` is named.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_step").sample(100, split="test")
    >>> explanation = az.explain(az.load("lstm_after"), x, truth=relevance)
    >>> int(explanation.profile().mean(0).argmax())
    10
    """
    if feature_names is None:
        feature_names = arrays.columns(x)
    seen = capture_scores(model, x, batch_size)
    inputs = check_inputs(model, x)
    if y is not None or output is not None:
        output = output_index(model, output, seen.predictions)
    explanation = Explanation(
        keras.tree.flatten(inputs) if keras.tree.is_nested(inputs) else inputs,
        seen.predictions,
        seen.scores,
        None if truth is None else _truth(truth),
        None if y is None else np.asarray(y),
        seen.masks,
        seen.axes,
        seen.attended,
        names.as_list("step_names", step_names),
        names.as_list("feature_names", feature_names),
        output,
    )
    labels = explanation.y
    if labels is not None and labels.shape[:1] != (len(explanation),):
        raise ValueError(
            f"`y` must have one label a sample, {len(explanation)}. Received: {labels.shape}"
        )
    names.check(explanation)
    explanation.truth_of()
    return explanation


def _truth(truth: Any) -> np.ndarray:
    array = arrays.numeric("truth", truth)
    arrays.finite("truth", array)
    return array
