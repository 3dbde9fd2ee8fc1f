"""A frame of series as windows: what was known up to a step, and what came after it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.core import checks
from attention_zoo.data.columns import cells, has_missing
from attention_zoo.data.grid import Grid
from attention_zoo.data.shuffling import shuffled
from attention_zoo.data.times import blocks, calendar

#: No value of a real column, and one that float32 has.
_NOT_KNOWN = float(np.float32(-1e30))


class Windows(keras.utils.PyDataset):
    """Windows over series, made a batch at a time from the columns as they lie in memory.

    A batch is `(x, y)`. x is `(batch, length, columns)`: the targets first, then what else was
    known. Where columns are known ahead it has `horizon` more steps, in which only those have
    values. A cell that is not known is `mask_value`. y is `(batch, horizon)`, or
    `(batch, horizon, targets)` of several; NaN where a target is missing.

    Made by `az.windows`, which says what the arguments are.

    Attributes:
        names: the columns of x in their order.
        targets: how many of them are targets, the first ones.
        length, horizon, stride, batch_size: as `az.windows` was given them.
        ahead: whether x has the steps ahead.
        missing: whether some cell of the past is missing.
        count: how many windows there are; `len()` is the number of batches, as Keras has it.
        mask_value: what stands for a cell that is not known.

    Example:

    >>> data = az.windows(np.arange(20.0), target=0, length=5, horizon=2)
    >>> data.count, [part.shape for part in data[0]]
    (14, [(14, 5, 1), (14, 2)])
    """

    mask_value = _NOT_KNOWN

    def __init__(
        self,
        columns: dict[Any, np.ndarray],
        grid: Grid,
        *,
        targets: int,
        ahead: set[Any],
        calendar: Sequence[str],
        length: int,
        horizon: int,
        stride: int,
        batch_size: int,
    ):
        super().__init__()
        self.columns, self.grid, self.targets = columns, grid, targets
        self.length, self.horizon, self.stride = length, horizon, stride
        self.batch_size, self.calendar = batch_size, tuple(calendar)
        circles = [f"{name}_{part}" for name in calendar for part in ("sin", "cos")]
        self.names = [*map(str, columns), *circles]
        self.ahead = bool(ahead or calendar)
        self._ahead = [name in ahead for name in columns]
        gaps = grid.rows is not None and bool((grid.rows < 0).any())
        self.missing = gaps or any(has_missing(column) for column in columns.values())
        self._key: int | None = None
        self._scaled: Callable[[np.ndarray], np.ndarray] | None = None
        self._limit(None, None)

    def _limit(self, low: int | None, high: int | None) -> None:
        """Keep the windows whose steps ahead are at the places from `low` to before `high`."""
        self._low, self._high = low, high
        self._runs = list(self.grid.runs(self.length, self.horizon, self.stride, low, high))
        self.count = sum(run.windows for run in self._runs)
        self._before = np.array([run.before for run in self._runs])

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        index = range(len(self))[index]
        which = np.arange(index * self.batch_size, min(self.count, (index + 1) * self.batch_size))
        return self.take(which if self._key is None else shuffled(which, self.count, self._key))

    def on_epoch_begin(self) -> None:
        """Draw the order of the windows in this epoch, where they are shuffled."""
        if self._key is not None:
            self._key = int(np.random.randint(2**31))

    def scaled(
        self, scale: Callable[[np.ndarray], np.ndarray], *, shuffle: bool = False
    ) -> Windows:
        """The same windows as they train: their targets scaled, in another order each epoch.

        Args:
            scale: a function of the targets.
            shuffle: whether each epoch has another order, drawn from NumPy's seed.

        Returns:
            Other `Windows` of the same columns.

        Example:

        >>> data = az.windows(np.arange(20.0), target=0, length=5, horizon=2)
        >>> data.scaled(lambda y: y / 10)[0][1][0].tolist()
        [0.5, 0.6000000238418579]
        """
        return self._changed(_scaled=scale, _key=0 if shuffle else None)

    def take(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Some windows by their numbers.

        Args:
            which: an array of numbers, counted from 0.

        Returns:
            x and y, as a batch has them.

        Example:

        >>> az.windows(np.arange(9.0), length=2, horizon=1).take(np.array([6]))[1].tolist()
        [[8.0]]
        """
        origins, shift = self._origins(which)
        steps = self.length + (self.horizon if self.ahead else 0)
        rows = origins[:, None] + np.arange(-self.length, steps - self.length)
        source = rows if self.grid.rows is None else self.grid.rows[rows]
        x = np.full((*rows.shape, len(self.names)), self.mask_value, "float32")
        for place, (column, known) in enumerate(
            zip(self.columns.values(), self._ahead, strict=True)
        ):
            part = source if known else source[:, : self.length]
            values = cells(column, part)
            x[:, : part.shape[1], place] = np.where(np.isnan(values), self.mask_value, values)
        if self.calendar:
            times = self.grid.times(rows + shift[:, None])
            x[..., len(self.columns) :] = calendar(times, self.calendar)
        ahead = origins[:, None] + np.arange(self.horizon)
        ahead = ahead if self.grid.rows is None else self.grid.rows[ahead]
        targets = list(self.columns.values())[: self.targets]
        y = np.stack([cells(column, ahead) for column in targets], axis=-1)
        y = y[..., 0] if self.targets == 1 else y
        return x, y if self._scaled is None else self._scaled(y)

    def _origins(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the first steps ahead of some windows, and their places less these rows."""
        run = np.searchsorted(self._before, which, side="right") - 1
        first, shift = np.array(
            [(one.origin, one.section.place - one.section.begin) for one in self._runs]
        )[run].T
        return first + (which - self._before[run]) * self.stride, shift

    def times(self, which: Any = None) -> np.ndarray:
        """The time stamps of the steps ahead of some windows.

        Args:
            which: the numbers of the windows; None for all.

        Returns:
            `(windows, horizon)`; the numbers of the steps where there is no time column.

        Example:

        >>> az.windows(np.arange(20.0), target=0, length=5, horizon=2).times([0, 1]).tolist()
        [[5, 6], [6, 7]]
        """
        which = np.arange(self.count) if which is None else np.asarray(which)
        origins, shift = self._origins(which)
        return self.grid.times((origins + shift)[:, None] + np.arange(self.horizon))

    def rows(self) -> Iterator[np.ndarray]:
        """The rows that these windows are made of, of a part of a split those of that part.

        Returns:
            Blocks `(rows, columns)`, one after the other; NaN where a cell is missing.

        Example:

        >>> [block.shape for block in az.windows(np.arange(9.0), length=2, horizon=1).rows()]
        [(9, 1)]
        """
        for run in self._runs:
            shift = run.section.begin - run.section.place
            begin = run.section.begin if self._low is None else run.origin
            end = (
                run.section.end if self._high is None else min(run.section.end, self._high + shift)
            )
            for block in blocks(end - begin):
                rows = np.arange(begin + block.start, begin + block.stop)
                source = rows if self.grid.rows is None else self.grid.rows[rows]
                parts = [cells(column, source)[:, None] for column in self.columns.values()]
                if self.calendar:
                    parts.append(calendar(self.grid.times(rows - shift), self.calendar))
                yield np.concatenate(parts, axis=1)

    def split(
        self, validation: Any = None, test: Any = None, gap: int = 0, *, stride: int | None = None
    ) -> tuple[Windows, ...]:
        """Split in time: the first part trains, the last ones validate and test.

        No step that is to be predicted in a later part is anywhere in the windows of an earlier
        one. What a later part knows of the past may reach back into the part before it.

        Args:
            validation, test: the share of the time, such as 0.1; how many steps, an integer; or
                the time stamp at which the part begins. None for no such part.
            gap: how many steps to leave out between two parts.
            stride: of the parts that do not train; None for that of the windows.

        Returns:
            `(train, validation, test)`, without those that are None.

        Raises:
            ValueError: for a part in which there is no window.

        Example:

        >>> data = az.windows(np.arange(100.0), target=0, length=5, horizon=2)
        >>> [part.count for part in data.split(validation=0.1, test=20)]
        [64, 9, 19]
        """
        checks.natural("gap", gap)
        checks.positive_int("stride", stride, none=True)
        high = self.grid.end()
        parts: list[Windows] = []
        for name, given in (("test", test), ("validation", validation)):
            if given is None:
                continue
            low = self.grid.cut(name, given, high)
            parts.append(self._part(name, low, high, stride))
            high = low - gap
        parts.append(self._part("train", None, high if parts else None, None))
        return tuple(reversed(parts))

    def _part(self, name: str, low: int | None, high: int | None, stride: int | None) -> Windows:
        part = self._changed(stride=stride or self.stride)
        part._limit(low, high)
        if not part.count:
            raise ValueError(
                f"`{name}` has no window: its steps must be at least the horizon, {self.horizon}, "
                f"and those before it the length, {self.length}."
            )
        return part

    def _changed(self, **values: Any) -> Windows:
        other = copy.copy(self)
        other.__dict__.update(values)
        return other
