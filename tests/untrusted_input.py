"""What comes from outside, and what each attack on it gets: a table, as data.

`tests/test_untrusted_input.py` runs every row; `python -m tests.untrusted_input` prints the table
with the memory and the time that each took. Rows stand in modules of their topic, which `_MODULES`
names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import os
import re
import signal
import socket
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

#: Where the rows are: each has a list `ROWS`.
_MODULES = ("tests.untrusted_input_core", "tests.untrusted_input_presets")

#: What the rows open things with.
_READERS = tuple(f"attention_zoo.{room}" for room in ("training", "tuning", "compat", "presets"))

#: No row may take more, in bytes and in seconds.
MOST_MEMORY, MOST_TIME = 500 * 2**20, 10


class Hung(BaseException):
    """A row that took more than `MOST_TIME`; no parser's error, so that nothing translates it."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One attack on one input.

    Attributes:
        source: what is opened, as a user would say it.
        attack: what is wrong with it.
        make: puts it into an empty folder, whose path it gets.
        open: opens it there.
        error: the name of the error's class, no other and no subclass: `Refused` is our ValueError.
        words: a regular expression that the message must match.
    """

    source: str
    attack: str
    make: Callable[[Path], Any]
    open: Callable[[Path], Any]
    error: str
    words: str

    def __str__(self) -> str:
        return f"{self.source}: {self.attack}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a row got: the error, the seconds, and the bytes of memory that it took at most."""

    error: BaseException | None
    seconds: float
    memory: int

    def fits(self, row: Row) -> bool:
        """Whether it is the row's error, with its words."""
        words = re.search(row.words, str(self.error), re.DOTALL)
        return type(self.error).__name__ == row.error and words is not None


def rows() -> list[Row]:
    """All rows."""
    return [row for name in _MODULES for row in importlib.import_module(name).ROWS]


