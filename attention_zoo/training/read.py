"""The user's own files: .npz with x and y, or .csv with a target column."""

from __future__ import annotations

import csv
import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from attention_zoo.core import files
from attention_zoo.core.registry import nearest
from attention_zoo.training.data import Dataset, from_arrays


def read(
    path: str | Path, *, target: str | None = None, kind: str | None = None, ordered: bool = False
) -> Dataset:
    """Read a file of samples.

    Args:
        path: a `.npz` with arrays `x`, `y` and optionally `mask`, which is never unpickled; or a
            `.csv` with a header and one sample a row.
        target: the column of the CSV to predict; all others must be numbers.
        kind: `"binary"`, `"multiclass"` or `"regression"`, to decide against what y looks like.
        ordered: whether the samples come one after the other in time, as in `from_arrays`.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no file at the path.
        ValueError: for a file of another kind, or one whose content does not fit; it says where.
    """
    x, y, mask, names = read_arrays(path, target=target)
    if y is None and names is not None:
        raise ValueError(
            f"`target` is missing: which column of {path} to predict. "
            f"Its columns: {', '.join(names[:30])}"
        )
    if y is None:
        raise ValueError(f"{path} has no array 'y'.")
    return dataclasses.replace(from_arrays(x, y, mask, kind, ordered=ordered), names=names)


def read_arrays(
    path: str | Path, *, target: str | None = None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, list[str] | None]:
    """The arrays x, y and mask, and the columns' names; None for what the file lacks."""
    path = files.local_path("path", path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a .npz or .csv file is needed.")
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty.")
    if path.suffix.lower() == ".npz":
        if target is not None:
            raise ValueError("A target column is for .csv files; a .npz has its target in 'y'.")
        return _npz(path)
    if path.suffix.lower() == ".csv":
        return _csv(path, target)
    raise ValueError(f"{path} must end with .npz or .csv. Received: {path.suffix or 'no ending'}")


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, None]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if name in ("x", "y", "mask")}
            found = ", ".join(stored.files) or "nothing"
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as .npz: {error}") from None
    if "x" not in arrays:
        raise ValueError(f"{path} has no array 'x'. It holds: {found}")
    return arrays["x"], arrays.get("y"), arrays.get("mask"), None


def _csv(path: Path, target: str | None) -> tuple[np.ndarray, np.ndarray | None, None, list[str]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as CSV in UTF-8: {error}") from None
    if len(rows) < 2:
        raise ValueError(f"{path} must have a header and at least one row.")
    header = [name.strip() for name in rows[0]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"{path} has the column {twice[0]!r} more than once.")
    for separator in ";\t|":
        if len(header) == 1 and separator in header[0]:
            raise ValueError(
                f"{path} must be separated by commas. Received: {separator!r} in its header, "
                f"{header[0][:50]!r}"
            )
    if target is not None and target not in header:
        raise ValueError(
            f"{path} has no column {target!r}.{nearest(target, header)} "
            f"Its columns: {', '.join(header[:30])}"
        )
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ValueError(
                f"{path}, row {line}: {len(row)} cells where the header has {len(header)}"
            )
    names = [name for name in header if name != target]
    if not names:
        raise ValueError(f"{path} has no column but the target {target!r}.")
    columns = dict(zip(header, zip(*rows[1:], strict=True), strict=True))
    cure = "" if target else " If it is what is predicted, name it as the target."
    x = np.stack([_numbers(path, name, columns[name], cure) for name in names], axis=1)
    y = None if target is None else _labels(columns[target], path, target)
    return x, y, None, names


def _numbers(path: Path, name: str, cells: Any, cure: str) -> np.ndarray:
    try:
        values = np.array(cells, dtype="float64")
    except ValueError:
        for line, cell in enumerate(cells, start=2):
            try:
                float(cell)
            except ValueError:
                what = f"the text {cell[:50]!r}" if cell.strip() else "an empty cell"
                raise ValueError(
                    f"{path}, row {line}, column {name!r}: {what} where a number is needed.{cure}"
                ) from None
        raise
    bad = ~np.isfinite(values)
    if bad.any():
        first = int(np.argmax(bad))
        raise ValueError(
            f"{path}, row {first + 2}, column {name!r}: {cells[first]!r} where a finite number is "
            "needed. Fill such cells, or leave their rows out."
        )
    return values


def _labels(cells: Any, path: Path, target: str) -> np.ndarray:
    """Whole numbers as integers, other numbers as floats, anything else as text."""
    for line, cell in enumerate(cells, start=2):
        if not cell.strip():
            raise ValueError(f"{path}, row {line}, column {target!r}: the target is empty.")
    for dtype in ("int64", "float64"):
        try:
            return np.array(cells, dtype=dtype)
        except ValueError:
            continue
        except OverflowError:
            _refuse_large(cells, path, target)
    return np.array([cell.strip() for cell in cells])


def _refuse_large(cells: Any, path: Path, target: str) -> None:
    """ValueError for the first integer beyond 64 bits, unless other cells make them decimals."""
    try:
        numbers = [int(cell) for cell in cells]
    except ValueError:
        return
    limits = np.iinfo("int64")
    row = next(i for i, n in enumerate(numbers) if not limits.min <= n <= limits.max)
    raise ValueError(
        f"{path}, row {row + 2}, column {target!r}: the integer {cells[row].strip()[:50]} is "
        "beyond 64 bits. Write quantities as decimals, such as 1e20; begin labels with a letter."
    )
