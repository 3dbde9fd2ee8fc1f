"""TensorFlow's chatter, which no setting of its own keeps from the terminal."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from attention_zoo.core.arrival import at_import

#: What TensorFlow's C++ says of itself before its logging heeds TF_CPP_MIN_LOG_LEVEL.
_CHATTER = re.compile(
    rb"[IWE]\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\]|WARNING: All log messages before absl"
)


def hush(package: str = "tensorflow") -> None:
    """Let the package be imported without its chatter, whoever imports it."""

    def run(execute: Callable, module: ModuleType) -> None:
        with _without_chatter():
            execute(module)

    if package not in sys.modules:
        at_import(package, run)


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
