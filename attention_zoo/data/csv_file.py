"""A table in a `.csv`, read by NumPy's own reader; a second look finds what is wrong with it.

NumPy's is written in C, in the base install, and names no number what Python's `float` would
(`1_000`); pandas' reader would be a second behaviour for those who have it, and is slower on tables
of many columns.
"""

from __future__ import annotations

import csv
import io
import math
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np

from attention_zoo.core.foreign import Refused, shown
from attention_zoo.core.registry import nearest

#: How much is looked at at once when cells are counted.
_BLOCK = 2**20
#: The bytes of a number, and of a label of text.
_NUMBER, _LABEL = 8, 100
#: How many columns an error names, or looks at for one that is meant.
_NAMED, _LOOKED_AT = 30, 1000


def read_csv(
    file: BinaryIO, path: Path, target: str | None, limit: int
) -> tuple[np.ndarray, np.ndarray | None, None, list[str]]:
    """The inputs, the target column and the names of the inputs of an open table.

    Args:
        file: from `foreign.opened`, which translates what is raised here.
        path: what errors call the file.
        target: the column that is no input; None for none.
        limit: the most bytes that the table may take in memory.
    """
    cells, rows = counted(file)
    needed = _NUMBER * cells + (0 if target is None else _LABEL * rows)
    if needed > limit:
        raise Refused(
            f"{path} has up to {cells:,} cells, which take {needed:,} bytes of memory, more than "
            f"the {limit:,} allowed. Give fewer rows or columns, or raise max_bytes."
        )
    header, lines = begun(file, path)
    check_header(header, path, target)
    names = [name for name in header if name != target]
    if not names:
        raise Refused(f"{path} has no column but the target {target!r}.")
    labels: list[str] = []
    place = None if target is None else header.index(target)

    def label(cell: str) -> float:
        labels.append(cell.strip())
        return 0.0

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a table without rows
            values = np.loadtxt(
                lines,
                "float64",
                comments=None,
                delimiter=",",
                quotechar='"',
                ndmin=2,
                encoding="utf-8",
                converters=None if place is None else {place: label},
            )
    except (UnicodeError, MemoryError):
        raise
    except ValueError as error:
        _refuse_wrong(file, path, target, error)
    if not len(values):
        raise Refused(f"{path} must have a header and at least one row.")
    whole = values.shape[1] == len(header) and bool(np.isfinite(values).all())
    if not whole or not all(labels):
        _refuse_wrong(file, path, target)
    if place is None:
        return values, None, None, names
    return np.delete(values, place, axis=1), _labels(labels, path, str(target)), None, names


def counted(file: BinaryIO) -> tuple[int, int]:
    """At most how many cells and rows there are, without reading one."""
    commas = rows = 0
    while block := file.read(_BLOCK):
        commas += block.count(b",")
        rows += block.count(b"\n") + block.count(b"\r")
    return commas + rows + 1, rows + 1


def _rows(file: BinaryIO) -> Iterator[list[str]]:
    """The rows from the first, but for empty lines."""
    return (row for row in csv.reader(_text(file)) if row)


class _Text(io.TextIOWrapper):
    """The text of a file that stays open when this is gone."""

    def close(self) -> None:
        """Nothing: whoever opened the file closes it."""


def _text(file: BinaryIO) -> Iterator[str]:
    file.seek(0)
    return _Text(file, encoding="utf-8-sig", newline="")


def begun(file: BinaryIO, path: Path) -> tuple[list[str], Iterable[str]]:
    """The header, and the lines after it."""
    lines = _text(file)
    header = next((row for row in csv.reader(lines) if row), None)
    if header is None:
        raise Refused(f"{path} must have a header and at least one row.")
    return [name.strip() for name in header], lines


def check_header(header: list[str], path: Path, target: str | None) -> None:
    if len(set(header)) < len(header):
        twice = Counter(header).most_common(1)[0][0]
        raise Refused(f"{path} has the column {shown(twice)!r} more than once.")
    for separator in ";\t|":
        if len(header) == 1 and separator in header[0]:
            raise Refused(
                f"{path} must be separated by commas. Received: {separator!r} in its header, "
                f"{header[0][:50]!r}"
            )
    if target is not None and target not in header:
        columns = ", ".join(shown(name, most=50) for name in header[:_NAMED])
        raise Refused(
            f"{path} has no column {target!r}.{nearest(target, header[:_LOOKED_AT])} "
            f"Its columns: {columns}"
        )


def _refuse_wrong(
    file: BinaryIO, path: Path, target: str | None, error: ValueError | None = None
) -> NoReturn:
    """Refused, for the first cell or row that is wrong."""
    rows = _rows(file)
    header = [name.strip() for name in next(rows)]
    cure = "" if target else " If it is what is predicted, name it as the target."
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise Refused(
                f"{path}, row {line}: {len(row)} cells where the header has {len(header)}"
            )
        for name, cell in zip(header, row, strict=True):
            wrong = _wrong(cell, name == target)
            if wrong:
                end = cure if "text" in wrong or "empty" in wrong else ""
                raise Refused(f"{path}, row {line}, column {shown(name)!r}: {wrong}{end}")
    raise Refused(f"{path} is no table of numbers: {error}") from error


def _wrong(cell: str, is_target: bool) -> str | None:
    """What is wrong with a cell, if anything."""
    if not cell.strip():
        return "the target is empty." if is_target else "an empty cell where a number is needed."
    if is_target:
        return None
    value = number(cell)
    if value is None:
        return f"the text {cell[:50]!r} where a number is needed."
    if not math.isfinite(value):
        return (
            f"{cell[:50]!r} where a finite number is needed. Fill such cells, or leave their rows "
            "out."
        )
    return None


def number(cell: str) -> float | None:
    """What NumPy's reader takes for a number: in ASCII, without the underscores of Python."""
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _labels(cells: list[str], path: Path, target: str) -> np.ndarray:
    """Whole numbers as integers, other numbers as floats, anything else as text."""
    for dtype, kind in (("int64", int), ("float64", float)):
        try:
            numbers = list(map(kind, cells))
        except ValueError:
            continue
        for row, cell in enumerate(cells, start=2):
            if number(cell) is None:
                raise Refused(
                    f"{path}, row {row}, column {shown(target)!r}: {cell[:50]!r} is written as no "
                    "number is. Write digits and a point alone; begin labels with a letter."
                )
        try:
            return np.array(numbers, dtype=dtype)
        except OverflowError:
            _refuse_large(numbers, cells, path, target)
    return np.array(cells)


def _refuse_large(numbers: list, cells: list[str], path: Path, target: str) -> NoReturn:
    """Refused, for the first integer beyond 64 bits."""
    limits = np.iinfo("int64")
    row = next(i for i, n in enumerate(numbers) if not limits.min <= n <= limits.max)
    raise Refused(
        f"{path}, row {row + 2}, column {shown(target)!r}: the integer {cells[row][:50]} is "
        "beyond 64 bits. Write quantities as decimals, such as 1e20; begin labels with a letter."
    )
