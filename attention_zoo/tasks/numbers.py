"""Arithmetic on a few steps: the examples of the package `attention` (P. Remy, 2021)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from attention_zoo.tasks.base import TASKS, SeriesTask, one_hot


def two_of(rng: np.random.Generator, n: int, low: int, high: int) -> np.ndarray:
    """Draw two different integers from `low` to `high` - 1 for each sample: (n, 2)."""
    first = rng.integers(low, high, n)
    second = rng.integers(low, high - 1, n)
    return np.stack([first, second + (second >= first)], axis=1)


@dataclasses.dataclass(frozen=True)
class AddTwoNumbers(SeriesTask):
    """The mean of two numbers of a series, each of which follows a 0.

    x ~ U(0, 1); y = .5 x[a] + .5 x[b] for two different places a, b of 1 to `steps` - 1; then
    x[a - 1] = x[b - 1] = 0. Relevance is (n, steps), 1 at a and b.

    Where a and b are neighbours the 0 before the second erases the first: `floor`, the mean
    absolute error of the best possible predictions, is .0132 for 20 steps.
    """

    kind: ClassVar[str] = "regression"
    metric: ClassVar[str] = "mae"
    shortest_series: ClassVar[int] = 3
    features: ClassVar[int] = 1
    steps: int = 20

    @property
    def floor(self) -> float:
        # Neighbours are 2 of (steps - 1) pairs; half a U(0, 1) is then off by 1/8 on average
        return 2 / (self.steps - 1) / 8

    def draw(self, n, rng):
        x = rng.random((n, self.steps))
        places = two_of(rng, n, 1, self.steps)
        y = np.take_along_axis(x, places, 1).mean(1)
        np.put_along_axis(x, places - 1, 0, 1)
        relevance = one_hot(n, self.steps, places[:, 0]) + one_hot(n, self.steps, places[:, 1])
        return x[..., None], y, relevance


@dataclasses.dataclass(frozen=True)
class FindMax(SeriesTask):
    """The largest number of a series: x ~ Beta(1/10, 1), most of it close to 0.

    Relevance is (n, steps), 1 at the largest.
    """

    kind: ClassVar[str] = "regression"
    metric: ClassVar[str] = "mae"
    features: ClassVar[int] = 1
    steps: int = 10

    def draw(self, n, rng):
        x = rng.beta(0.1, 1.0, (n, self.steps))
        return x[..., None], x.max(1), one_hot(n, self.steps, x.argmax(1))


TASKS.add("add_two_numbers", AddTwoNumbers)
TASKS.add("find_max", FindMax)
