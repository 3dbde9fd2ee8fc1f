"""Where attention scores go while somebody is looking, and where others come from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from keras import ops

from attention_zoo.core.identity import by_identity


@by_identity
class Seen(NamedTuple):
    """What one attention layer did in one call, on one of its levels.

    Attributes:
        layer: the layer.
        level: the number of the level, from 1; None for a layer that attends on one alone.
        scores: its scores, `(batch, ...)`.
        visible: what it could attend to, `(batch, [segments,] indices)`; None where it saw no
            mask.
        segments: how many leading axes of the scores are those of wrappers around the layer.
    """

    layer: Any
    level: int | None
    scores: Any
    visible: Any
    segments: int


class Watcher:
    """Collects what attention layers do, and may put other scores in the place of theirs.

    Under a compiler the scores are the traced tensors, to be returned from the same function.

    Args:
        replace: called with a layer, how often it was called before and how often it attended
            in this call; returns other scores, of the shape that are recorded, or None.
    """

    def __init__(self, replace: Callable[[Any, int, int], Any] | None = None):
        self.seen: list[Seen] = []
        self._replace = replace
        self._pending: list[Any] = []
        self._uses: dict[int, int] = {}
        self._segments: list[Any] = []

    def attended(self, layer: Any, scores: Any, mask: Any, axis: int) -> Any:
        """Note what was visible, and return the scores to go on with."""
        self.note(scores, mask, axis)
        if self._replace is None:
            return scores
        other = self._replace(layer, self._uses.get(id(layer), 0), len(self._pending) - 1)
        return scores if other is None else self._shaped(other, scores, axis)

    def note(self, scores: Any, mask: Any, axis: int) -> None:
        """Note what was visible on the attended axis of these scores."""
        visible = None
        if mask is not None:
            while len(mask.shape) < len(scores.shape):
                mask = ops.expand_dims(mask, 1)
            everywhere = ops.broadcast_to(mask, ops.shape(scores))
            others = tuple(i for i in range(1, len(scores.shape)) if i != axis % len(scores.shape))
            visible = self._unfolded(ops.any(everywhere, axis=others))
        self._pending.append(visible)

    def _shaped(self, other: Any, scores: Any, axis: int) -> Any:
        """Scores as they are recorded, in the shape in which the layer applies them."""
        if self._segments:
            other = ops.reshape(other, (-1, *ops.shape(other)[1 + len(self._segments) :]))
        while len(other.shape) < len(scores.shape):
            # What the layer leaves out stands before the attended axis, or after it
            other = ops.expand_dims(other, -1 if axis % len(scores.shape) == 1 else -2)
        return ops.broadcast_to(ops.cast(other, scores.dtype), ops.shape(scores))

    def record(self, layer: Any, scores: Any) -> None:
        """Keep the scores of a call that ends, a tuple for a layer of several levels."""
        self._uses[id(layer)] = self._uses.get(id(layer), 0) + 1
        levels = scores if isinstance(scores, tuple) else (scores,)
        masks = [*self._pending, *[None] * len(levels)]
        self._pending = []
        for number, (level, visible) in enumerate(zip(levels, masks, strict=False), start=1):
            which = number if isinstance(scores, tuple) else None
            found = Seen(layer, which, self._unfolded(level), visible, len(self._segments))
            self.seen.append(found)

    def _unfolded(self, rows: Any) -> Any:
        for segments in reversed(self._segments):
            rows = ops.reshape(rows, (-1, segments, *ops.shape(rows)[1:]))
        return rows

    @contextlib.contextmanager
    def folded(self, segments: Any) -> Iterator[None]:
        """Inside the block the batch is one of so many segments of each sample."""
        self._segments.append(segments)
        try:
            yield
        finally:
            self._segments.pop()


_watcher: ContextVar[Watcher | None] = ContextVar("attention_scores", default=None)


@contextlib.contextmanager
def watching(watcher: Watcher) -> Iterator[Watcher]:
    """Inside the block, every attention layer that is called reports to the watcher."""
    token = _watcher.set(watcher)
    try:
        yield watcher
    finally:
        _watcher.reset(token)


def current() -> Watcher | None:
    """Who is looking: scores are then wanted even by a caller that did not ask for them."""
    return _watcher.get()


def folded(segments: Any) -> contextlib.AbstractContextManager[None]:
    """Tell the watcher, if there is one, that the batch is one of segments: see `Watcher`."""
    watcher = current()
    return contextlib.nullcontext() if watcher is None else watcher.folded(segments)


def attended(layer: Any, scores: Any, mask: Any = None, axis: int = -1) -> Any:
    """The scores that a layer goes on with: its own, unless a watcher has others."""
    watcher = current()
    return scores if watcher is None else watcher.attended(layer, scores, mask, axis)


def note(scores: Any, mask: Any, axis: int = -1) -> None:
    """Tell the watcher, if there is one, what was visible to scores that no others can replace."""
    watcher = current()
    if watcher is not None:
        watcher.note(scores, mask, axis)


def record(layer: Any, scores: Any) -> None:
    """Hand the scores of a call that ends to the watcher, if there is one."""
    watcher = current()
    if watcher is not None:
        watcher.record(layer, scores)
