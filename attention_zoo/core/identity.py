"""Equality of objects that hold arrays, which have no truth value to compare by."""

from __future__ import annotations

from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type)


def by_identity(cls: _Class) -> _Class:
    """A class decorator: an object equals itself alone, and has a hash.

    For a NamedTuple that holds arrays, which would be compared cell by cell. A dataclass says
    `eq=False` instead.
    """
    methods = {"__eq__": _is, "__ne__": _is_not, "__hash__": object.__hash__}
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls


def _is(self: Any, other: object) -> bool:
    return self is other


def _is_not(self: Any, other: object) -> bool:
    return self is not other
