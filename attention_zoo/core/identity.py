"""Equality of objects that hold arrays, which have no truth value to compare by."""

from __future__ import annotations

from typing import TypeVar

_Class = TypeVar("_Class", bound=type)


def by_identity(cls: _Class) -> _Class:
    """Let objects of a NamedTuple that holds arrays equal themselves alone, and have a hash.

    A dataclass says `eq=False` instead.
    """
    methods = {
        "__eq__": lambda self, other: self is other,
        "__ne__": lambda self, other: self is not other,
        "__hash__": object.__hash__,
    }
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls
