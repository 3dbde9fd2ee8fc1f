"""Records the scores of attention layers while they are called, and may replace them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from keras import ops

from attention_zoo.core.identity import by_identity


@by_identity
class ScoreRecord(NamedTuple):
    """What one attention layer did in one call, on one of its levels.

    Attributes:
        layer: the layer.
        level: the number of the level, from 1; None for a layer that attends on a single one.
        scores: its scores, `(batch, ...)`.
        mask: what it could attend to, `(batch, [segments,] indices)`; None without a mask.
        segments: how many leading axes of the scores are those of wrappers around the layer.
        contributions: what each step adds to the layer's output, `(batch, [segments,] steps,
            units)`; None for a layer whose output is no such sum.
    """

    layer: Any
    level: int | None
    scores: Any
    mask: Any
    segments: int
    contributions: Any = None


class ScoreRecorder:
    """Collects the scores of attention layers, and may replace them.

    Under a compiler the scores are the traced tensors, to be returned from the same function.

    Args:
        replace: called with a layer, how often it was called before and how often it attended
            in this call; returns other scores, of the shape that is recorded, or None.
    """

    def __init__(self, replace: Callable[[Any, int, int], Any] | None = None):
        self.records: list[ScoreRecord] = []
        self._replace = replace
        self._masks: list[Any] = []
        self._uses: dict[int, int] = {}
        self._segments: list[Any] = []

    def intervene(self, layer: Any, scores: Any, mask: Any, axis: int) -> Any:
        """Record the mask, and return the scores to go on with."""
        self.record_mask(scores, mask, axis)
        if self._replace is None:
            return scores
        other = self._replace(layer, self._uses.get(id(layer), 0), len(self._masks) - 1)
        return scores if other is None else self._as_applied(other, scores, axis)

    def record_mask(self, scores: Any, mask: Any, axis: int) -> None:
        """Record the mask of the attended axis of these scores."""
        kept = None
        if mask is not None:
            while len(mask.shape) < len(scores.shape):
                mask = ops.expand_dims(mask, 1)
            mask = ops.broadcast_to(mask, ops.shape(scores))
            others = tuple(i for i in range(1, len(scores.shape)) if i != axis % len(scores.shape))
            kept = self._unfolded(ops.any(mask, axis=others))
        self._masks.append(kept)

    def record(self, layer: Any, scores: Any, contributions: Any = None) -> None:
        """Record the scores of a call that ends, a tuple for a layer of several levels, of which
        the first has the contributions."""
        self._uses[id(layer)] = self._uses.get(id(layer), 0) + 1
        levels = scores if isinstance(scores, tuple) else (scores,)
        masks = [*self._masks, *[None] * len(levels)]
        self._masks = []
        for number, (level, mask) in enumerate(zip(levels, masks, strict=False), start=1):
            which = number if isinstance(scores, tuple) else None
            added = None if contributions is None or number > 1 else self._unfolded(contributions)
            self.records.append(
                ScoreRecord(layer, which, self._unfolded(level), mask, len(self._segments), added)
            )

    @contextlib.contextmanager
    def segmented(self, segments: Any) -> Iterator[None]:
        """Inside the block the batch holds so many segments of each sample."""
        self._segments.append(segments)
        try:
            yield
        finally:
            self._segments.pop()

    def _as_applied(self, other: Any, scores: Any, axis: int) -> Any:
        """Scores as they are recorded, in the shape in which the layer applies them."""
        if self._segments:
            other = ops.reshape(other, (-1, *ops.shape(other)[1 + len(self._segments) :]))
        while len(other.shape) < len(scores.shape):
            # What the layer leaves out stands before the attended axis, or after it
            other = ops.expand_dims(other, -1 if axis % len(scores.shape) == 1 else -2)
        return ops.broadcast_to(ops.cast(other, scores.dtype), ops.shape(scores))

    def _unfolded(self, rows: Any) -> Any:
        for segments in reversed(self._segments):
            rows = ops.reshape(rows, (-1, segments, *ops.shape(rows)[1:]))
        return rows


#: The recorder of this thread, if one is active: scores are then wanted though no caller asks.
ACTIVE: ContextVar[ScoreRecorder | None] = ContextVar("score_recorder", default=None)


@contextlib.contextmanager
def recording(recorder: ScoreRecorder) -> Iterator[ScoreRecorder]:
    """Inside the block, every attention layer that is called reports to the recorder."""
    token = ACTIVE.set(recorder)
    try:
        yield recorder
    finally:
        ACTIVE.reset(token)


def segmented(segments: Any) -> contextlib.AbstractContextManager[None]:
    """Inside the block the batch holds so many segments of each sample, for an active recorder."""
    recorder = ACTIVE.get()
    return contextlib.nullcontext() if recorder is None else recorder.segmented(segments)
