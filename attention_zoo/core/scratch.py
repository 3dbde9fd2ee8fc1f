"""Folders in which something is made before it takes its place."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock: there nothing is cleared
    fcntl = None  # type: ignore[assignment]

_MAKING = "making"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: Linux's renameat2: paths from the working directory, and both names exchanged in one step.
_AT_WORKING_DIRECTORY, _EXCHANGE = -100, 2


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yield a folder beside `path` that only this user may enter, and remove it at the end.

    It is locked as long as this process lives, and has the process's number in its name. What a
    killed process left for the same path is removed first, since nobody holds its lock.

    Raises:
        OSError: for a full disk; it names the path that was not replaced.
    """
    _clear(path)
    folder, lock = _locked(path)
    try:
        yield folder
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OSError(
            error.errno, f"{os.strerror(error.errno)}: what was there is kept", str(path)
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two paths in one step; return False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    here = ctypes.c_int(_AT_WORKING_DIRECTORY)
    names = (here, ctypes.c_char_p(os.fsencode(one)), here, ctypes.c_char_p(os.fsencode(other)))
    return rename(*names, ctypes.c_uint(_EXCHANGE)) == 0


def _prefix(path: Path) -> str:
    return f".{path.name[:100]}."


def _locked(path: Path) -> tuple[Path, int | None]:
    while True:
        name = tempfile.mkdtemp(f".{_MAKING}", f"{_prefix(path)}{os.getpid()}.", path.parent)
        try:
            lock = _lock(Path(name))
        except (BlockingIOError, FileNotFoundError):
            continue  # another process cleared it before it was locked
        if os.path.isdir(name):
            return Path(name), lock
        if lock is not None:
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return the open folder, locked; None where the disk has no such locks.

    Raises:
        BlockingIOError: if a process that lives has the lock.
        FileNotFoundError: if the folder is gone.
    """
    if fcntl is None:
        return None
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise
    except OSError:
        os.close(number)
        return None
    return number


def _clear(path: Path) -> None:
    """Remove what killed processes left of their work on this path."""
    left = re.compile(rf"{re.escape(_prefix(path))}\d+\.[^.]+\.{_MAKING}")
    try:
        folders = [each for each in path.parent.iterdir() if left.fullmatch(each.name)]
    except OSError:
        return  # a folder that may be written but not listed
    for folder in folders:
        try:
            lock = _lock(folder)
        except OSError:
            continue
        # Without a lock nobody knows whether its process lives
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
