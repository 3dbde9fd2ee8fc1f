"""`explain`: a model and samples to what it predicts and where it attends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.input_steps import at_input_steps
from attention_zoo.capture.inputs import check_inputs
from attention_zoo.capture.outputs import output_index
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import arrays
from attention_zoo.explaining.explanation import Explanation
from attention_zoo.models.classes import class_codes, class_labels
from attention_zoo.models.classes import class_names as names_of


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
    class_names: Sequence[Any] | None = None,
) -> Explanation:
    """Predict, and see where the model attends.

    The scores are at the steps of the input: after convolutions or pooling with strides, the steps
    that one step of the scores stands for share its score equally. `attention_scores` has them as
    the layer has. An axis of steps that `keras.layers.Permute` made of features is called
    `feature`.

    Args:
        model: a built model with attention layers of this package or of Keras.
        x: an array `(samples, ...)` that fits the input of the model, or several: see
            `attention_scores`. The columns of a data frame name the features.
        y: the targets, if they are known; of one output, where the model has several.
        truth: 1 on the relevant inputs, if they are known: the shape of the scores, or of their
            leading axes, those of the samples and at least one more.
        step_names: labels of the time steps.
        feature_names: labels of the features.
        batch_size: the number of samples in a batch.
        output: the name or number of the output that y and the predicted classes belong to, where
            the model has several.
        class_names: the names of the classes, in the order of the model's numbers; by default those
            of the labels that `az.train` or an estimator trained on, which a preset keeps.

    Returns:
        An `Explanation`.

    Raises:
        ValueError: as `attention_scores`; for a truth, targets or names of the wrong shape; for
            a label that is no class; for targets of a model with several outputs where `output` is
            missing.
        TypeError: for names that are not a sequence.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_step").sample(100, split="test")
    >>> explanation = az.explain(az.load("lstm_after"), x, truth=relevance)
    >>> int(explanation.profile().mean(0).argmax())
    10
    """
    if feature_names is None:
        feature_names = arrays.columns(x)
    inputs = check_inputs(model, x)
    captured = at_input_steps(model, inputs, capture_scores(model, x, batch_size))
    if y is not None or output is not None or class_names is not None:
        output = output_index(model, output, captured.predictions)
    if truth is not None:
        truth = arrays.numeric("truth", truth)
        arrays.finite("truth", truth)
    names = _class_names(class_names, model, captured.predictions, output)
    if y is not None:
        y = class_labels(class_codes(y, names), names)
    explanation = Explanation(
        keras.tree.flatten(inputs) if keras.tree.is_nested(inputs) else inputs,
        captured.predictions,
        captured.scores,
        truth,
        y,
        captured.masks,
        captured.axes,
        captured.attended,
        _as_list("step_names", step_names),
        _as_list("feature_names", feature_names),
        output,
        names,
        captured.contributions,
    )
    labels = explanation.y
    if labels is not None and labels.shape[:1] != (len(explanation),):
        raise ValueError(
            f"`y` must have one label a sample, {len(explanation)}. Received: {labels.shape}"
        )
    _check_names(explanation)
    _ = explanation.layer().truth  # refuses a truth that does not fit
    return explanation


def _class_names(
    names: Sequence[Any] | None, model: keras.Model, predictions: Any, output: Any
) -> list[Any] | None:
    """The names that were given, or else the model's; ValueError for another number of names."""
    if names is None:
        return names_of(model)
    values = np.asarray(keras.tree.flatten(predictions)[output or 0])
    count = max(2, values.shape[-1])
    if isinstance(names, (str, bytes)) or len(names) != count:
        raise ValueError(f"`class_names` must be {count} names. Received: {names!r}")
    return arrays.plain(list(names))


def _as_list(argument: str, names: Sequence[Any] | None) -> list[str] | None:
    """Names as a list of strings; TypeError for one string, which would be cut into letters."""
    if names is None:
        return None
    if isinstance(names, (str, bytes, Mapping)) or not isinstance(names, Iterable):
        raise TypeError(f"`{argument}` must be a sequence of names. Received: {names!r}")
    return [str(name) for name in names]


def _check_names(explanation: Explanation) -> None:
    """ValueError for names of another number than there are steps or features."""
    inputs = explanation.x if isinstance(explanation.x, list) else [explanation.x]
    for argument, names, axes, from_inputs in (
        (
            "step_names",
            explanation.step_names,
            ("step", "query", "key"),
            [array.shape[1] for array in inputs if array.ndim > 2],
        ),
        (
            "feature_names",
            explanation.feature_names,
            ("feature",),
            [array.shape[-1] for array in inputs],
        ),
    ):
        sizes = {
            size
            for layer, scores in explanation.scores.items()
            for axis, size in zip(explanation.axes[layer], scores.shape[1:], strict=True)
            if axis in axes
        }.union(from_inputs)
        if names is not None and len(names) not in sizes:
            allowed = " or ".join(map(str, sorted(sizes))) or "no"
            raise ValueError(f"`{argument}` must be {allowed} names. Received: {len(names)}")
