"""Files and folders that are whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attention_zoo.core import foreign
from attention_zoo.core.scratch import exchange, scratch


def local_path(name: str, value: Any) -> Path:
    """Return a path of this machine, `~` being the user's home.

    Raises:
        TypeError: for what is no path, or an empty one.
        ValueError: for an address such as `s3://bucket/key`, of which `pathlib` would make folders.
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise TypeError(f"`{name}` must be a path. Received: {name}={value!r}")
    if "://" in os.fspath(value):
        raise ValueError(
            f"`{name}` must be a path of this machine; copy from there to elsewhere. "
            f"Received: {name}={os.fspath(value)!r}"
        )
    return Path(value).expanduser()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _previous(path: Path) -> Path:
    return path.with_name(f".{path.name}.previous")


def standing(path: Path) -> Path:
    """Return `path`, or where an interrupted replacement has left its folder."""
    return _previous(path) if not path.exists() and _previous(path).is_dir() else path


@contextlib.contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a folder to fill, which takes its place at `path` only when the block ends well.

    Whatever happens, `path` holds the old folder or the new one (where the system cannot replace
    a folder in one step, `standing` finds the old one between the two). What a killed process left
    is removed by the next call. The new folder has the permissions of the old one.

    Raises:
        FileExistsError: if something is there and `overwrite` is false.
        NotADirectoryError: if it is not a folder.
        OSError: if the disk is full; what was there is kept.
    """
    path = Path(os.path.abspath(path))
    if standing(path) != path:
        standing(path).rename(path)
    refuse_existing(path, overwrite=overwrite)
    if path.exists() and (path.is_symlink() or not path.is_dir()):
        raise NotADirectoryError(f"{path} is in the way: it is not a folder.")
    _make_folder(path.parent)
    with scratch(path) as folder:
        made = folder / "new"
        made.mkdir()
        yield made
        if not path.exists():
            made.rename(path)
            return
        made.chmod(stat.S_IMODE(path.stat().st_mode))
        if not exchange(made, path):
            shutil.rmtree(_previous(path), ignore_errors=True)
            path.rename(_previous(path))
            made.rename(path)
            shutil.rmtree(_previous(path), ignore_errors=True)


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool = False, secret: bool = False) -> Iterator[Path]:
    """Yield a file to write, which takes its place at `path` only when the block ends well.

    A file that replaces another has its permissions; one with a `secret` may be read by this user
    alone.

    Raises:
        FileExistsError: if something is there and `overwrite` is false; for a link, a pipe or a
            device in any case, since nothing is written by way of them.
        IsADirectoryError: for a folder.
    """
    path = Path(os.path.abspath(path))
    refuse_existing(path, overwrite=overwrite)
    kind = foreign.kind_of(path.lstat().st_mode) if os.path.lexists(path) else None
    if kind == "a folder":
        raise IsADirectoryError(f"{path} is in the way: it is a folder.")
    if kind is not None:
        raise FileExistsError(f"{path} is {kind}, and is kept. Choose another path.")
    _make_folder(path.parent)
    with scratch(path) as folder:
        made = folder / path.name
        made.touch(0o600 if secret else 0o666)
        yield made
        if secret:
            made.chmod(0o600)
        elif path.is_file():
            made.chmod(stat.S_IMODE(path.stat().st_mode))
        made.replace(path)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise FileExistsError if something is at `path` and may not be replaced."""
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(
            f"{path} exists and is kept. Choose another path, or replace it (--overwrite, "
            "overwrite=True)."
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(f"{folder} cannot be made: a file is in the way.") from None
