"""Attention as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from attention_zoo.core.optional import require
from attention_zoo.explaining import names

if TYPE_CHECKING:
    from attention_zoo.explaining.explanation import Explanation


def tidy(explanation: Explanation, layer: str | None) -> Any:
    """A row for each score of one layer, or of all: see `Explanation.to_frame`."""
    pandas = require("pandas", extra="frames")
    layers = explanation.scores if layer is None else [layer]
    parts = [pandas.DataFrame(_columns(explanation, name)) for name in layers]
    return parts[0] if len(parts) == 1 else pandas.concat(parts, ignore_index=True)


def _columns(explanation: Explanation, layer: str) -> dict[str, Any]:
    scores = explanation.scores[layer]
    axes = explanation.axes[layer]
    indices = np.indices(scores.shape, sparse=True)
    columns: dict[str, Any] = {
        "sample": np.broadcast_to(indices[0], scores.shape).ravel(),
        "layer": np.full(scores.size, layer),
    }
    index: np.ndarray
    for axis, index in zip(axes, indices[1:], strict=True):
        labels = names.of_axis(explanation, axis, index.size)
        values = index if labels is None else np.asarray(labels)[index]
        columns[axis] = np.broadcast_to(values, scores.shape).ravel()
    columns["score"] = scores.ravel()
    if layer in explanation.masks:
        visible = explanation.masks[layer]
        leading = visible.ndim - 2
        kept = {0, *range(1, 1 + leading), explanation.attended_axis(layer)}
        shape = tuple(n if i in kept else 1 for i, n in enumerate(scores.shape))
        columns["visible"] = np.broadcast_to(visible.reshape(shape), scores.shape).ravel()
    truth = explanation.truth_of(layer)
    if truth is not None:
        columns["truth"] = truth.ravel()
    return columns
