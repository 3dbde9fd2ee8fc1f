"""What time steps and features are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_zoo.explaining.explanation import Explanation

#: Whose labels an axis of the scores has.
_STEPS = ("step", "query", "key")


def as_list(argument: str, names: Sequence[Any] | None) -> list[str] | None:
    """Names as a list of strings; TypeError for one string, which would be cut into letters."""
    if names is None:
        return None
    if isinstance(names, (str, bytes, Mapping)) or not isinstance(names, Iterable):
        raise TypeError(f"`{argument}` must be a sequence of names. Received: {names!r}")
    return [str(name) for name in names]


def of_axis(explanation: Explanation, axis: str, size: int | None = None) -> list[str] | None:
    """The labels of an axis of the scores by its name; None where there are none that fit."""
    names = None
    if axis in _STEPS:
        names = explanation.step_names
    elif axis == "feature":
        names = explanation.feature_names
    return None if names is None or size not in (None, len(names)) else names


def check(explanation: Explanation) -> None:
    """ValueError for names of another number than there are steps or features."""
    inputs = explanation.x if isinstance(explanation.x, list) else [explanation.x]
    for argument, axes in (("step_names", _STEPS), ("feature_names", ("feature",))):
        names = getattr(explanation, argument)
        if names is None:
            continue
        sizes = {
            size
            for layer, scores in explanation.scores.items()
            for axis, size in zip(explanation.axes[layer], scores.shape[1:], strict=True)
            if axis in axes
        }
        if argument == "feature_names":
            sizes |= {array.shape[-1] for array in inputs}
        else:
            sizes |= {array.shape[1] for array in inputs if array.ndim > 2}
        if len(names) not in sizes:
            allowed = " or ".join(map(str, sorted(sizes))) or "no"
            raise ValueError(f"`{argument}` must be {allowed} names. Received: {len(names)}")
