"""Windows as the data of a training run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from attention_zoo.data.scaling import TargetScaler
from attention_zoo.data.stream import Stream
from attention_zoo.data.windows import Windows

#: Of so many windows, evenly spread, the targets are looked at as a whole.
_LOOKED_AT = 4096


@dataclasses.dataclass(frozen=True, eq=False)
class WindowStream(Stream):
    """A `Stream` of windows. Its `y` are the targets of some of them, evenly spread."""

    source: Any = None

    def visible(self) -> Iterator[np.ndarray]:
        """The rows that the windows are made of; NaN where a cell is missing."""
        return self.source.rows()

    def scaler(self) -> TargetScaler:
        """The scaler of the targets, by the rows that the windows are made of."""
        columns = self.source.targets
        count, total, squares = (np.zeros(columns) for _ in range(3))
        first = self.y.reshape(-1, columns) if columns > 1 else self.y.reshape(-1, 1)
        shift = np.nanmean(first, axis=0, dtype="float64")
        for rows in self.source.rows():
            off = rows[:, :columns].astype("float64") - shift
            count += np.isfinite(off).sum(0)
            total += np.nansum(off, axis=0)
            squares += np.nansum(off**2, axis=0)
        mean = total / count
        scale = np.sqrt(np.maximum(squares / count - mean**2, 0))
        scale = np.where(scale == 0, 1.0, scale)
        mean = mean + shift
        return TargetScaler(mean[0], scale[0]) if columns == 1 else TargetScaler(mean, scale)

    def scaled(
        self, scale: Callable[[np.ndarray], np.ndarray], *, shuffle: bool = False
    ) -> WindowStream:
        """The same windows, their targets scaled, in another order each epoch if they train."""
        return dataclasses.replace(
            self, y=scale(self.y), source=self.source.scaled(scale, shuffle=shuffle)
        )


def from_windows(source: Windows) -> WindowStream:
    """Windows as the data of a training run."""
    first = source[0]
    step = max(1, source.count // _LOOKED_AT)
    _, y = source.take(np.arange(0, source.count, step))
    unknown = source.ahead or source.missing
    return WindowStream(
        x=first[0],
        y=y,
        kind="regression",
        mask_value=source.mask_value if unknown else None,
        names=source.names,
        ordered=True,
        vector=True,
        source=source,
        length=source.count,
        sizes=first[0].shape[1:],
    )
