"""Reading a folder that another process may replace meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attention_zoo.presets.card import PresetError

Value = TypeVar("Value")

#: How often a folder is copied that other processes replace meanwhile, before that is the error.
_COPIES = 20


def steady(where: Callable[[], Path], read: Callable[[Path], Value]) -> Value:
    """What `read` makes of a folder in one of its states.

    If another process replaced the folder during the reading, which makes an error or a mixture,
    a copy of the folder is read, which nobody replaces.

    Raises:
        PresetError: if it was replaced during each of many copies, too.
    """
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
    for _ in range(_COPIES):
        with tempfile.TemporaryDirectory() as room:
            copy = Path(room) / folder.name
            if not _copied(where(), copy):
                continue
            try:
                return read(copy)
            except PresetError as error:
                raise PresetError(str(error).replace(str(copy), str(folder))) from error
    raise PresetError(f"{folder} is replaced again and again while it is read. Try again later.")


def _copied(folder: Path, copy: Path) -> bool:
    """Copy the folder; False if it was replaced meanwhile."""
    before = _state(folder)
    try:
        shutil.copytree(folder, copy, symlinks=True)
    except OSError:
        if _state(folder) == before:
            raise
    return _state(folder) == before


def _state(folder: Path) -> tuple[int, ...] | None:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns
