"""Inputs and targets of mean 0 and deviation 1, inside a model or before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from attention_zoo.data.dataset import Dataset
from attention_zoo.data.padding import PADDING


def adapt(model: keras.Model, x: np.ndarray | Iterable[np.ndarray]) -> None:
    """Fit the model's `Normalization` layers to the inputs, an array or batches of them; a
    constant feature is left unscaled."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            with np.errstate(over="ignore"):
                whole = isinstance(x, np.ndarray)
                lowest, highest = (_adapt_to_array if whole else _adapt_to_batches)(layer, x)
            spread = np.asarray(layer.adapt_variance).ravel()
            if not np.isfinite(spread).all():
                large = np.maximum(np.abs(lowest), np.abs(highest))[~np.isfinite(spread)]
                raise ValueError(
                    "`x` is too large to be standardized in float32: its squares overflow. Divide "
                    f"it by its scale first. Received: values up to {float(large.max()):.3g}"
                )
            constant = lowest == highest
            if constant.any():
                # Else its rounding errors are divided by an epsilon, and so is any other value
                mean = np.where(constant, lowest, np.asarray(layer.adapt_mean))
                layer.adapt_mean.assign(mean)
                layer.adapt_variance.assign(np.where(constant, 1, layer.adapt_variance))
                layer.finalize_state()


_NO_STEP = "`x` has no step that is real: all are padding."


def _adapt_to_array(layer: keras.layers.Normalization, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each feature."""
    if x.size == 0:
        raise ValueError(_NO_STEP)
    layer.adapt(x)
    flat = x.reshape(-1, x.shape[-1])
    return flat.min(0), flat.max(0)


def _adapt_to_batches(
    layer: keras.layers.Normalization, batches: Any
) -> tuple[np.ndarray, np.ndarray]:
    """As `_adapt_to_array`, with one batch in memory at a time.

    Not Keras's own way: it computes on the backend, and JAX compiles that for each size of a batch.
    """
    count, mean, squares = np.zeros(1), np.zeros(1), np.zeros(1)
    lowest, highest = np.array([np.inf]), np.array([-np.inf])
    for batch in batches:
        flat = batch.reshape(-1, batch.shape[-1]).astype("float64")
        seen = ~np.isnan(flat)  # what is missing in a window is NaN
        own = np.maximum(seen.sum(0), 1)
        center = np.where(seen, flat, 0).sum(0) / own
        off = np.where(seen, flat - center, 0)
        count = count + seen.sum(0)
        share, jump = seen.sum(0) / np.maximum(count, 1), center - mean
        mean = mean + share * jump
        squares = squares + (off**2).sum(0) + seen.sum(0) * (1 - share) * jump**2
        lowest = np.minimum(lowest, np.where(seen, flat, np.inf).min(0, initial=np.inf))
        highest = np.maximum(highest, np.where(seen, flat, -np.inf).max(0, initial=-np.inf))
    if not count.all():
        raise ValueError(_NO_STEP)
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(squares / count)
    layer.finalize_state()
    return lowest, highest


def standardized(model: keras.Model, data: Dataset) -> np.ndarray:
    """The inputs as the model's `Normalization` hands them on; padding is filled with what no
    scaled step is."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            scaled = np.asarray(keras.ops.convert_to_numpy(layer(data.x)))
            if data.mask_value is None:
                return scaled
            real = np.any(data.x != data.mask_value, axis=-1, keepdims=True)
            return np.where(real, scaled, np.float32(PADDING))
    return data.x


def scaled(train: Dataset, *others: Dataset) -> list[Dataset]:
    """Data sets standardized by the first, for models that do not do it themselves."""
    inputs = keras.Input(train.input_shape)
    model = keras.Model(inputs, keras.layers.Normalization(dtype="float32")(inputs))
    adapt(model, train.visible())
    padding = None if train.mask_value is None else PADDING
    return [
        dataclasses.replace(one, x=standardized(model, one), mask_value=padding)
        for one in (train, *others)
    ]


@dataclasses.dataclass(frozen=True)
class TargetScaler:
    """The mean and the deviation of a quantity, of several that of each.

    A model trains on targets of mean 0 and deviation 1, so that prices and shares train equally
    well; its last layer, which is linear, then brings the predictions back to the user's units.
    """

    mean: Any
    scale: Any

    @classmethod
    def of(cls, y: np.ndarray, *, vector: bool = False) -> TargetScaler:
        """The scaler of the training targets; a constant target keeps its size."""
        axis = 0 if vector else None
        mean, scale = (f(y, axis=axis, dtype="float64") for f in (np.mean, np.std))
        return cls(mean, np.where(scale == 0, 1.0, scale))

    def scaled(self, y: np.ndarray) -> np.ndarray:
        """The targets with a mean of 0 and a deviation of 1."""
        return ((y - self.mean) / self.scale).astype("float32")

    def scale_data(self, data: Dataset) -> Dataset:
        """The data with their targets scaled."""
        return dataclasses.replace(data, y=self.scaled(data.y))

    def unscale_output(self, layer: keras.layers.Layer) -> None:
        """Let an output layer that was trained on scaled targets predict in the user's units."""
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * self.scale, bias * self.scale + self.mean])

    def scale_output(self, layer: keras.layers.Layer) -> None:
        """Let an output layer that predicts in the user's units predict scaled targets."""
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel / self.scale, (bias - self.mean) / self.scale])
