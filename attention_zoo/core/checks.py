"""Argument checks with one wording: what it is, what is allowed, what was received."""

from __future__ import annotations

import math
import numbers
from typing import Any


def _is_number(value: Any, kind: type = numbers.Real) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def positive_int(name: str, value: Any, *, none: bool = False) -> None:
    """Refuse anything but an integer of at least 1 (or None, where `none` allows it)."""
    if none and value is None:
        return
    if not _is_number(value, numbers.Integral) or value < 1:
        also = " or None" if none else ""
        raise ValueError(f"`{name}` must be a positive integer{also}. Received: {name}={value!r}")


def natural(name: str, value: Any) -> None:
    """Refuse anything but an integer of at least 0."""
    if not _is_number(value, numbers.Integral) or value < 0:
        raise ValueError(f"`{name}` must be an integer of at least 0. Received: {name}={value!r}")


def seed(name: str, value: Any) -> None:
    """Refuse anything but None or an integer."""
    if value is not None and not _is_number(value, numbers.Integral):
        raise ValueError(f"`{name}` must be an integer or None. Received: {name}={value!r}")


def rate(name: str, value: Any) -> None:
    """Refuse anything but a number in [0, 1)."""
    if not _is_number(value) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be a number in [0, 1). Received: {name}={value!r}")


def positive(name: str, value: Any, *, above: float = 0.0) -> None:
    """Refuse anything but a finite number greater than `above`."""
    if not _is_number(value) or not math.isfinite(value) or value <= above:
        raise ValueError(
            f"`{name}` must be a finite number > {above:g}. Received: {name}={value!r}"
        )


def number(name: str, value: Any) -> None:
    """Refuse anything but a finite number."""
    if not _is_number(value) or not math.isfinite(value):
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={value!r}")


def boolean(name: str, value: Any, *, none: bool = False) -> None:
    """Refuse anything but True or False (or None, where `none` allows it)."""
    if not isinstance(value, bool) and not (none and value is None):
        allowed = "True, False or None" if none else "True or False"
        raise TypeError(f"`{name}` must be {allowed}. Received: {name}={value!r}")


def names(argument: str, value: Any) -> list[str]:
    """One name, or several, as a list; TypeError for anything else, ValueError for none at all."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) for each in given):
        raise TypeError(f"`{argument}` must be a name or a list of names. Received: {value!r}")
    if not given:
        raise ValueError(f"`{argument}` must name at least one. Received: {value!r}")
    return list(given)


def shape(name: str, value: Any, axes: tuple[str, ...]) -> tuple:
    """One size for each of the axes: positive integers, or None where a size is not known."""
    dims = tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(dims) != len(axes):
        form = ", ".join(axes) + ("," if len(axes) == 1 else "")
        raise ValueError(
            f"`{name}` must be a tuple ({form}), without the batch. Received: {name}={value!r}"
        )
    for axis, dim in zip(axes, dims, strict=True):
        positive_int(f"{name}: {axis}", dim, none=True)
    return dims
