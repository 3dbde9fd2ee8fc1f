"""What a parser raises of a broken file, as one error that names the file and the cure."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

#: What the parsers below us raise of a file that is broken: Python's own, NumPy's, HDF5's, Keras's.
BROKEN = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RecursionError,
    RuntimeError, SyntaxError, TypeError, UserWarning, ValueError, csv.Error, struct.error,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

#: Trouble of the machine, which no other file would cure.
_MACHINE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE,
    errno.EIO,
}  # fmt: skip


class Refused(ValueError):
    """A file that is not read: of the wrong kind, too large, or not what it claims to be."""


@contextlib.contextmanager
def parsing(
    said: str | os.PathLike, *, what: str, error: type[Exception] = Refused, cure: str = ""
) -> Iterator[None]:
    """Turn what a parser raises in the block into `error`, which names the file and the cure.

    What is an `error` or a trouble of the machine already, such as a full disk, passes; a
    `Refused` keeps its words.
    """
    try:
        yield
    except (error, FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Refused as refused:
        raise error(str(refused)) from refused
    except BROKEN as broken:
        if isinstance(broken, OSError) and broken.errno in _MACHINE:
            raise
        raise error(ended(f"{shown(said, most=1000)} is no valid {what}: {reason(broken)}", cure)
                    ) from broken  # fmt: skip


def printable(text: str) -> str:
    """Return the text as a terminal may print it: line breaks stay, other marks are escaped.

    Such marks are ESC, which begins a terminal's commands, and those that turn the direction of
    what follows them.
    """
    return "".join(
        mark if mark.isprintable() or mark == "\n" else repr(mark)[1:-1] for mark in text
    )


def shown(value: Any, *, most: int = 200) -> str:
    """Return text from outside as one printable line of bounded length."""
    text = str(value)
    text = text if len(text) <= most else f"{text[:most]}..."
    return printable(text).replace("\n", "\\n")


def reason(error: BaseException) -> str:
    """Return what a parser says, as one printable line."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, KeyError):
        return f"it lacks {shown(error)}"
    if isinstance(error, tokenize.TokenError):
        return shown(f"its header is cut: {error.args[0]}")
    first = str(error).strip().partition("\n")[0]
    return shown(first.rstrip(".") or type(error).__name__)


def ended(sentence: str, cure: str) -> str:
    """Return a sentence and its cure, if there is one."""
    return f"{sentence}. {cure}".rstrip()
