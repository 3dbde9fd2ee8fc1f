"""A package whose public names are imported when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def door(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package.

    Args:
        package: the package's `__name__`.
        homes: for each public name the submodule that holds it; a name that is its own home is
            the submodule itself.
    """

    def find(name: str) -> Any:
        if name not in homes:
            # With both, Python suggests the nearest name
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}",
                name=name, obj=sys.modules[package],
            )  # fmt: skip
        home = importlib.import_module(f"{package}.{homes[name]}")
        value = home if homes[name] == name else getattr(home, name)
        setattr(sys.modules[package], name, value)
        return value

    return find
