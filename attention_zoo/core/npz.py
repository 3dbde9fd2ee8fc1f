"""Arrays in NumPy's `.npz`: what the headers declare is checked before anything is unpacked."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection
from typing import BinaryIO

import numpy as np

from attention_zoo.core.foreign import shown, size_of

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
#: The most bytes of a zip's directory: some 10,000 entries.
_DIRECTORY = 1_000_000
#: How the end of a zip begins, its locator for long files, and the record that this points to;
#: all of them lie in the last bytes: 98, and a comment.
_END, _LOCATOR, _RECORD, _TAIL = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06", 98 + 65_535
#: The methods whose unpacking can be stopped at the declared size.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_SUFFIX = ".npy"


def read(
    file: BinaryIO,
    *,
    limit: int,
    names: Collection[str] | None = None,
    kinds: str = "fiub",
    packed: bool = True,
    hint: str = "",
) -> dict[str, np.ndarray]:
    """Return the arrays of an open `.npz`, never unpickled.

    Args:
        file: from `foreign.opened`, which translates what is raised here.
        limit: the most bytes that the arrays may take, which their headers declare.
        names: the arrays to read, of those in the file; None for all.
        kinds: the kinds of dtype that are allowed.
        packed: whether they may be compressed.
        hint: what to do about arrays above the limit.

    Raises:
        ValueError: for an array of another kind, or more bytes than allowed in all, before any of
            them is unpacked.
    """
    with archive_of(file) as archive:
        wanted = {}
        total = 0
        for entry in archive.infolist():
            name = entry.filename.removesuffix(_SUFFIX)
            if names is not None and name not in names:
                continue
            if name in wanted:
                raise ValueError(f"{shown(name)} is in it twice")
            if not packed and entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{shown(entry.filename)} is packed")
            dtype = _declared(archive, entry)
            if dtype is None or dtype.kind not in kinds:
                what = "no array" if dtype is None else shown(dtype)
                raise ValueError(f"{shown(entry.filename)} holds {what}, which is never read")
            total += entry.file_size
            wanted[name] = entry
        if total > limit:
            raise ValueError(
                f"its arrays take {total:,} bytes of memory, more than the {limit:,} allowed{hint}"
            )
        arrays = {}
        for name, entry in wanted.items():
            with archive.open(entry) as member:
                arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
        return arrays


def archive_of(file: BinaryIO) -> zipfile.ZipFile:
    """Return an open zip file whose directory is of a sensible length.

    Raises:
        ValueError: if it is longer.
        zipfile.BadZipFile: if it is no zip file.
    """
    file.seek(max(0, size_of(file) - _TAIL))
    tail = file.read(_TAIL)
    plain = tail[-22:].startswith(_END) and tail.endswith(b"\0\0")
    at = len(tail) - 22 if plain else tail.rfind(_END)
    length = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if at >= 76 and tail[at - 20 : at - 16] == _LOCATOR:
        if tail[at - 76 : at - 72] != _RECORD:
            raise zipfile.BadZipFile("its directory is not where it should be")
        length = int.from_bytes(tail[at - 36 : at - 28], "little")
    if length > _DIRECTORY:
        raise ValueError(f"its directory has {length:,} bytes, more than {_DIRECTORY:,}")
    return zipfile.ZipFile(file)


def _declared(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.dtype | None:
    """Return the dtype of an entry whose header agrees with its size; None for no array."""
    if entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED:
        raise ValueError(f"{shown(entry.filename)} is locked, or packed as NumPy does not")
    if not entry.filename.endswith(_SUFFIX):
        return None
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        if version not in _HEADERS:
            raise ValueError(f"{shown(entry.filename)} has the unknown version {version}")
        shape, _, dtype = _HEADERS[version](member)
        rest = entry.file_size - member.tell()
    if dtype.hasobject:
        return dtype
    whole = math.prod(shape) * dtype.itemsize == rest
    if not whole or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise ValueError(
            f"{shown(entry.filename)} declares shape {shape}, which is not what it holds"
        )
    return dtype
