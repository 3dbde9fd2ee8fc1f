"""Scores of any shape as one score for each index."""

from __future__ import annotations

from typing import Any

import numpy as np


def attended_axis(scores: np.ndarray) -> int:
    """The axis that scores sum to 1 over: the last, or axis 1 of per-feature time attention."""
    if scores.ndim == 3:
        sums = scores.sum(1)
        if np.all((np.abs(sums - 1) < 1e-2) | (sums == 0)):
            return 1
    return scores.ndim - 1


def profile(scores: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Scores `(samples, ...)` as `(samples, indices)`: the mean over all but the attended axis."""
    axis = attended_axis(scores) if axis is None else axis
    rows = np.moveaxis(np.asarray(scores, "float64"), axis, -1)
    return rows.reshape(len(rows), -1, rows.shape[-1]).mean(1)


def over_input(captured: Any) -> np.ndarray:
    """What the first layer attends to, as one score for each cell of its input.

    The mean over the queries, heads or hops that share the input; of words in windows, the word's
    score times its window's.

    Args:
        captured: anything with `scores`, `axes` and `attended` by layer name.
    """
    name, scores = next(iter(captured.scores.items()))
    axes = captured.axes[name]
    if "segment" in axes:
        above = captured.scores[f"{name.removesuffix('/1')}/2"]
        return (scores * above[..., None]).reshape(len(scores), -1)
    if {"key", "hop"} & set(axes):
        return profile(scores, 1 + axes.index(captured.attended[name]))
    return scores
