"""Rows on a regular grid of time: checked for their order, their gaps found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.core.registry import one_of
from attention_zoo.data.times import BLOCK

_GAPS = ("error", "mask", "cut")


class Section(NamedTuple):
    """Rows that follow each other on the grid, all of one series."""

    #: The first row, and the one after the last.
    begin: int
    end: int
    #: The place of the first row on the grid that all series share.
    place: int
    series: int


class Run(NamedTuple):
    """The windows of one section: how many come before, how many there are, the first's origin."""

    before: int
    windows: int
    origin: int
    section: Section


@by_identity
class Grid(NamedTuple):
    """Which rows follow each other, and what time each place is.

    Attributes:
        sections: they are.
        rows: the row of the data in the place of each row here, -1 for one that is missing; None
            where they are the same.
        origin, step: the time of place 0, and from a place to the next; of numbers or of months
            where the time column has such.
    """

    sections: list[Section]
    rows: np.ndarray | None
    origin: Any
    step: Any

    def times(self, places: np.ndarray) -> np.ndarray:
        """The time stamps of some places."""
        return self.origin + places * self.step

    def runs(
        self, length: int, horizon: int, stride: int, low: int | None, high: int | None
    ) -> Iterator[Run]:
        """The windows whose steps ahead are at the places from `low` to before `high`."""
        before = 0
        for section in self.sections:
            shift = section.begin - section.place
            first = section.begin + length
            first = first if low is None else max(first, low + shift)
            end = section.end if high is None else min(section.end, high + shift)
            count = (end - horizon - first) // stride + 1
            if count > 0:
                yield Run(before, count, first, section)
                before += count

    def end(self) -> int:
        """The place after the last one."""
        return max(one.place + one.end - one.begin for one in self.sections)

    def cut(self, name: str, given: Any, high: int) -> int:
        """The first place of a part that ends before `high`: a share, so many steps, or a time."""
        if isinstance(given, float):
            checks.rate(name, given)
            return high - round(given * (self.end() - min(one.place for one in self.sections)))
        if isinstance(given, (int, np.integer)):
            checks.positive_int(name, given)
            return high - int(given)
        return self.place_of(name, given)

    def seasons(self) -> list[int]:
        """How many steps a day and a week have, or a year of months, where these are whole."""
        if not isinstance(self.step, np.timedelta64):
            return []
        unit: Any = "M" if np.datetime_data(self.step.dtype)[0] == "M" else "h"
        periods = [np.timedelta64(n, unit) for n in ((12,) if unit == "M" else (24, 168))]
        whole = [one for one in periods if one % self.step == np.timedelta64(0, unit)]
        return [int(one // self.step) for one in whole if one > self.step]

    def place_of(self, name: str, time: Any) -> int:
        """The first place that is not before a time."""
        if isinstance(self.origin, np.datetime64):
            try:
                time = np.datetime64(time)
            except (ValueError, TypeError):
                raise ValueError(
                    f"`{name}` must be a share, a number of steps or a time stamp. "
                    f"Received: {name}={time!r}"
                ) from None
            unit = np.datetime_data(self.origin.dtype)[0]
            if unit == "M":
                time = time.astype("datetime64[M]")
        return int(-((self.origin - time) // self.step))


def make_grid(
    name: str | None,
    times: np.ndarray | None,
    series: list[tuple[int, int]],
    order: np.ndarray | None,
    gaps: str,
) -> Grid:
    """Place the rows of some series on one regular grid.

    Args:
        name: of the time column.
        times: of each row; None: the rows follow each other.
        series: the first row of each series and the one after its last, in their order.
        order: the row of the data in each place of that order; None for the same.
        gaps: what becomes of missing rows: `"error"`, `"mask"` or `"cut"`.

    Raises:
        ValueError: for times that are unordered, doubled, missing or irregular, with the place.
    """
    if gaps not in _GAPS:
        raise one_of("gaps", gaps, _GAPS)
    if times is None:
        steps = [Section(begin, end, 0, i) for i, (begin, end) in enumerate(series)]
        return Grid(steps, order, 0, 1)
    look = _Look(str(name), times, series, order)
    sections: list[Section] = []
    kept: list[np.ndarray] = []
    gaps_found = False
    for number, (begin, end) in enumerate(series):
        first, start = begin, look.place(begin)
        for at, jump in look.gaps(begin, end):
            if gaps == "error":
                raise look.missing_rows(at, jump)
            gaps_found = True
            sections.append(Section(first, at, start, number))
            first, start = at, look.place(at)
        sections.append(Section(first, end, start, number))
    if not gaps_found or gaps == "cut":
        return Grid(sections, order, look.origin, look.step)
    whole: list[Section] = []
    for number, (begin, end) in enumerate(series):
        start, length = look.place(begin), look.place(end - 1) - look.place(begin) + 1
        rows = np.full(length, -1, "int64")
        for one in (one for one in sections if one.series == number):
            there = np.arange(one.begin, one.end)
            rows[one.place - start :][: len(there)] = there if order is None else order[there]
        at = sum(len(rows) for rows in kept)
        kept.append(rows)
        whole.append(Section(at, at + length, start, number))
    return Grid(whole, np.concatenate(kept), look.origin, look.step)


class _Look:
    """The differences between neighbouring times, a block of rows at a time."""

    def __init__(
        self, name: str, times: np.ndarray, series: list[tuple[int, int]], order: np.ndarray | None
    ):
        self.name, self.given, self.order = name, times, order
        self.months = self._in_months(times)
        self.step = self._usual(series)
        self.origin = min((self._at(begin, begin + 1)[0] for begin, _ in series), default=0)

    @staticmethod
    def _in_months(times: np.ndarray) -> bool:
        """Whether the stamps are those of months, quarters or years, which are unequal in days."""
        some = times[:1000]
        if times.dtype.kind != "M" or len(some) < 3:
            return False
        day = np.timedelta64(1, "D")
        least = np.abs(np.diff(some)).min()
        ends = [stamps - stamps.astype("datetime64[M]") for stamps in (some, some + day)]
        return bool(least >= 28 * day and any(np.all(one == one[0]) for one in ends))

    def _at(self, begin: int, end: int) -> np.ndarray:
        rows = slice(begin, end) if self.order is None else self.order[begin:end]
        found = self.given[rows]
        return found.astype("datetime64[M]") if self.months else found

    def _usual(self, series: list[tuple[int, int]]) -> Any:
        seen = [np.diff(self._at(b, min(e, b + 1000))) for b, e in series[:100]]
        steps = np.concatenate(seen) if seen else np.empty(0, "int64")
        steps = steps[steps > steps.dtype.type(0)]
        if not len(steps):
            return np.timedelta64(1, "s") if self.given.dtype.kind == "M" else 1
        values, counts = np.unique(steps, return_counts=True)
        return values[counts.argmax()]

    def place(self, row: int) -> int:
        """The place of a row on the grid."""
        return int((self._at(row, row + 1)[0] - self.origin) // self.step)

    def gaps(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """The rows before which some are missing, and how many."""
        for start in range(begin, end - 1, BLOCK):
            jumps = np.diff(self._at(start, min(end, start + BLOCK + 1)))
            for offset in np.flatnonzero(jumps != self.step):
                row, jump = start + int(offset) + 1, jumps[offset]
                if jump <= jump.dtype.type(0) or jump % self.step != jump.dtype.type(0):
                    raise self._irregular(row, jump)
                yield row, int(jump // self.step) - 1

    def _where(self, row: int) -> str:
        at = row if self.order is None else int(self.order[row])
        return f"row {at} ({self.given[at]})"

    def _irregular(self, row: int, jump: Any) -> ValueError:
        if jump == jump.dtype.type(0):
            why = "has the time of the row before it: drop one, or name the column of the `group`"
        elif jump < jump.dtype.type(0):
            why = "is before the row above it: sort the rows by time"
        else:
            why = f"comes {jump} after the row before it, where a step is {self.step}: resample"
        return ValueError(f"`time`: {self._where(row)} of {self.name!r} {why}.")

    def missing_rows(self, row: int, count: int) -> ValueError:
        """The error for rows that are not there."""
        return ValueError(
            f"`time`: {count} row{'s' * (count != 1)} of {self.name!r} missing before "
            f"{self._where(row)}, where a step is {self.step}. gaps='mask' takes them for missing "
            "values, gaps='cut' makes no window across them."
        )
