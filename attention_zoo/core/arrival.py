"""Import one module as soon as another has been imported, whichever comes first."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from types import ModuleType


class _Watch(importlib.abc.MetaPathFinder):
    def __init__(self, awaited: str, follower: str):
        self.awaited, self.follower = awaited, follower

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.awaited:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_then_follow(module: ModuleType) -> None:
                execute(module)
                importlib.import_module(self.follower)

            spec.loader.exec_module = execute_then_follow  # type: ignore[method-assign]
        return spec


def import_after(awaited: str, follower: str) -> None:
    """Import `follower` now if `awaited` is imported already, else right after it is."""
    if awaited in sys.modules:
        importlib.import_module(follower)
    else:
        sys.meta_path.insert(0, _Watch(awaited, follower))
