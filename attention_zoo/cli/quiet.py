"""TensorFlow's chatter, which no setting of its own keeps from the terminal."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

#: What TensorFlow's C++ says of itself before its logging heeds TF_CPP_MIN_LOG_LEVEL.
_CHATTER = re.compile(
    rb"[IWE]\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\]|WARNING: All log messages before absl"
)


def hush(package: str = "tensorflow") -> None:
    """Let the package be imported without its chatter, whoever imports it."""
    if package not in sys.modules:
        sys.meta_path.insert(0, _Hushed(package))


class _Hushed(importlib.abc.MetaPathFinder):
    def __init__(self, package: str):
        self.package = package

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.package:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_hushed(module: ModuleType) -> None:
                with _without_chatter():
                    execute(module)

            spec.loader.exec_module = execute_hushed  # type: ignore[method-assign]
        return spec


@contextmanager
def _without_chatter() -> Iterator[None]:
    """What is written to the error stream meanwhile appears after it, but for the chatter."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            heard.seek(0)
            for line in heard:
                if not _CHATTER.match(line):
                    os.write(2, line)
