"""Files from outside: the one place where they are opened, checked and read under limits."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from attention_zoo.core import strict_json
from attention_zoo.core.parsing import Refused as Refused
from attention_zoo.core.parsing import ended
from attention_zoo.core.parsing import parsing as parsing
from attention_zoo.core.parsing import reason as reason
from attention_zoo.core.parsing import shown as shown

#: The most bytes of a JSON file that describes something: a card, a config, a recipe.
JSON_LIMIT = 1_000_000
#: The most bytes, and values, of a JSON file of records: the epochs of a training, for instance.
RECORDS_LIMIT, RECORDS_VALUES = 50_000_000, 2_000_000

_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# Windows lacks some of the flags; there the check before the opening has to do
_FLAGS = ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
_SAFE = sum(getattr(os, name, 0) for name in _FLAGS)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@contextlib.contextmanager
def opened(
    path: str | os.PathLike,
    *,
    what: str,
    limit: int | None = None,
    links: bool = False,
    error: type[Exception] = Refused,
    hint: str = "",
    said: str | os.PathLike | None = None,
) -> Iterator[BinaryIO]:
    """Open a regular file for reading, check its size, and translate what a parser raises.

    Args:
        path: the file.
        what: what it should be, as in "no valid {what}": `"JSON"`, `".npz file"`.
        limit: the most bytes that it may have; None for any number.
        links: whether it may be a symbolic link: one that the user named may, one in a folder
            of somebody else may not.
        error: what is raised for a file that is refused, by the opening or in the block.
        hint: a sentence that the errors end with.
        said: what the errors call the file, by default its path.

    Raises:
        FileNotFoundError: if there is nothing.
        IsADirectoryError: for a folder, where `error` is no other than the default.
        PermissionError: if this user may not read it.
        error: for a link, a pipe, a socket or a device, for a file larger than `limit`, and for
            what a parser raises in the block.
    """
    name = shown(path if said is None else said, most=1000)
    with _regular(path, name, os.O_RDONLY, links=links, error=error) as file:
        size = size_of(file)
        if limit is not None and size > limit:
            raise error(_too_large(name, size, limit, hint))
        with parsing(name, what=what, error=error, hint=hint):
            yield file


def read(path: str | os.PathLike, *, limit: int, **terms: Any) -> bytes:
    """Return a file's bytes, at most `limit` of them; `terms` are those of `opened`."""
    with opened(path, limit=limit, **terms) as file:
        data = file.read(limit + 1)
        if len(data) > limit:  # it has grown since it was opened
            name = shown(terms.get("said") or path, most=1000)
            raise Refused(_too_large(name, len(data), limit, terms.get("hint", "")))
        return data


def read_json(
    path: str | os.PathLike,
    *,
    limit: int = JSON_LIMIT,
    values: int = strict_json.VALUES,
    nan: bool = False,
    kind: type | None = None,
    **terms: Any,
) -> Any:
    """Return the value in a JSON file, read under limits.

    Args:
        path: the file.
        limit, values: the most bytes, and the most values.
        nan: whether NaN and Infinity are read, as Python writes them.
        kind: `dict` or `list`, if it must be an object or an array.
        terms: those of `opened`.
    """
    data = read(path, limit=limit, what="JSON", **terms)
    said = terms.pop("said", None) or path
    terms.pop("links", None)
    with parsing(said, what="JSON", **terms):
        value = strict_json.parse(data, values=values, nan=nan)
        if kind is not None and not isinstance(value, kind):
            raise ValueError(f"it must be {'an object' if kind is dict else 'an array'}")
        return value


def records(path: str | os.PathLike, **terms: Any) -> Any:
    """Return the records of a training or search, JSON that may be long and hold NaN."""
    return read_json(path, limit=RECORDS_LIMIT, values=RECORDS_VALUES, nan=True, **terms)


@contextlib.contextmanager
def open_for_writing(
    path: str | os.PathLike, *, error: type[Exception] = Refused
) -> Iterator[BinaryIO]:
    """Open a file to lock it or to write in it; make it if there is none.

    A file that must be whole or not there is written by `files.new_file` instead.

    Raises:
        error: for a link, a second name of another file, or anything but a regular file.
    """
    name = shown(path, most=1000)
    with _regular(path, name, os.O_RDWR | os.O_CREAT, links=False, error=error) as file:
        if os.fstat(file.fileno()).st_nlink > 1:
            raise error(f"{name} is a second name of another file, which is kept. Remove the name.")
        yield file


def plain_folder(folder: Path, *, error: type[Exception] = Refused) -> None:
    """Refuse a folder of state that holds anything but regular files and folders."""
    folders = [folder] if os.path.lexists(folder) else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    folders.append(Path(entry.path))
                else:
                    _refuse_kind(mode, shown(entry.path, most=1000), error)


def size_of(file: BinaryIO) -> int:
    """Return the bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def kind_of(mode: int) -> str | None:
    """Return what kind of thing is no regular file, or None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")


@contextlib.contextmanager
def _regular(
    path: str | os.PathLike, name: str, flags: int, *, links: bool, error: type[Exception]
) -> Iterator[BinaryIO]:
    making = bool(flags & os.O_CREAT)
    try:
        # Checked first, since the mere opening of a device may do something
        if not making or os.path.lexists(path):
            _refuse_kind(os.stat(path, follow_symlinks=links).st_mode, name, error)
        number = os.open(path, flags | _SAFE | (0 if links else _NO_LINK), 0o666)
    except PermissionError:
        raise PermissionError(f"{name} may not be {'written' if making else 'read'}.") from None
    except (FileNotFoundError, NotADirectoryError):
        what = f"folder {shown(Path(path).parent, most=1000)}" if making else f"file {name}"
        raise FileNotFoundError(f"There is no {what}.") from None
    except OSError as failed:
        if failed.errno == errno.ELOOP:
            raise error(f"{name} is a link, which is not followed.") from None
        if failed.errno in (errno.ENXIO, errno.ENODEV):
            raise error(f"{name} must be a regular file.") from None
        if failed.errno == errno.ENAMETOOLONG:
            raise FileNotFoundError(f"There is no file {name}.") from None
        raise
    except ValueError as failed:
        if isinstance(failed, Refused):
            raise
        raise error(f"{name} is no path: {reason(failed)}.") from None
    with open(number, "r+b" if making else "rb") as file:
        _refuse_kind(os.fstat(file.fileno()).st_mode, name, error)
        yield file


def _refuse_kind(mode: int, name: str, error: type[Exception]) -> None:
    kind = kind_of(mode)
    if kind is None:
        return
    if kind == "a folder" and error is Refused:
        raise IsADirectoryError(f"{name} is a folder; a file is needed.")
    tail = ", which is not followed." if kind == "a link" else "; a regular file is needed."
    raise error(f"{name} is {kind}{tail}")


def _too_large(name: str, size: int, limit: int, hint: str) -> str:
    return ended(f"{name} has {size:,} bytes, more than the {limit:,} allowed", hint)
