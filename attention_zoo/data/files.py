"""The user's own files: .npz with x and y, or .csv with a target column."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import BinaryIO

import numpy as np

from attention_zoo.core import checks, files, foreign, memory, npz
from attention_zoo.data.csv_file import read_csv
from attention_zoo.data.dataset import Dataset, from_arrays

#: Arrays may take one of so many parts of the machine's memory: training holds copies of them.
_PARTS = 4


def read(
    path: str | Path,
    *,
    target: str | None = None,
    kind: str | None = None,
    ordered: bool = False,
    max_bytes: int | None = None,
) -> Dataset:
    """Read a file of samples.

    Args:
        path: a `.npz` with arrays `x`, `y` and optionally `mask`, which is never unpickled; or a
            `.csv` with a header and one sample a row.
        target: the column of the CSV to predict; all others must be numbers.
        kind: `"binary"`, `"multiclass"` or `"regression"`, to decide against what y looks like.
        ordered: whether the samples come one after the other in time, as in `from_arrays`.
        max_bytes: the most memory that the arrays may take, as the file says before it is
            unpacked; None for a quarter of what this machine has.

    Returns:
        A `Dataset`, checked as by `from_arrays`.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no file at the path.
        ValueError: for a file of another kind, or one whose content does not fit; it says where.
            For one that is larger than `max_bytes`.

    Example:

    >>> np.savez("samples.npz", x=np.zeros((7, 3)), y=np.arange(7) % 2)
    >>> az.training.read("samples.npz").kind
    'binary'
    """
    x, y, mask, names = read_arrays(path, target=target, max_bytes=max_bytes)
    if y is None and names is not None:
        raise ValueError(
            f"`target` is missing: which column of {path} to predict. "
            f"Its columns: {', '.join(names[:30])}"
        )
    if y is None:
        raise ValueError(f"{path} has no array 'y'.")
    return dataclasses.replace(from_arrays(x, y, mask, kind, ordered=ordered), names=names)


def read_arrays(
    path: str | Path, *, target: str | None = None, max_bytes: int | None = None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, list[str] | None]:
    """The arrays x, y and mask, and the columns' names; None for what the file lacks.

    Args:
        path: a `.npz` or `.csv` file, as in `read`.
        target: the column of a CSV that is y; None if the file has none.
        max_bytes: the most memory that the arrays may take; None for a share of the machine's.

    Returns:
        x, y, mask and the names of the columns.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no file at the path.
        ValueError: as `read`, but a file without y is allowed.

    Example:

    >>> np.savez("samples.npz", x=np.zeros((7, 3)))
    >>> x, y, mask, names = az.training.read_arrays("samples.npz")
    >>> x.shape, y
    ((7, 3), None)
    """
    checks.positive_int("max_bytes", max_bytes, none=True)
    path = files.local_path("path", path)
    limit = max_bytes or memory.share(_PARTS)
    suffix = path.suffix.lower()
    what = {".npz": ".npz file", ".csv": "CSV file in UTF-8"}.get(suffix, "data")
    # A user's own file may be a link, to a disk with more room for instance
    with foreign.opened(path, what=what, links=True) as file:
        if foreign.size_of(file) == 0:
            raise foreign.Refused(f"{path} is empty.")
        if suffix == ".npz":
            if target is not None:
                raise foreign.Refused(
                    "A target column is for .csv files; a .npz has its target in 'y'."
                )
            return _npz(file, path, limit)
        if suffix == ".csv":
            return read_csv(file, path, target, limit)
        raise foreign.Refused(
            f"{path} must end with .npz or .csv. Received: {path.suffix or 'no ending'}"
        )


def _npz(
    file: BinaryIO, path: Path, limit: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, None]:
    cure = ". Give fewer samples, or raise max_bytes"
    arrays = npz.read(file, limit=limit, names=("x", "y", "mask"), kinds="fiubUS", hint=cure)
    if "x" not in arrays:
        found = ", ".join(name.removesuffix(".npy") for name in npz.archive_of(file).namelist())
        raise foreign.Refused(
            f"{path} has no array 'x'. It holds: {foreign.shown(found) or 'nothing'}"
        )
    return arrays["x"], arrays.get("y"), arrays.get("mask"), None
