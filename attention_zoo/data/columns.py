"""Columns by name, of a frame, an array or a CSV: as they lie there, not copied where they need not
be."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from attention_zoo.core import arrays, files, foreign, memory
from attention_zoo.core.registry import one_of
from attention_zoo.data.csv_file import begun, check_header, counted, number
from attention_zoo.data.times import blocks

#: A CSV may take one of so many parts of the machine's memory, at so many bytes a cell.
_PARTS, _CELL = 4, 50
#: What an empty cell may look like.
_EMPTY = {"", "na", "nan", "null", "none", "nat"}
_LARGEST = float(np.finfo("float32").max)


class Columns:
    """The columns of a table.

    Args:
        data: a pandas or polars frame, a dictionary of arrays, an array `(rows, columns)` or
            `(rows,)`, whose columns are called by their number, or the path of a `.csv`.
        text: the columns that may be text, of a CSV.
        wanted: the columns that are needed; None for all.
    """

    def __init__(self, data: Any, text: Sequence[Any], wanted: Sequence[Any]):
        if isinstance(data, (str, os.PathLike)):
            data = _read(data, text, wanted)
        self._data = data
        self._framed = hasattr(data, "columns") or isinstance(data, Mapping)
        if not self._framed:
            array = arrays.numeric("data", data) if not hasattr(data, "dtype") else np.asarray(data)
            if array.ndim not in (1, 2):
                raise ValueError(
                    "`data` must be a frame, an array (rows, columns), or the path of a .csv. "
                    f"Received: shape {array.shape}"
                )
            self._data = array[:, None] if array.ndim == 1 else array
        names = list(getattr(data, "columns", data)) if self._framed else None
        self.names = list(range(self._data.shape[1])) if names is None else names
        for name in wanted:
            if name not in self.names:
                raise one_of("column", str(name), [str(one) for one in self.names])
        first = self.raw(self.names[0]) if self.names else ()
        self.rows = len(first)
        if not self.rows:
            raise ValueError("`data` has no rows.")

    def raw(self, name: Any) -> Any:
        """A column as it lies in the data."""
        return self._data[name] if self._framed else self._data[:, name]

    def numbers(self, name: Any) -> np.ndarray:
        """A column of numbers, NaN where one is missing.

        Raises:
            ValueError: for text, and for a number that is infinite.
        """
        column = self.raw(name)
        if hasattr(column, "to_numpy"):
            kind = str(column.dtype)
            nullable = kind[:1].isupper() and hasattr(column, "isna")  # pandas' own Int64, Float32
            column = column.to_numpy("float64", na_value=np.nan) if nullable else column.to_numpy()
        column = np.asarray(column)
        if column.dtype.kind == "O":
            column = _of_objects(name, column)
        if column.dtype.kind not in "fiub":
            hint = (
                "name it as `time`"
                if column.dtype.kind in "mM"
                else (
                    "give its categories as numbers or as columns of 0 and 1, or name it as `group`"
                )
            )
            raise ValueError(
                f"The column {name!r} is {_kind(column)}, where numbers are needed: {hint}."
            )
        for block in blocks(len(column)) if column.dtype.kind == "f" else ():
            large = np.flatnonzero(np.abs(column[block]) > _LARGEST)
            if len(large):
                at = block.start + int(large[0])
                raise ValueError(
                    f"The column {name!r} must be finite numbers, as float32 has them; NaN is a "
                    f"missing one. Received: {column[at]} in row {at}"
                )
        return column


def has_missing(column: np.ndarray) -> bool:
    """Whether a cell of a column is NaN."""
    if column.dtype.kind != "f":
        return False
    return any(bool(np.isnan(column[block]).any()) for block in blocks(len(column)))


def cells(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The values of a column in some rows, NaN in those that are not there, which are -1."""
    values = column[rows].astype("float32")
    return np.where(rows < 0, np.float32(np.nan), values)


def _kind(column: np.ndarray) -> str:
    return "text" if column.dtype.kind in "US" else f"of dtype {column.dtype}"


