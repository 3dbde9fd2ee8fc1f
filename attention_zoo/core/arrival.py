"""What is to happen when a module is imported, whoever imports it."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

from packaging.version import Version


class _Watch(importlib.abc.MetaPathFinder):
    def __init__(self, awaited: str, run: Callable[[Callable, ModuleType], None]):
        self.awaited, self.run = awaited, run

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.awaited:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: self.run(execute, module)  # type: ignore
        return spec


def at_import(awaited: str, run: Callable[[Callable, ModuleType], None]) -> None:
    """Once a module is imported, call `run` with what executes its code, and with it."""
    sys.meta_path.insert(0, _Watch(awaited, run))


def import_after(awaited: str, least: str, follower: str) -> None:
    """Import `follower` now if `awaited` is imported already, else right after it is.

    ImportError where `awaited` is older than `least`.
    """

    def run(execute: Callable, module: ModuleType) -> None:
        execute(module)
        _follow(module, least, follower)

    if awaited in sys.modules:
        _follow(sys.modules[awaited], least, follower)
    else:
        at_import(awaited, run)


def _follow(module: ModuleType, least: str, follower: str) -> None:
    # What follows would fail over something that older ones lack, and not say so
    found = str(getattr(module, "__version__", least))
    if Version(found) < Version(least):
        raise ImportError(
            f"{follower.partition('.')[0]} needs {module.__name__} {least} or newer. {found} is "
            f"installed: pip install -U '{module.__name__}>={least}'"
        )
    importlib.import_module(follower)
