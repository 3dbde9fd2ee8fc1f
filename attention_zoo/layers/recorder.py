"""Where attention scores go while somebody is looking."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

_sink: ContextVar[list[tuple[Any, Any]] | None] = ContextVar("attention_scores", default=None)


@contextlib.contextmanager
def recording() -> Iterator[list[tuple[Any, Any]]]:
    """Collect `(layer, scores)` of every attention layer that is called inside the block.

    Under a compiler the scores are the traced tensors, to be returned from the same function.
    """
    calls: list[tuple[Any, Any]] = []
    token = _sink.set(calls)
    try:
        yield calls
    finally:
        _sink.reset(token)


def is_recording() -> bool:
    """Whether scores are wanted even by a caller that did not ask for them."""
    return _sink.get() is not None


def record(layer: Any, scores: Any) -> None:
    """Hand the scores to the innermost `recording` block, if there is one."""
    calls = _sink.get()
    if calls is not None:
        calls.append((layer, scores))
