"""Time series with the answer in a few cells of time and feature: boxes, and a hidden state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from attention_zoo.core.registry import one_of
from attention_zoo.tasks.base import TASKS, SeriesTask, Task

_Shape = tuple[int, int, int]


def _gaussian(rng: np.random.Generator, shape: _Shape) -> np.ndarray:
    return rng.standard_normal(shape)


_NOISE = 0.3


def _autoregressive(rng: np.random.Generator, shape: _Shape) -> np.ndarray:
    x = 0.5 * rng.standard_normal(shape)
    for step in range(1, shape[1]):
        x[:, step] += 0.9 * x[:, step - 1]
    return x + _NOISE * rng.standard_normal(shape)


def _harmonic(rng: np.random.Generator, shape: _Shape) -> np.ndarray:
    # Half of the points of a regular grid over 20 units of time, drawn for each sample
    grid = np.linspace(0, 20, 2 * shape[1])
    times = np.sort(rng.permuted(np.tile(grid, (shape[0], 1)), axis=1)[:, : shape[1]], axis=1)
    return np.sin(4 * np.pi * times)[..., None] + _NOISE * rng.standard_normal(shape)


def _narma(rng: np.random.Generator, shape: _Shape) -> np.ndarray:
    order = 10
    steps = shape[1] + order
    drive = rng.uniform(0, 0.5, (shape[0], steps, shape[2]))
    x = np.zeros((shape[0], steps, shape[2]))
    for t in range(order, steps):
        past = x[:, t - order : t].sum(1)
        driven = 1.5 * drive[:, t - order] * drive[:, t - 1]
        x[:, t] = 0.3 * x[:, t - 1] + 0.05 * x[:, t - 1] * past + driven + 0.1
    return x[:, order:] + _NOISE * rng.standard_normal(shape)


PROCESSES: dict[str, Callable[[np.random.Generator, _Shape], np.ndarray]] = {
    "gaussian": _gaussian,
    "autoregressive": _autoregressive,
    "harmonic": _harmonic,
    "narma": _narma,
}

#: Steps and features of each box, and where it starts: None means another place in each sample.
BOXES: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    "middle": ((30, 30), (10, 10)),
    "moving_middle": ((30, 30), None),
    "small_middle": ((14, 14), (18, 18)),
    "moving_small_middle": ((14, 14), None),
    "rare_time": ((6, 40), (22, 5)),
    "moving_rare_time": ((6, 40), None),
    "rare_feature": ((40, 6), (5, 22)),
    "moving_rare_feature": ((40, 6), None),
    "positional_time": ((20, 20), (1, 15)),
    "positional_feature": ((20, 20), (15, 1)),
}
#: Where the box of the second class starts, in its axis, if its place is the answer.
_SECOND_PLACE = 29


@dataclasses.dataclass(frozen=True)
class Boxes(Task):
    """A box of a series is shifted by +1 or -1 with the class (Ismail et al., 2020,
    arXiv:2010.13924).

    `process` draws the series: `"gaussian"` N(0, 1); `"autoregressive"` with coefficient .9 and
    `"harmonic"`, `"narma"` (order 10), each with noise of deviation .3. `box` is one of `BOXES`;
    those that begin with moving lie elsewhere in each sample; in the two positional ones the shift
    is always +1, and the class is whether the box starts at 1 or at 29. Relevance is
    (n, 50, 50), 1 in the box.
    """

    box: str = "middle"
    process: str = "gaussian"

    def __post_init__(self):
        if self.box not in BOXES:
            raise one_of("box", self.box, BOXES)
        if self.process not in PROCESSES:
            raise one_of("process", self.process, PROCESSES)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (50, 50)

    def draw(self, n, rng):
        steps, features = self.input_shape
        x = PROCESSES[self.process](rng, (n, steps, features))
        y = rng.integers(0, 2, n)
        (high, wide), start = BOXES[self.box]
        if start is None:
            top = rng.integers(0, steps - high + 1, n)
            left = rng.integers(0, features - wide + 1, n)
        else:
            top, left = np.full(n, start[0]), np.full(n, start[1])
        shift = 2 * y - 1
        if self.box.startswith("positional"):
            shift = np.ones(n)
            axis = top if self.box == "positional_time" else left
            axis[y == 1] = _SECOND_PLACE
        in_time = np.abs(2 * (np.arange(steps) - top[:, None]) - high + 1) < high
        in_features = np.abs(2 * (np.arange(features) - left[:, None]) - wide + 1) < wide
        relevance = (in_time[:, :, None] & in_features[:, None, :]).astype("float64")
        return x + shift[:, None, None] * relevance, y, relevance


@dataclasses.dataclass(frozen=True)
class HiddenState(SeriesTask):
    """Three signals whose mean tells a hidden state, which tells the signal that counts.

    The two-state HMM of Tonekaboni et al., 2020 (arXiv:2003.02821), with the constants of Crabbé
    and van der Schaar, 2021 (Dynamask, arXiv:2106.05303): a state stays with probability .95, the
    second with .002 less for each step it has lasted; signals are normal with variance .801 and
    the means (.1, 1.6, .5) or (-.1, -.4, -1.5), each state's signal correlated .01 with the first;
    at each step P(y = 1) = 1 / (1 + exp(-2 x)) of the second signal in the first state, of the
    third in the second. Relevance is (n, steps, 3), 1 for the signal that counts; y is (n, steps).
    """

    steps: int = 200
    per_step: ClassVar[bool] = True
    features: ClassVar[int] = 3

    def draw(self, n, rng):
        state = rng.integers(0, 2, n)
        lasted = np.zeros(n)
        states = np.zeros((n, self.steps), int)
        for step in range(self.steps):
            stay = np.where(state == 1, 0.95 - lasted / 500, 0.95)
            change = rng.random(n) >= stay
            state = np.where(change, 1 - state, state)
            lasted = np.where(change, 0, lasted + 1)
            states[:, step] = state
        means = np.array([[0.1, 1.6, 0.5], [-0.1, -0.4, -1.5]])
        # Cholesky factors of the two covariances
        covariance = np.tile(np.eye(3) * 0.801, (2, 1, 1))
        for number, signal in enumerate((1, 2)):
            covariance[number, signal, 0] = covariance[number, 0, signal] = 0.01
        factors = np.linalg.cholesky(covariance)
        noise = rng.standard_normal((n, self.steps, 3))
        x = means[states] + np.einsum("ntij,ntj->nti", factors[states], noise)
        relevance = np.stack([states < 0, states == 0, states == 1], axis=-1)
        counts = np.where(states == 0, x[..., 1], x[..., 2])
        y = rng.random((n, self.steps)) < 1 / (1 + np.exp(-2 * counts))
        return x, y, relevance


TASKS.add("boxes", Boxes)
TASKS.add("hidden_state", HiddenState)
