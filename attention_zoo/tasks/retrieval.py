"""Find the item of highest priority among few items, or more than in training."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from attention_zoo.core import checks
from attention_zoo.tasks.base import TASKS, Task, one_hot


@dataclasses.dataclass(frozen=True)
class MaxRetrieval(Task):
    """The class of the item of highest priority (Velickovic et al., 2024, arXiv:2410.01104).

    Each item has a priority ~ U(0, 1) and one of 10 classes, as one-hot channels; a sample has
    `fewest` to `items` of them, and ends in zeros, which the mask tells apart. Relevance is
    (n, items), 1 at the item of highest priority.
    """

    kind: ClassVar[str] = "multiclass"
    classes: ClassVar[int] = 10

    items: int = 16
    fewest: int | None = None

    def __post_init__(self):
        super().__post_init__()
        checks.positive_int("fewest", self.fewest, none=True)
        if self.fewest is not None and self.fewest > self.items:
            raise ValueError(
                f"`fewest` must not be more than `items`. Received: fewest={self.fewest!r}, "
                f"items={self.items!r}"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.items, 1 + self.classes)

    @property
    def outputs(self) -> int:
        return self.classes

    def draw(self, n, rng):
        fewest = self.items if self.fewest is None else self.fewest
        lengths = rng.integers(fewest, self.items + 1, n)
        mask = np.arange(self.items) < lengths[:, None]
        priority = rng.random((n, self.items))
        kind = rng.integers(0, self.classes, (n, self.items))
        x = np.concatenate([priority[..., None], np.eye(self.classes)[kind]], axis=-1)
        best = np.where(mask, priority, -1.0).argmax(1)
        y = kind[np.arange(n), best]
        return np.where(mask[..., None], x, 0.0), y, one_hot(n, self.items, best), mask


TASKS.add("max_retrieval", MaxRetrieval)