def run(row: Row, folder: Path) -> Outcome:
    """Make the row's attack in an empty folder, and open it."""
    for name in _READERS:  # their import is no part of any row
        importlib.import_module(name)
    row.make(folder)
    with _bounded():
        before, begun = _memory("VmRSS"), time.monotonic()
        _forget_peak()
        error: BaseException | None = None
        try:
            row.open(folder)
        except Exception as raised:  # whatever it is, it is compared with the row's
            error = raised
        return Outcome(error, time.monotonic() - begun, _memory("VmHWM") - before)


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def hung(*args: Any) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, MOST_TIME)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _memory(name: str) -> int:
    """A line of Linux's account of this process, in bytes; 0 elsewhere."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return 1024 * int(line.split()[1])
    return 0


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


# What is no file, for every input


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # its path may have some hundred characters
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


def _link(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_text("{}")
    path.symlink_to(secret)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


def _itself(path: Path) -> None:
    path.symlink_to(path)


def _vast(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(2**40)


def content(data: bytes | str) -> Callable[[Path], Any]:
    """A file of these bytes."""
    whole = data.encode() if isinstance(data, str) else data
    return lambda path: path.write_bytes(whole)


#: On a file that the user names, which may be a link to a file.
NAMED = [
    ("a pipe", _pipe, None, "is a pipe; a regular file is needed"),
    ("a socket", _socket, None, "is a socket; a regular file is needed"),
    ("a folder", Path.mkdir, "IsADirectoryError", "is a folder"),
    ("a link to a device", _device, None, "is a device; a regular file is needed"),
    ("a link to nothing", _nowhere, "FileNotFoundError", "There is no file"),
    ("a link to itself", _itself, None, "is a link"),
    ("nothing", lambda path: None, "FileNotFoundError", "There is no file"),
]
#: On a file of somebody's folder, where no link is followed.
INSIDE = [
    ("a pipe", _pipe, None, "is a pipe; a regular file is needed"),
    ("a socket", _socket, None, "is a socket; a regular file is needed"),
    ("a folder", Path.mkdir, None, "is a folder; a regular file is needed"),
    ("a link to a file", _link, None, "is a link, which is not followed"),
    ("a link to a device", _device, None, "is a link, which is not followed"),
]
#: On a JSON file.
JSON = [
    ("empty", content(""), None, "no valid JSON: Expecting value: line 1"),
    ("cut", content('{"a": '), None, "no valid JSON: Expecting value: line 1 column 7"),
    ("two values", content("{} {}"), None, "no valid JSON: Extra data"),
    ("not UTF-8", content(b'{"a": "\xff"}'), None, "no valid JSON: 'utf-8' codec.*position 7"),
    ("a byte-order mark", content(b"\xef\xbb\xbf{}"), None, "byte-order mark"),
    ("1e999", content('{"a": 1e999}'), None, "1e999 is no number"),
    ("an integer of 5,000 digits", content('{"a": ' + "9" * 5000 + "}"), None, "is no number"),
    ("half a character", content('{"a": "\\ud800"}'), None, "surrogates not allowed"),
    ("a key twice", content('{"a": 1, "a": 2}'), None, "the key 'a' stands twice"),
    ("80,000 keys, the last twice", content(
        "{" + "".join(f'"k{i}": 1, ' for i in range(80_000)) + '"k79999": 2}'
    ), None, "80001 keys, more than the 10000 allowed"),
    ("100,000 levels", content("[" * 100_000), None, "100000 levels deep, more than the 60"),
    ("1 TB", _vast, None, "1,099,511,627,776 bytes, more than the"),
]  # fmt: skip


def npy(shape: tuple, dtype: str = "<f8", descr: str | None = None, version: int = 1) -> bytes:
    """The header of an array."""
    described = descr or f"'{dtype}'"
    header = f"{{'descr': {described}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2, "little") + header


def archive(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file of these entries."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as new:
        for name, data in entries.items():
            new.writestr(name, data)
    return memory.getvalue()


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """A zip file with other bytes in each entry of its directory."""
    changed = bytearray(data)
    begins = data.find(b"PK\x01\x02")
    while begins >= 0:
        changed[begins + at : begins + at + len(value)] = value
        begins = data.find(b"PK\x01\x02", begins + 1)
    return bytes(changed)


def arrays(**named: Any) -> bytes:
    """An `.npz` of these arrays."""
    memory = io.BytesIO()
    np.savez_compressed(memory, **named)
    return memory.getvalue()


#: An array of 4.2 GB in a file of less than 1 kB: what its header and its directory say.
BOMB = patched(
    archive({"x.npy": npy((525_000_000,))}, zipfile.ZIP_DEFLATED), 24,
    (525_000_000 * 8 + len(npy((525_000_000,)))).to_bytes(4, "little"),
)  # fmt: skip
#: Zeros that are packed a thousand times smaller.
ZEROS = arrays(x=np.zeros((4_000, 1_000)), y=np.zeros(4_000))
_TOKENS = b"\x93NUMPY\x01\x00\x10\x00{'descr': (((\n  "
#: What is no `.npz`, or one that is not what it says, by the error's words.
NPZ = [
    ("text", content("hello"), None, "File is not a zip file"),
    ("empty", content(""), None, "is empty|not a zip"),
    ("cut", content(arrays(x=np.zeros((3, 2)))[:-30]), None, "not a zip file"),
    ("a pickle", content(b"\x80\x04\x8c\x05posix\x8c\x06system\x93."), None, "not a zip file"),
    ("an array that unpacks to 4.2 GB", content(BOMB), None, "4,200,000,128 bytes of memory, more"),
    ("zeros packed 1:1000", content(ZEROS), None, "bytes of memory, more than the 1,000,000"),
    ("3 GiB of nothing", content(archive({"x.npy": npy((3 * 2**28,))})), None, "not what it holds"),
    ("no header", content(archive({"x.npy": b"hello, world"})), None, "magic string"),
    ("half a header", content(archive({"x.npy": _TOKENS})), None, "no valid"),
    ("a header of 1,000 brackets", content(archive({"x.npy": npy((1,), descr="(" * 1000)})), None,
     "no valid"),
    ("a header that is no header", content(archive({"x.npy": npy((1,), descr="{1: 2}")})), None,
     "no valid"),
    ("a version to come", content(archive({"x.npy": npy((1,), version=9)})), None, "version"),
    ("text of width 0", content(archive({"x.npy": npy((10**12,), "<U0")})), None,
     "not what it holds"),
    ("a negative shape", content(archive({"x.npy": npy((-1, -1)) + b"\0" * 8})), None,
     "not what it holds"),
    ("a flipped bit", content(archive({"x.npy": npy((3,)) + b"\0" * 24}).replace(
        b"\0" * 24, b"\1" + b"\0" * 23)), None, "Bad CRC-32"),
    ("a locked entry", content(patched(archive({"x.npy": npy((0,))}), 8, b"\x01\x00")), None,
     "locked"),
    ("packed by another method", content(patched(archive({"x.npy": npy((0,))}), 10, b"\x0e\x00")),
     None, "locked, or packed as NumPy does not"),
    ("a broken packing", content(patched(archive({"x.npy": npy((0,))}), 10, b"\x08\x00")), None,
     "no valid"),
    ("a directory of 1.6 MB", content(
        archive({f"{i}.npy": b"" for i in range(20_000)})), None, "its directory has"),
]  # fmt: skip


def main() -> None:
    """Print the table."""
    print("| input | attack | error | MB | s |\n|---|---|---|---:|---:|")
    for row in rows():
        with tempfile.TemporaryDirectory() as folder:
            got = run(row, Path(folder))
        wrong = "" if got.fits(row) else f" **{type(got.error).__name__}: {got.error}**"
        size = max(0, got.memory) / 1e6
        print(
            f"| {row.source} | {row.attack} | {row.error}{wrong} | {size:.1f} | {got.seconds:.2f} |"
        )


if __name__ == "__main__":
    main()
