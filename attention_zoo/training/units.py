"""A quantity in the units that it came in, and in those that train well."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from attention_zoo.training.data import Dataset


@dataclasses.dataclass(frozen=True)
class Units:
    """The mean and the deviation of a quantity: a model that answers in them learns prices and
    shares alike; its last layer, which is linear, brings the answers back."""

    mean: float
    scale: float

    @classmethod
    def of(cls, y: np.ndarray) -> Units:
        """Those of the targets that are trained on; a constant target keeps its size."""
        return cls(float(y.mean(dtype="float64")), float(y.std(dtype="float64")) or 1.0)

    def scaled(self, y: np.ndarray) -> np.ndarray:
        """The targets with a mean of 0 and a deviation of 1."""
        return ((y - self.mean) / self.scale).astype("float32")

    def data(self, data: Dataset) -> Dataset:
        """The data with their targets scaled."""
        return dataclasses.replace(data, y=self.scaled(data.y))

    def give(self, model: keras.Model) -> None:
        """Let a model that was trained on scaled targets answer in these units."""
        kernel, bias = model.layers[-1].get_weights()
        model.layers[-1].set_weights([kernel * self.scale, bias * self.scale + self.mean])

    def take(self, model: keras.Model) -> None:
        """Let a model that answers in these units answer as scaled targets are."""
        kernel, bias = model.layers[-1].get_weights()
        model.layers[-1].set_weights([kernel / self.scale, (bias - self.mean) / self.scale])
