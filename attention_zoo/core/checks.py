"""Argument checks with one wording: what it is, what is allowed, what was received."""

from __future__ import annotations

import math
import numbers
from typing import Any


def _require(fits: bool, name: str, allowed: str, value: Any) -> None:
    if not fits:
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def positive_int(name: str, value: Any, *, none: bool = False) -> None:
    """Refuse anything but an integer of at least 1 (or None, where `none` allows it)."""
    fits = (none and value is None) or (_is_integer(value) and value >= 1)
    _require(fits, name, "a positive integer or None" if none else "a positive integer", value)


def natural(name: str, value: Any) -> None:
    """Refuse anything but an integer of at least 0."""
    _require(_is_integer(value) and value >= 0, name, "an integer of at least 0", value)


def seed(name: str, value: Any) -> None:
    """Refuse anything but None or an integer."""
    _require(value is None or _is_integer(value), name, "an integer or None", value)


def rate(name: str, value: Any) -> None:
    """Refuse anything but a number in [0, 1)."""
    _require(_is_finite(value) and 0 <= value < 1, name, "a number in [0, 1)", value)


def positive(name: str, value: Any, *, above: float = 0.0) -> None:
    """Refuse anything but a finite number greater than `above`."""
    _require(_is_finite(value) and value > above, name, f"a finite number > {above:g}", value)


def number(name: str, value: Any) -> None:
    """Refuse anything but a finite number."""
    _require(_is_finite(value), name, "a finite number", value)


def boolean(name: str, value: Any, *, none: bool = False) -> None:
    """Refuse anything but True or False (or None, where `none` allows it)."""
    if not isinstance(value, bool) and not (none and value is None):
        allowed = "True, False or None" if none else "True or False"
        raise TypeError(f"`{name}` must be {allowed}. Received: {name}={value!r}")


def names(argument: str, value: Any) -> list[str]:
    """Return one name, or several, as a list; raise TypeError for others, ValueError for none."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, (list, tuple)) or not all(isinstance(n, str) for n in several):
        raise TypeError(f"`{argument}` must be a name or a list of names. Received: {value!r}")
    if not several:
        raise ValueError(f"`{argument}` must name at least one. Received: {value!r}")
    return list(several)


def shape(name: str, value: Any, axes: tuple[str, ...]) -> tuple:
    """Return one size for each of the axes: a positive integer, or None where it is not known."""
    dims = tuple(value) if isinstance(value, (tuple, list)) else ()
    form = ", ".join(axes) + ("," if len(axes) == 1 else "")
    _require(len(dims) == len(axes), name, f"a tuple ({form}), without the batch", value)
    for axis, dim in zip(axes, dims, strict=True):
        positive_int(f"{name}: {axis}", dim, none=True)
    return dims