def _of_objects(name: Any, column: np.ndarray) -> np.ndarray:
    """Objects as numbers, None as NaN."""
    try:
        return np.array([np.nan if cell is None else float(cell) for cell in _numbers_only(column)])
    except (TypeError, ValueError):
        row = next(i for i, cell in enumerate(column) if not _is_number(cell))
        raise ValueError(
            f"The column {name!r} is text, where numbers are needed: {str(column[row])[:50]!r} in "
            f"row {row}. Give its categories as numbers or as columns of 0 and 1, or name it as "
            "`group`."
        ) from None


def _numbers_only(column: np.ndarray) -> list[Any]:
    if not all(map(_is_number, column)):
        raise ValueError
    return column.tolist()


def _is_number(cell: Any) -> bool:
    if isinstance(cell, (str, bytes)):
        return False
    try:
        float(np.nan if cell is None else cell)
    except (TypeError, ValueError):
        return False
    return True


def _read(path: Any, text: Sequence[Any], wanted: Sequence[Any]) -> dict[Any, Any]:
    path = files.local_path("data", path)
    if path.suffix.lower() != ".csv":
        raise ValueError(f"`data` must be the path of a .csv. Received: {str(path)!r}")
    with foreign.opened(path, what="CSV file in UTF-8", links=True) as file:
        if foreign.size_of(file) == 0:
            raise foreign.Refused(f"{path} is empty.")
        return read_columns(file, path, text, wanted, memory.share(_PARTS))


def read_columns(
    file: BinaryIO, path: Path, text: Sequence[str], wanted: Sequence[str], limit: int
) -> dict[str, np.ndarray]:
    """Some columns of an open CSV: of text as it is, of numbers with NaN for empty cells.

    Args:
        file: from `foreign.opened`.
        path: what errors call the file.
        text: the columns that may be text.
        wanted: the columns to read, those among them.
        limit: the most bytes that the table may take in memory.
    """
    cells, _ = counted(file)
    if _CELL * cells > limit:
        raise foreign.Refused(
            f"{path} has up to {cells:,} cells, more than this machine has memory for: give fewer "
            "rows or columns."
        )
    header, _ = begun(file, path)
    check_header(header, path, None)
    for name in wanted:
        check_header(header, path, name)
    places = sorted(map(header.index, wanted))
    kept: dict[int, list[str]] = {header.index(name): [] for name in text}
    try:
        values = _loaded(file, path, places, kept, {})
    except ValueError as error:
        if isinstance(error, UnicodeError):
            raise
        for cells_of in kept.values():
            cells_of.clear()
        # With empty cells, or wrong ones: read once more, each by itself
        wrong: list[str] = []
        slow = {at: _cell_reader(header[at], wrong) for at in places if at not in kept}
        values = _loaded(file, path, places, kept, slow)
        if wrong:
            raise foreign.Refused(f"{path}, {wrong[0]}") from None
    return {
        header[at]: np.array(kept[at]) if at in kept else values[:, i]
        for i, at in enumerate(places)
    }


def _loaded(
    file: BinaryIO, path: Path, places: list[int], kept: dict[int, list[str]], slow: dict[int, Any]
) -> np.ndarray:
    def keeper(cells: list[str]) -> Any:
        def keep(cell: str) -> float:
            cells.append(cell.strip())
            return 0.0

        return keep

    readers: Any = {**{at: keeper(cells) for at, cells in kept.items()}, **slow}
    _, lines = begun(file, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a table without rows
        return np.loadtxt(
            lines,
            "float64",
            comments=None,
            delimiter=",",
            quotechar='"',
            ndmin=2,
            encoding="utf-8",
            usecols=places,
            converters=readers,
        )


def _cell_reader(name: str, wrong: list[str]) -> Any:
    """A reader of the cells of a column, NaN for what is empty; it adds what is wrong, since NumPy
    has an error of its own for what a reader raises."""
    line = 1

    def read(cell: str) -> float:
        nonlocal line
        line += 1
        value = math.nan if cell.strip().lower() in _EMPTY else number(cell)
        if value is None:
            wrong.append(
                f"row {line}, column {foreign.shown(name)!r}: the text {foreign.shown(cell)!r} "
                "where a number is needed."
            )
        return math.nan if value is None else value

    return read
