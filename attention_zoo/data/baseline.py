"""What a prediction that learns nothing reaches: the majority class, the mean, the last value."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from attention_zoo.data.dataset import Dataset


class Baseline(NamedTuple):
    """A trivial prediction, and its metrics on the samples that the model is measured on.

    Args:
        name: "majority class", "mean" or "last value".
        score: the metrics by their names, as `TrainingResult.score` has them.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(20, 3))
    >>> az.train("dense", x, x[:, 0] > 0, validation_split=0.2, epochs=1,
    ...          verbose=0).baseline.name
    'majority class'
    """

    name: str
    score: dict[str, float]


def trivial(train: Dataset, test: Dataset, place: int | None = None) -> tuple[str, np.ndarray]:
    """The name of the best trivial prediction, and its predictions of the test samples as a model
    would give them.

    For classes it is the share of each among the training samples, which predicts the majority
    class; for a quantity the mean of the training targets, or the last value of the series where
    the target is the next one and the last value is nearer to the training targets.
    """
    shape = test.y.shape
    if train.kind == "multiclass":
        counts = np.bincount(train.y.astype(int).ravel(), minlength=train.outputs)
        shares = counts / counts.sum()
        return "majority class", np.broadcast_to(shares, (*shape, len(shares)))
    mean = train.y.mean(axis=0 if train.vector else None, dtype="float64")
    if train.kind == "binary":
        return "majority class", np.broadcast_to(mean, shape)
    if place is not None:
        last = train.x[:, -1, place]
        if np.mean((last - train.y) ** 2) < np.mean((mean - train.y) ** 2):
            return "last value", test.x[:, -1, place]
    return "mean", np.broadcast_to(mean, shape)


def next_value_of(data: Dataset) -> int | None:
    """The feature whose next value the target is, as the windows of a series in their order show
    it: the value after one window stands in the next, at its end (sliding windows) or beginning."""
    x: Any = data.x
    if (
        x.ndim != 3
        or data.y.shape != (len(x),)
        or data.heads
        or len(x) < 3
        or data.mask_value is not None
    ):
        return None
    for step in (-1, 0):
        for place in range(x.shape[2]):
            if np.allclose(x[1:, step, place], data.y[:-1], rtol=1e-4, atol=1e-6):
                return place
    return None
