"""The planted-index tasks of keras-attention-mechanism (P. Remy, 2017), and a harder one.

In each, x is standard normal noise, y is 0 or 1, and y itself is written into x at one place.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from attention_zoo.tasks.base import TASKS, SeriesTask, Task, one_hot, position


def _noise(rng: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    return rng.standard_normal(shape), rng.integers(0, 2, shape[0])


@dataclasses.dataclass(frozen=True)
class PlantedFeature(Task):
    """A table of noise, one feature of which is the label.

    Relevance is (n, features), 1 at `index`.
    """

    features: int = 32
    index: int = 1

    def __post_init__(self):
        super().__post_init__()
        position("index", self.index, self.features)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.features,)

    def draw(self, n, rng):
        x, y = _noise(rng, (n, self.features))
        x[:, self.index] = y
        return x, y, one_hot(n, self.features, self.index)


@dataclasses.dataclass(frozen=True)
class PlantedStep(SeriesTask):
    """A series of noise whose features are all the label at one step.

    Relevance is (n, steps), 1 at `index`.
    """

    steps: int = 20
    features: int = 2
    index: int = 10

    def __post_init__(self):
        super().__post_init__()
        position("index", self.index, self.steps)

    def draw(self, n, rng):
        x, y = _noise(rng, (n, self.steps, self.features))
        x[:, self.index] = y[:, None]
        return x, y, one_hot(n, self.steps, self.index)


@dataclasses.dataclass(frozen=True)
class PlantedChannel(SeriesTask):
    """A series of noise, one feature of which is the label at every step.

    Relevance is (n, steps, features), 1 for the feature `index`.
    """

    steps: int = 6
    features: int = 10
    index: int = 5

    def __post_init__(self):
        super().__post_init__()
        position("index", self.index, self.features)

    def draw(self, n, rng):
        x, y = _noise(rng, (n, self.steps, self.features))
        x[:, :, self.index] = y[:, None]
        relevance = one_hot(n, self.features, self.index)
        return x, y, np.repeat(relevance[:, None], self.steps, axis=1)


@dataclasses.dataclass(frozen=True)
class MovingStep(SeriesTask):
    """A series of noise that is the label at one step, another for each sample, which is marked.

    The first channel is noise and the label, the second 1 at that step and 0 elsewhere. Relevance
    is (n, steps). A bias cannot learn the place, only attention that reads its input.
    """

    features: ClassVar[int] = 2
    steps: int = 20

    def draw(self, n, rng):
        values, y = _noise(rng, (n, self.steps))
        marker = one_hot(n, self.steps, rng.integers(0, self.steps, n))
        x = np.stack([np.where(marker == 1, y[:, None], values), marker], axis=-1)
        return x, y, marker


TASKS.add("planted_feature", PlantedFeature)
TASKS.add("planted_step", PlantedStep)
TASKS.add("planted_channel", PlantedChannel)
TASKS.add("moving_step", MovingStep)
