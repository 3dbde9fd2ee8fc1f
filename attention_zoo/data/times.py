"""Time columns: read, and the circles of the calendar in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

#: How many rows are looked at at once.
BLOCK = 2**18
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def _of_hour(times: np.ndarray) -> np.ndarray:
    return (times - times.astype("datetime64[D]")) / np.timedelta64(1, "h")


def _of_weekday(times: np.ndarray) -> np.ndarray:
    return (times.astype("datetime64[D]").astype("int64") + 3) % 7  # 1970 began on a Thursday


def _of_day(times: np.ndarray) -> np.ndarray:
    days = times.astype("datetime64[D]")
    return (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype("int64")


def _of_year(times: np.ndarray) -> np.ndarray:
    days = times.astype("datetime64[D]")
    return (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype("int64")


#: name -> what of a time stamp it is, and after how many it begins again.
CALENDAR = {
    "minute": (lambda times: _of_hour(times) % 1 * 60, 60.0),
    "hour": (_of_hour, 24.0),
    "weekday": (_of_weekday, 7.0),
    "day": (_of_day, 31.0),
    "month": (lambda times: times.astype("datetime64[M]").astype("int64") % 12, 12.0),
    "yearday": (_of_year, 365.25),
}


def calendar(times: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Each of the calendar's circles as a sine and a cosine, `(*times.shape, 2 * names)`."""
    parts = []
    for name in names:
        of, period = CALENDAR[name]
        angle = of(times) * (2 * np.pi / period)
        parts += [np.sin(angle), np.cos(angle)]
    return np.stack(parts, axis=-1).astype("float32")


def read_times(name: str, values: Any) -> np.ndarray:
    """A time column as `datetime64`, or as whole numbers.

    Raises:
        ValueError: for a time zone, a missing time, and what is no time; it names the first.
    """
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    zone = zone or getattr(getattr(values, "dtype", None), "time_zone", None)
    if zone is not None:
        raise _with_zone(name, f"times in {zone}")
    times = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
    if times.dtype.kind in "OU":
        times = _from_text(name, times)
    if times.dtype.kind == "f":
        for block in blocks(len(times)):
            wrong = np.flatnonzero(times[block] != np.round(times[block]))
            if len(wrong):
                at = block.start + int(wrong[0])
                raise ValueError(
                    f"`time`: numbers must be whole, such as the number of a step. "
                    f"Received: {times[at]} in {name!r}, row {at}"
                )
        times = times.astype("int64")
    if times.dtype.kind not in "iuM":
        raise ValueError(
            f"`time` must name a column of time stamps or whole numbers. "
            f"Received: {name!r} of dtype {times.dtype}"
        )
    for block in blocks(len(times)) if times.dtype.kind == "M" else ():
        missing = np.flatnonzero(np.isnat(times[block]))
        if len(missing):
            raise _missing(name, block.start + int(missing[0]))
    return times


def _from_text(name: str, cells: np.ndarray) -> np.ndarray:
    found = np.empty(len(cells), "datetime64[us]")
    for at, cell in enumerate(cells.tolist()):
        text = "" if cell is None or cell != cell else str(cell).strip()
        if text in ("", "NaT", "NaN", "nan", "NA"):
            raise _missing(name, at)
        if len(text) > 10 and _ZONE.search(text):
            raise _with_zone(name, f"{text[:50]!r} in row {at}")
        try:
            found[at] = np.datetime64(text, "us")
        except ValueError:
            raise ValueError(
                f"`time`: {text[:50]!r} in {name!r}, row {at}, is no time in ISO 8601, such as "
                "2024-02-29 or 2024-02-29 13:30. Other formats: pandas.to_datetime(column, "
                "format=...) first."
            ) from None
    return found


def _missing(name: str, row: int) -> ValueError:
    return ValueError(f"`time`: {name!r} has no time in row {row}. Fill it or drop the row.")


def _with_zone(name: str, received: str) -> ValueError:
    return ValueError(
        f"`time` must have no time zone, whose clock repeats an hour and skips another: "
        f"convert {name!r} to UTC and drop the zone, as "
        f"column.dt.tz_convert('UTC').dt.tz_localize(None). Received: {received}"
    )


def blocks(rows: int) -> Iterator[slice]:
    """Slices of so many rows that memory does not grow with the data."""
    return (slice(start, min(rows, start + BLOCK)) for start in range(0, rows, BLOCK))
