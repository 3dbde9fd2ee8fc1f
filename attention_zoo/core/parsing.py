"""What a parser raises for a broken file, as one error that names the file and what to do."""

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

_VALUES = (ArithmeticError, AttributeError, LookupError, SyntaxError, TypeError, ValueError)
_STATES = (EOFError, MemoryError, OSError, RuntimeError, UserWarning)
_PARSERS = (csv.Error, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error)
#: What the parsers of Python, NumPy, HDF5 and Keras raise for a file that is broken.
BROKEN = (*_VALUES, *_STATES, *_PARSERS)

#: Errors of the machine, which another file would meet too: no permission, or no room.
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_MACHINE = _DENIED | {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}


class Refused(ValueError):
    """A file that is not read: of the wrong kind, too large, or not what it claims to be."""


@contextlib.contextmanager
def parsing(
    said: str | os.PathLike, *, what: str, error: type[Exception] = Refused, hint: str = ""
) -> Iterator[None]:
    """Turn what a parser raises in the block into `error`, which names the file and what to do.

    An `error`, or an error of the machine such as a full disk, passes; a `Refused` keeps its words.
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
        message = f"{shown(said, most=1000)} is no valid {what}: {reason(broken)}"
        raise error(ended(message, hint)) from broken


def printable(text: str) -> str:
    """Return the text as a terminal may print it, with control characters escaped.

    Line breaks stay. ESC, which begins a terminal's commands, and the characters that turn the
    direction of text are escaped.
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


def ended(sentence: str, hint: str) -> str:
    """Return a sentence, and what to do about it if that is known."""
    return f"{sentence}. {hint}".rstrip()
