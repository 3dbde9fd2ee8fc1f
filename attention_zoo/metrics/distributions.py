"""The scores of one layer as rows that are distributions, and what each row could attend to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from attention_zoo.capture.scores import Capture
from attention_zoo.core.registry import one_of

#: How many scores are held at once, in each of the arrays that hold sets of them.
_CELLS = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class Distributions:
    """Scores with the attended axis last, each row divided by its sum.

    Attributes:
        name: the layer's.
        rows: `(samples, rows, indices)`, float64; a row that attends to nothing is all 0.
        visible: what a row could attend to, booleans of that shape.
        sums: what each row was divided by, `(samples, rows, 1)`.
        axis: the number of the attended axis of the scores.
        shape: that of the scores, with the attended axis last.
    """

    name: str
    rows: np.ndarray
    visible: np.ndarray
    sums: np.ndarray
    axis: int
    shape: tuple[int, ...]

    def as_scores(self, rows: np.ndarray) -> np.ndarray:
        """Other rows as scores of the layer's shape and sums; leading axes may be added."""
        extra = rows.ndim - 3
        scores = (rows * self.sums).reshape(*rows.shape[:extra], *self.shape)
        return np.moveaxis(scores, -1, extra + self.axis)

    def take(self, samples: slice) -> Distributions:
        """Those of some of the samples."""
        rows, visible, sums = self.rows[samples], self.visible[samples], self.sums[samples]
        return Distributions(
            self.name, rows, visible, sums, self.axis, (len(rows), *self.shape[1:])
        )

    def portions(self, sets: int) -> Iterator[slice]:
        """The samples a few at a time, so that so many sets of their rows fit in memory."""
        step = max(1, _CELLS // (sets * max(1, self.rows[0].size)))
        for start in range(0, len(self.rows), step):
            yield slice(start, start + step)

    def uniform(self) -> np.ndarray:
        """Uniform attention over the visible positions."""
        some = (self.sums > 0) & self.visible
        return some / np.maximum(some.sum(-1, keepdims=True), 1)


def layer_name(captured: Capture, layer: str | None) -> str:
    """Return the name of the layer that is meant, by default the first; ValueError for others."""
    if layer is None:
        return next(iter(captured.scores))
    if layer not in captured.scores:
        raise one_of("layer", layer, captured.scores)
    return layer


def distributions(captured: Capture, layer: str | None = None) -> Distributions:
    """Return the scores of a layer, by default the first; ValueError for an unknown name.

    Visible is what the layer's mask left. Queries may see different keys, of which the mask tells
    only those that any query sees: of these, a query is taken to see what it attends to in any
    sample.
    """
    layer = layer_name(captured, layer)
    axes = captured.axes[layer]
    axis = 1 + axes.index(captured.attended[layer])
    moved = np.moveaxis(captured.scores[layer].astype("float64"), axis, -1)
    rows = moved.reshape(len(moved), -1, moved.shape[-1])
    visible = np.ones(rows.shape, bool)
    if layer in captured.masks:
        mask = captured.masks[layer]
        between = (1,) * (moved.ndim - mask.ndim)
        mask = np.broadcast_to(
            mask.reshape(*mask.shape[:-1], *between, mask.shape[-1]), moved.shape
        )
        if "query" in axes:
            mask = mask & (moved > 0).any(axis=tuple(range(moved.ndim - 2)))
        visible = mask.reshape(rows.shape)
    sums = rows.sum(-1, keepdims=True)
    rows = np.divide(rows, sums, out=np.zeros_like(rows), where=sums > 0)
    return Distributions(layer, rows, visible, sums, axis, moved.shape)
