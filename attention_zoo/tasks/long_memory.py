"""Two marked steps of a long series: the adding and multiplication problems."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from attention_zoo.core import checks
from attention_zoo.tasks.base import TASKS, SeriesTask, Task, one_hot


@dataclasses.dataclass(frozen=True)
class _Marked(Task):
    """Values and a marker, as Raffel and Ellis, 2015 (arXiv:1512.08756) draw them.

    The length of each series is drawn from `steps` to 1.1 `steps`, or from `shortest` to `steps`.
    """

    kind: ClassVar[str] = "regression"
    tolerance: ClassVar[float | None] = 0.04

    steps: int = 100
    shortest: int | None = None

    def __post_init__(self):
        super().__post_init__()
        checks.positive_int("shortest", self.shortest, none=True)
        least = self.steps if self.shortest is None else self.shortest
        if not 20 <= least <= self.steps:
            raise ValueError(
                f"`shortest` and `steps` must be 20 or more, `shortest` not above `steps`. "
                f"Received: steps={self.steps!r}, shortest={self.shortest!r}"
            )

    @property
    def lengths(self) -> tuple[int, int]:
        """Return the shortest and the longest length."""
        if self.shortest is None:
            return self.steps, self.steps + self.steps // 10
        return self.shortest, self.steps

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.lengths[1], 2)

    def draw(self, n, rng):
        shortest, longest = self.lengths
        lengths = rng.integers(shortest, longest + 1, n)
        rows = np.arange(n)
        # The first of the marked steps is early, the second in the first half
        first = rng.integers(1, 10, n)
        second = rng.integers(1, lengths // 2 - 1)
        second = second + (second >= first)
        marker = np.zeros((n, longest))
        marker[rows, 0] = marker[rows, lengths - 1] = -1
        marker[rows, first] = marker[rows, second] = 1
        values = self.values(rng, (n, longest))
        mask = np.arange(longest) < lengths[:, None]
        x = np.where(mask[..., None], np.stack([values, marker], axis=-1), 0.0)
        y = self.target(values[rows, first], values[rows, second])
        return x, y, (marker == 1).astype("float64"), mask

    @staticmethod
    def values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw the first channel."""
        raise NotImplementedError

    @staticmethod
    def target(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the target, from the two marked values."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Adding(_Marked):
    """The sum of two marked values of a long series (Raffel and Ellis, 2015, arXiv:1512.08756).

    The first channel is U(-1, 1), the second 1 at two steps, the first of them early and the other
    in the first half, -1 at both ends and 0 elsewhere; y = .5 + (v1 + v2) / 4. Lengths vary from
    `steps` to 1.1 `steps`, or from `shortest` to `steps`; shorter series end in zeros, which the
    mask tells apart. Relevance is (n, longest), 1 at the two marked steps.
    """

    @staticmethod
    def values(rng, shape):
        return rng.uniform(-1, 1, shape)

    @staticmethod
    def target(first, second):
        return 0.5 + (first + second) / 4


@dataclasses.dataclass(frozen=True)
class Multiplication(_Marked):
    """The product of two marked values of a long series: as `adding`, with values U(0, 1) and
    y = v1 v2."""

    @staticmethod
    def values(rng, shape):
        return rng.uniform(0, 1, shape)

    @staticmethod
    def target(first, second):
        return first * second


@dataclasses.dataclass(frozen=True)
class AddingProblem(SeriesTask):
    """The adding problem with a fixed length, as benchmarks of recurrent networks have it (Bai,
    Kolter and Koltun, 2018, arXiv:1803.01271): values U(0, 1), a marker that is 1 at one step of
    each half and 0 elsewhere, y the sum of the two marked values.

    Relevance is (n, steps), 1 at the two marked steps.
    """

    kind: ClassVar[str] = "regression"
    metric: ClassVar[str] = "mse"
    shortest_series: ClassVar[int] = 2
    features: ClassVar[int] = 2
    steps: int = 600

    def draw(self, n, rng):
        half = self.steps // 2
        values = rng.random((n, self.steps))
        first = one_hot(n, self.steps, rng.integers(0, half, n))
        marker = first + one_hot(n, self.steps, rng.integers(half, self.steps, n))
        return np.stack([values, marker], axis=-1), (values * marker).sum(1), marker


TASKS.add("adding", Adding)
TASKS.add("multiplication", Multiplication)
TASKS.add("adding_problem", AddingProblem)
