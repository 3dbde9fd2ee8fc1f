"""Reading a folder that another process may replace meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attention_zoo.presets.card import PresetError

Value = TypeVar("Value")

#: How often a folder is read that other processes replace meanwhile, before that is the error.
_READINGS = 20


def steady(where: Callable[[], Path], read: Callable[[Path], Value]) -> Value:
    """What `read` makes of a folder in one of its states.

    A folder that was replaced by another process during the reading is read again, whether that
    made an error or a mixture.

    Raises:
        PresetError: if it was replaced during each of many readings.
    """
    for _ in range(_READINGS):
        folder = where()
        before = _state(folder)
        try:
            found = read(folder)
        except (PresetError, OSError):
            if _state(folder) == before:
                raise
        else:
            if _state(folder) == before:
                return found
    raise PresetError(f"{folder} is replaced again and again while it is read. Try again later.")


def _state(folder: Path) -> tuple[int, ...] | None:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns
