"""A forecast whose truth is known: for each step ahead which past step, and of which column."""

from __future__ import annotations

import dataclasses

import numpy as np

from attention_zoo.core import checks
from attention_zoo.tasks.base import TASKS, Task, position


@dataclasses.dataclass(frozen=True)
class PlantedLags(Task):
    """Several steps ahead, each of which is what one column had a number of steps before it.

    The columns are noise in which each step has a share of the one before it, AR(1). The target
    of step h ahead is column `index` at past step `(7 h + 3) mod steps`, plus noise: another lag
    for each step ahead, so that no season nor the last value knows it. Relevance is `(n, horizon,
    steps)`, 1 at that step; the column is that of `index`.
    """

    steps: int = 24
    horizon: int = 6
    columns: int = 4
    index: int = 1
    share: float = 0.5
    noise: float = 0.1

    kind = "regression"
    metric = "mae"

    def __post_init__(self):
        for name in ("steps", "horizon", "columns"):
            checks.positive_int(name, getattr(self, name))
        position("index", self.index, self.columns)
        checks.rate("share", self.share)
        checks.rate("noise", self.noise)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.steps, self.columns)

    @property
    def outputs(self) -> int:
        return self.horizon

    @property
    def floor(self) -> float:
        return self.noise * float(np.sqrt(2 / np.pi))  # the mean of |noise|

    def places(self) -> np.ndarray:
        """Return the past step that each step ahead is, `(horizon,)`."""
        return (7 * np.arange(self.horizon) + 3) % self.steps

    def draw(self, n, rng):
        x = rng.standard_normal((n, self.steps, self.columns))
        for step in range(1, self.steps):
            x[:, step] = self.share * x[:, step - 1] + np.sqrt(1 - self.share**2) * x[:, step]
        y = x[:, self.places(), self.index] + self.noise * rng.standard_normal((n, self.horizon))
        relevance = np.zeros((self.horizon, self.steps))
        relevance[np.arange(self.horizon), self.places()] = 1
        return x, y, np.broadcast_to(relevance, (n, *relevance.shape))


TASKS.add("planted_lags", PlantedLags)
