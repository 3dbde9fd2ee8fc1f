"""Series of one shape, into most of which a signature is injected that tells their class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from attention_zoo.core import checks
from attention_zoo.tasks.base import TASKS, Task


@dataclasses.dataclass(frozen=True, eq=False)
class _Windows:
    """Series `(n, steps)`, and the window of each, `(n, 1)`: its first step and its length."""

    x: np.ndarray
    start: np.ndarray
    length: np.ndarray
    rng: np.random.Generator

    @property
    def place(self) -> np.ndarray:
        """Where each step is in its window, 0 at its first and 1 at its last step."""
        return (np.arange(self.x.shape[1]) - self.start) / (self.length - 1)

    @property
    def inside(self) -> np.ndarray:
        """Whether each step is in its window."""
        return (self.place >= 0) & (self.place <= 1)

    def one(self, low: float, high: float) -> np.ndarray:
        """A number for each series."""
        return self.rng.uniform(low, high, self.start.shape)

    def sign(self) -> np.ndarray:
        """-1 or 1 for each series."""
        return self.rng.choice([-1.0, 1.0], self.start.shape)

    def noise(self, deviation: float | np.ndarray) -> np.ndarray:
        """Normal numbers of that deviation, one a step."""
        return deviation * self.rng.standard_normal(self.x.shape)

    def read(self, place: np.ndarray) -> np.ndarray:
        """The series at other places of their windows, between two steps on the line."""
        at = self.start + np.clip(place, 0, 1) * (self.length - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, self.x.shape[1] - 1)
        first, second = (np.take_along_axis(self.x, index, 1) for index in (low, high))
        return first + (at - low) * (second - first)


def _skew(w: _Windows) -> np.ndarray:
    middle = 0.5 + w.sign() * w.one(0.25, 0.45)
    before = 0.5 * w.place / middle
    return w.read(np.where(w.place < middle, before, 1 - 0.5 * (1 - w.place) / (1 - middle)))


def _average(w: _Windows) -> np.ndarray:
    size = w.rng.integers(5, 10, w.start.shape)
    sums = np.pad(np.cumsum(w.x, axis=1), [(0, 0), (1, 0)])
    first = np.arange(w.x.shape[1]) - size // 2
    low, high = (np.clip(end, 0, w.x.shape[1]) for end in (first, first + size))
    return (np.take_along_axis(sums, high, 1) - np.take_along_axis(sums, low, 1)) / (high - low)


def _bump(w: _Windows, sign: float) -> np.ndarray:
    z = 10 * w.place - 5
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return w.x * (1 + sign * w.one(1.5, 2.5) * density)


#: What stands in the window instead, by the name of the class; spikes have no window.
SIGNATURES: dict[str, Callable[[_Windows], np.ndarray]] = {
    "none": lambda w: w.x,
    "spikes": lambda w: w.x + w.sign() * (3 + w.noise(0.2)),
    "flip": lambda w: w.read(1 - w.place),
    "skew": _skew,
    "noise": lambda w: w.x + w.noise(w.one(0.5, 1)),
    "cutoff": lambda w: w.one(0, 0.2) + w.noise(0.1),
    "average": _average,
    "wander": lambda w: w.x + w.sign() * w.one(2, 3) * w.place,
    "peak": lambda w: _bump(w, 1.0),
    "trough": lambda w: _bump(w, -1.0),
}


@dataclasses.dataclass(frozen=True)
class InjectedSignature(Task):
    """Ten classes of series, told by what was done to a part of them (Early et al., 2024,
    arXiv:2311.10049, whose WebTraffic it is remade from).

    A week at steps of ten minutes: `A / 2 sin(u - sin(u) / k) + c`, seven cycles, A ~ U(2, 4),
    c ~ U(2.5, 5), k ~ U(1, 3), plus noise of deviation U(.1, .3), times such a wave of one cycle
    with A ~ U(.8, 1.2), c = 1, k = 2; clipped at 0. The signatures are `SIGNATURES`, the first of
    which is none: in one window of 1/28 to 2/7 of the steps, anywhere, but for spikes, which are
    at each step with a probability of .01. The classes are of equal size, up to one. Relevance is
    (n, steps), 1 where the signature is, 0 everywhere in the class without.

    The published set has 50 series of each class for training and 50 for testing: 500 samples.
    """

    kind: ClassVar[str] = "multiclass"
    steps: int = 1008

    def __post_init__(self):
        checks.positive_int("steps", self.steps)
        if self.steps < 84:
            raise ValueError(f"`steps` must be 84 or more. Received: steps={self.steps!r}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.steps, 1)

    @property
    def outputs(self) -> int:
        return len(SIGNATURES)

    def draw(self, n, rng):
        y = rng.permutation(np.arange(n) % self.outputs)
        day = self._wave(7, rng.uniform(0.5, 0.6, (n, 1)), rng.uniform(1, 3, (n, 1)))
        x = rng.uniform(1, 2, (n, 1)) * day + rng.uniform(2.5, 5, (n, 1))
        x += rng.uniform(0.1, 0.3, (n, 1)) * rng.standard_normal((n, self.steps))
        x *= rng.uniform(0.4, 0.6, (n, 1)) * self._wave(1, 0.6, 2.0) + 1
        length = rng.integers(self.steps // 28, self.steps * 2 // 7 + 1, (n, 1))
        start = rng.integers(0, self.steps - length + 1)
        relevance = np.zeros(x.shape)
        for label, (name, signature) in enumerate(SIGNATURES.items()):
            rows = y == label
            windows = _Windows(x[rows], start[rows], length[rows], rng)
            inside = windows.inside
            if name == "spikes":
                inside = rng.random(inside.shape) < 0.01
            x[rows] = np.where(inside, signature(windows), x[rows])
            relevance[rows] = inside & (name != "none")
        return np.maximum(x, 0)[..., None], y, relevance

    def _wave(self, cycles: int, phase: float | np.ndarray, k: float | np.ndarray) -> np.ndarray:
        """sin(u - sin(u) / k) at each step."""
        u = 2 * np.pi * (cycles * np.arange(self.steps) / self.steps + phase)
        return np.sin(u - np.sin(u) / k)


TASKS.add("injected_signature", InjectedSignature)
