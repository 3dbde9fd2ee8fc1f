"""Files and folders that are whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attention_zoo.core import foreign


def local_path(name: str, value: Any) -> Path:
    """A path of this machine, `~` being the user's home.

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
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _previous(path: Path) -> Path:
    return path.with_name(f".{path.name}.previous")


def recover_folder(path: Path) -> None:
    """Bring back the folder that a replacement killed between its two renames had set aside."""
    if not path.exists() and _previous(path).is_dir():
        _previous(path).rename(path)


@contextlib.contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A folder to fill, which takes its place at `path` only when the block ends well.

    Whatever happens, `path` holds the old folder or the new one (or, for the instant between two
    renames, `recover_folder` brings the old one back). Raises FileExistsError if something is
    there and `overwrite` is false, NotADirectoryError if it is not a folder.
    """
    path = Path(os.path.abspath(path))
    recover_folder(path)
    refuse_existing(path, overwrite=overwrite)
    if path.exists() and (path.is_symlink() or not path.is_dir()):
        raise NotADirectoryError(f"{path} is in the way: it is not a folder.")
    _make_room(path.parent)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name[:100]}.", dir=path.parent))
    try:
        yield scratch
        scratch.chmod(0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(_previous(path), ignore_errors=True)
            path.rename(_previous(path))
        scratch.rename(path)
        shutil.rmtree(_previous(path), ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool = False, private: bool = False) -> Iterator[Path]:
    """A file to write, of the same suffix, that takes its place at `path` if all goes well.

    What holds a secret is `private`: no other user may read it. Raises FileExistsError if
    something is there and `overwrite` is false, or for a link, a pipe or a device, which is never
    written to; IsADirectoryError for a folder.
    """
    path = Path(os.path.abspath(path))
    refuse_existing(path, overwrite=overwrite)
    kind = foreign.kind_of(path.lstat().st_mode) if os.path.lexists(path) else None
    if kind == "a folder":
        raise IsADirectoryError(f"{path} is in the way: it is a folder.")
    if kind is not None:
        raise FileExistsError(f"{path} is {kind}, and is kept. Choose another path.")
    _make_room(path.parent)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem[:100]}.", suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        if not private:  # as it is made
            scratch.chmod(0o666 & ~_umask())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise FileExistsError if something is at `path` and may not be replaced."""
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(
            f"{path} exists and is kept. Choose another path, or replace it (--overwrite, "
            "overwrite=True)."
        )


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(f"{folder} cannot be made: a file is in the way.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
