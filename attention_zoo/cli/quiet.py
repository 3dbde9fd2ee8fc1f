"""TensorFlow's log lines at its import, which none of its settings turns off."""

from __future__ import annotations

import importlib.abc
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: What TensorFlow's C++ logs before it reads TF_CPP_MIN_LOG_LEVEL.
_CHATTER = re.compile(
    rb"[IWE]\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\]|WARNING: All log messages before absl"
)


def hush(package: str = "tensorflow") -> None:
    """Hide the log lines that a package writes when it is imported, whoever imports it."""
    there = any(isinstance(one, _Hush) and one.package == package for one in sys.meta_path)
    if package not in sys.modules and not there:  # two would ask each other without end
        sys.meta_path.insert(0, _Hush(package))


class _Hush(importlib.abc.MetaPathFinder):
    """Finds one package as the other finders do, and hides its log lines while its code runs.

    wrapt's hooks run after the code of a module, not around it.
    """

    def __init__(self, package: str):
        self.package = package

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self.package:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def run(module: ModuleType) -> None:
                with _without_chatter():
                    execute(module)

            spec.loader.exec_module = run  # type: ignore[method-assign]
        return spec


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Write the error stream after the block, without the log lines."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            for line in captured:
                if not _CHATTER.match(line):
                    os.write(2, line)
