"""Inputs of mean 0 and deviation 1, inside a model or before it."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from attention_zoo.training.data import PADDING, Dataset


def adapt(model: keras.Model, x: np.ndarray) -> None:
    """Fit the model's `Normalization` layers to the inputs; a constant feature is left unscaled."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            if x.size == 0:
                raise ValueError("`x` has no step that is real: all are padding.")
            with np.errstate(over="ignore"):
                layer.adapt(x)
            flat = x.reshape(-1, x.shape[-1])
            spread = np.asarray(layer.adapt_variance).ravel()
            if not np.isfinite(spread).all():
                largest = float(np.abs(flat[:, ~np.isfinite(spread)]).max())
                raise ValueError(
                    "`x` is too large to be standardized in float32: its squares overflow. Divide "
                    f"it by its scale first. Received: values up to {largest:.3g}"
                )
            constant = np.ptp(flat, axis=0) == 0
            if constant.any():
                # Else its rounding errors are divided by an epsilon, and so is any other value
                mean = np.where(constant, flat[0], np.asarray(layer.adapt_mean))
                layer.adapt_mean.assign(mean)
                layer.adapt_variance.assign(np.where(constant, 1, layer.adapt_variance))
                layer.finalize_state()


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
