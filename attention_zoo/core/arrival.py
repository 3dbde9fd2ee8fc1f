"""Import one module as soon as another has been imported, whichever comes first."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from types import ModuleType

from packaging.version import Version


class _Watch(importlib.abc.MetaPathFinder):
    def __init__(self, awaited: str, least: str, follower: str):
        self.awaited, self.least, self.follower = awaited, least, follower

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.awaited:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_then_follow(module: ModuleType) -> None:
                execute(module)
                _follow(module, self.least, self.follower)

            spec.loader.exec_module = execute_then_follow  # type: ignore[method-assign]
        return spec


def import_after(awaited: str, least: str, follower: str) -> None:
    """Import `follower` now if `awaited` is imported already, else right after it is.

    ImportError where `awaited` is older than `least`.
    """
    if awaited in sys.modules:
        _follow(sys.modules[awaited], least, follower)
    else:
        sys.meta_path.insert(0, _Watch(awaited, least, follower))


def _follow(module: ModuleType, least: str, follower: str) -> None:
    # What follows would fail over something that older ones lack, and not say so
    found = str(getattr(module, "__version__", least))
    if Version(found) < Version(least):
        raise ImportError(
            f"{follower.partition('.')[0]} needs {module.__name__} {least} or newer. {found} is "
            f"installed: pip install -U '{module.__name__}>={least}'"
        )
    importlib.import_module(follower)
