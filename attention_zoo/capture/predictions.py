"""A model's answers as numbers that can be compared."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.core import arrays


def answers(predictions: Any, index: int) -> np.ndarray:
    """One of the outputs, by the number that `chosen_output` returned, as `(samples, places,
    values)`, float64: one place for each step of a sequence of answers, one alone otherwise."""
    found = np.asarray(keras.tree.flatten(predictions)[index], "float64")
    if found.ndim == 1:
        found = found[:, None]
    return found.reshape(len(found), -1, found.shape[-1])


def classes(predictions: Any, index: int | None) -> np.ndarray:
    """The class that is predicted for each sample; `index` is None where no output was named."""
    every = keras.tree.flatten(predictions)
    if len(every) > 1 and index is None:
        raise ValueError(
            f"The model has {len(every)} outputs: say which of them the classes are of, "
            "explain(model, x, output=...)."
        )
    outputs = np.asarray(every[index or 0])
    outputs = outputs.reshape(len(outputs), -1)
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0.5).astype(int)
    return outputs.argmax(1)


def are_probabilities(model: keras.Model, answered: np.ndarray, index: int) -> bool:
    """Whether the answers of that output are probabilities: by the activation that made them,
    where it is known, else by their values."""
    activation = None
    if getattr(model, "outputs", None):
        activation = getattr(model.outputs[index]._keras_history.operation, "activation", None)
    if activation is not None:
        return activation in (keras.activations.sigmoid, keras.activations.softmax)
    within = bool(np.all((answered >= 0) & (answered <= 1)))
    return within and (answered.shape[-1] == 1 or bool(np.all(np.abs(answered.sum(-1) - 1) < 1e-3)))


def unit(model: keras.Model, answered: np.ndarray, index: int) -> float:
    """What a change of the answers is measured in: 1 for probabilities, for other quantities
    their standard deviation over the samples."""
    if are_probabilities(model, answered, index):
        return 1.0
    return float(np.sqrt(answered.var(axis=0).mean())) or 1.0


def total_variation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Half the sum of the absolute differences of the values, `(..., samples)`, the mean over
    places; of one value, such as the probability of the second of two classes, its difference."""
    off = np.abs(after - before)
    off = off[..., 0] if off.shape[-1] == 1 else off.sum(-1) / 2
    return off.mean(-1)


def labels(y: Any, answered: np.ndarray, probabilities: bool) -> np.ndarray:
    """y as classes `(samples, places)`, or as quantities of the answers' shape.

    ValueError where it fits neither, and for classes that such answers cannot name.
    """
    y = arrays.numeric("y", y)
    arrays.finite("y", y)
    samples, places, values = answered.shape
    if y.shape[:1] == (samples,):
        if values > 1 and y.size == samples * places:
            _refuse_others(y, values, f"0 to {values - 1}")
            return y.reshape(samples, places)
        if y.size == answered.size:
            if probabilities and _whole(y):
                _refuse_others(y, 2, "0 and 1, one-hot" if values > 1 else "0 and 1")
            return y.reshape(answered.shape)
    raise ValueError(
        f"`y` must have one label a sample, or the shape of the answers. Received: {y.shape} for "
        f"{samples} samples"
    )


def _whole(y: np.ndarray) -> bool:
    return bool(np.all(y == np.round(y)))


def _refuse_others(y: np.ndarray, classes: int, allowed: str) -> None:
    """ValueError for labels that are none of 0 to `classes` - 1."""
    others = np.setdiff1d(y, np.arange(classes))
    if others.size:
        named = ", ".join(f"{label:g}" for label in others[:5])
        named += ", ..." if others.size > 5 else ""
        raise ValueError(f"`y` must be the model's classes, {allowed}. Received: {named}")


def quality(y: np.ndarray, answered: np.ndarray, probabilities: bool) -> tuple[str, np.ndarray]:
    """How good the answer to each sample is, `(samples,)`: `("accuracy", shares)` of the places
    whose class is right, else `("mean absolute error", values)`. `y` is what `labels` returned."""
    right = None
    classes = probabilities and _whole(y)
    if y.ndim == 2:
        right = answered.argmax(-1) == y
    elif classes and answered.shape[-1] == 1:
        right = (answered > 0.5) == (y > 0.5)
    elif classes:
        right = answered.argmax(-1) == y.argmax(-1)
    if right is not None:
        return "accuracy", right.reshape(len(right), -1).mean(-1)
    return "mean absolute error", np.abs(answered - y).mean((1, 2))
