"""From a frame, an array or a CSV to windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.data.columns import Columns
from attention_zoo.data.grid import make_grid
from attention_zoo.data.times import CALENDAR, blocks, read_times
from attention_zoo.data.windows import Windows


def windows(
    data: Any,
    target: Any = None,
    *,
    past: Any = (),
    known: Any = (),
    static: Any = (),
    time: Any = None,
    group: Any = None,
    length: int,
    horizon: int,
    stride: int = 1,
    calendar: Any = (),
    gaps: str = "error",
    batch_size: int = 32,
) -> Windows:
    """Windows of a frame: `length` steps that are known, and the `horizon` steps after them.

    Nothing is copied for a window: its numbers are taken from the columns when its batch is made,
    so that memory is the frame's own, whatever the number of windows. What `az.train` makes of
    them is scaled by the rows that train alone.

    Args:
        data: a pandas or polars frame, a dictionary of arrays, an array `(rows, columns)` or
            `(rows,)` whose columns are called by their number, or the path of a `.csv`.
        target: the column to predict, or a list of columns. Its past is an input.
        past: further columns that are known up to the present.
        known: columns that are known ahead too, such as a holiday or the price that is asked.
        static: columns that stay the same in a series.
        time: the column of time stamps, without a time zone, or of whole numbers; rows are at equal
            steps, or a month, quarter or year apart. None: each row is a step.
        group: the column that says which series a row is of; None for one series.
        length: how many steps of the past a window has.
        horizon: how many steps are predicted.
        stride: how many steps after one window the next begins.
        calendar: what to read from the time column, as sine and cosine: of `"minute"`, `"hour"`,
            `"weekday"`, `"day"`, `"month"`, `"yearday"`. Leap days have their own place in it.
        gaps: missing rows: `"error"` names the first; `"mask"` has them as missing cells;
            `"cut"` makes no window across them.
        batch_size: how many windows a batch has.

    Returns:
        A `Windows`, a `keras.utils.PyDataset` that `fit` takes, with `.split` in time.

    Raises:
        ValueError: for times that are unordered, doubled, missing or irregular, with their place;
            for a column that is unknown, text, infinite or named twice; a target that is constant
            or known ahead; series that are all shorter than a window.

    Example:

    >>> frame = {"day": np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]"),
    ...          "y": np.sin(np.arange(60.0)), "open": np.arange(60) % 7 < 5}
    >>> data = az.windows(frame, target="y", known="open", time="day", length=14, horizon=7,
    ...                   calendar="weekday")
    >>> data.names, data.count, data[0][0].shape
    (['y', 'open', 'weekday_sin', 'weekday_cos'], 40, (32, 21, 4))
    """
    for name, value in {
        "length": length,
        "horizon": horizon,
        "stride": stride,
        "batch_size": batch_size,
    }.items():
        checks.positive_int(name, value)
    given = {"target": target, "past": past, "known": known, "static": static}
    roles = {role: _listed(names) for role, names in given.items()}
    if target is None and getattr(data, "ndim", 0) == 1:
        roles["target"] = [0]
    beside = [name for name in (time, group) if name is not None]
    _check_roles(roles, beside)
    circles = _listed(calendar)
    for name in circles:
        if name not in CALENDAR:
            raise one_of("calendar", name, CALENDAR)
    wanted = [name for names in roles.values() for name in names]
    table = Columns(data, beside, [*wanted, *(one for one in beside if one not in wanted)])
    series, order = _series(group, table)
    times = None if time is None else read_times(str(time), table.raw(time))
    if circles and (times is None or times.dtype.kind != "M"):
        raise ValueError("`calendar` needs `time`, a column of time stamps.")
    grid = make_grid(time, times, series, order, gaps)
    columns = {name: table.numbers(name) for name in wanted}
    _check_values(roles, columns, series, order)
    found = Windows(
        columns,
        grid,
        targets=len(roles["target"]),
        ahead={*roles["known"], *roles["static"]},
        calendar=circles,
        length=length,
        horizon=horizon,
        stride=stride,
        batch_size=batch_size,
    )
    if not found.count:
        longest = max(one.end - one.begin for one in grid.sections)
        raise ValueError(
            f"`length` and `horizon` need series of at least {length + horizon} steps. "
            f"Received: {longest} steps in the longest"
        )
    return found


def _listed(names: Any) -> list[Any]:
    if names is None:
        return []
    return list(names) if isinstance(names, (list, tuple)) else [names]


def _check_roles(roles: dict[str, list[Any]], beside: list[Any]) -> None:
    if not roles["target"]:
        raise ValueError("`target` is missing: the column to predict, or a list of columns.")
    seen: dict[Any, str] = dict.fromkeys(beside, "time or group")
    for role, names in roles.items():
        for name in names:
            if name in seen:
                hint = ""
                if role in ("known", "static") and seen[name] == "target":
                    hint = " What is to be predicted is not known ahead; its past is an input."
                raise ValueError(
                    f"`{role}`: the column {name!r} is named as {seen[name]} already.{hint}"
                )
            seen[name] = role


def _series(group: Any, table: Columns) -> tuple[list[tuple[int, int]], np.ndarray | None]:
    """The first row of each series and the one after its last, and the rows in their order."""
    if group is None:
        return [(0, table.rows)], None
    labels = np.asarray(table.raw(group))
    if labels.dtype == object:
        labels = labels.astype(str)
    _, codes = np.unique(labels, return_inverse=True)
    order = None
    starts = np.flatnonzero(np.diff(codes)) + 1
    if len(starts) + 1 > codes.max() + 1:  # rows of several series take turns
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order])) + 1
    edges = [0, *starts.tolist(), table.rows]
    return list(zip(edges[:-1], edges[1:], strict=True)), order


def _check_values(
    roles: dict[str, list[Any]],
    columns: dict[Any, np.ndarray],
    series: list[tuple[int, int]],
    order: np.ndarray | None,
) -> None:
    for name in roles["target"]:
        first = columns[name][0]
        if all(np.all(columns[name][block] == first) for block in blocks(len(columns[name]))):
            raise ValueError(f"`target`: {name!r} is constant ({first:g}): nothing to learn.")
    for name in roles["static"]:
        for begin, end in series:
            rows = slice(begin, end) if order is None else order[begin:end]
            values = columns[name][rows]
            if np.any(values != values[0]):
                raise ValueError(
                    f"`static`: {name!r} changes within a series: name it as `past`, or as `known` "
                    "where it is known ahead."
                )
