"""What an HDF5 file from outside may hold: its numbers, all of them, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from attention_zoo.presets.card import PresetError

_OBJECTS = 20_000
_DEPTH = 40


def check_weights(path: Path, *, below: str | None = None, said: Path | None = None) -> int:
    """Return how many numbers an HDF5 file holds; refuse one with anything else in it.

    Args:
        path: the file.
        below: the one group that is checked, for a file whose other groups are not read.
        said: what the errors call the file, by default its path.

    Raises:
        PresetError: for a link that is not a plain one, a group reached twice, a dataset whose
            numbers lie elsewhere, are packed, are not all there or are no numbers.
    """
    walk = _Walk(path, said or path)
    try:
        with h5py.File(path, "r") as file:
            if below is None:
                walk.group(file, 0)
            elif below in file:
                walk.member(file, below, 0)
    except (OSError, RuntimeError, KeyError) as error:
        raise PresetError(f"{walk.said} is no valid HDF5 file: {error}") from error
    return walk.numbers


class _Walk:
    def __init__(self, path: Path, said: Path):
        self.said = said
        self.size = path.stat().st_size
        self.visited: set[Any] = set()
        self.bytes = 0
        self.numbers = 0

    def group(self, group: h5py.Group, depth: int) -> None:
        self._first_visit(group)
        if depth > _DEPTH:
            raise self._refuse(group.name, f"lies deeper than {_DEPTH} levels")
        for name in group:
            self.member(group, name, depth)

    def member(self, group: h5py.Group, name: str, depth: int) -> None:
        where = f"{group.name.rstrip('/')}/{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise self._refuse(where, "is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            self.group(item, depth + 1)
        elif isinstance(item, h5py.Dataset):
            self._first_visit(item)
            self._dataset(item)
        else:
            raise self._refuse(where, "is neither a group nor a dataset")

    def _first_visit(self, item: Any) -> None:
        address = h5py.h5o.get_info(item.id).addr
        if address in self.visited:
            raise self._refuse(item.name, "stands in the file twice")
        self.visited.add(address)
        if len(self.visited) > _OBJECTS:
            raise self._refuse(item.name, f"is one of more than {_OBJECTS} objects")

    def _dataset(self, item: h5py.Dataset) -> None:
        if item.is_virtual or item.external:
            raise self._refuse(item.name, "has its numbers in another file")
        if item.dtype.kind not in "fiub":
            raise self._refuse(item.name, f"holds {item.dtype}, no numbers")
        if item.id.get_create_plist().get_nfilters():
            raise self._refuse(item.name, "is packed")
        nbytes = item.size * item.dtype.itemsize
        self.bytes += nbytes
        self.numbers += item.size
        if item.id.get_storage_size() < nbytes or self.bytes > self.size:
            raise self._refuse(
                item.name, f"declares shape {item.shape}, more numbers than the file holds"
            )

    def _refuse(self, where: str, what: str) -> PresetError:
        return PresetError(f"{self.said}: {where} {what}. A preset's weights are refused for that.")
