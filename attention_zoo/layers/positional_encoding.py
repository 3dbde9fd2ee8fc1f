"""The place of each step, written beside its features."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers.register import serializable
from attention_zoo.layers.shapes import check_sequence, fixed_size
from attention_zoo.ops import masks


@serializable
class PositionalEncoding(keras.layers.Layer):
    """Puts sines and cosines of each step's place beside its features.

    ```
    angle[t, k] = t / max_wavelength^(2 k / channels)        k = 0 .. channels / 2 - 1
    output[t] = [sin(angle[t]); x[t]; cos(angle[t])]
    ```

    The encoding of Vaswani et al., 2017 (arXiv:1706.03762), concatenated rather than added. With
    it an attention layer that knows a step by its content can also know it by its place. Half of
    the channels stand on each side, so that the state of a bidirectional layer keeps its two
    halves. The layer has no weights and takes any length.

    Masking: the place `t` counts the visible steps, so that padding on either side changes
    nothing. The mask is passed on.

    Args:
        channels: an even number, the width of what is added.
        max_wavelength: the longest wavelength is 2 pi times nearly this many steps.
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.

    Returns:
        `(batch, time, features + channels)`.

    Raises:
        ValueError: for an odd number of channels, or an input that is not of rank 3.

    Example:

    >>> tuple(az.layers.PositionalEncoding(channels=8)(np.zeros((4, 20, 3), "float32")).shape)
    (4, 20, 11)
    """

    def __init__(self, channels: int = 8, max_wavelength: float = 100.0, **kwargs: Any):
        super().__init__(**kwargs)
        checks.positive_int("channels", channels)
        checks.positive("max_wavelength", max_wavelength)
        if channels % 2:
            raise ValueError(f"`channels` must be an even number. Received: channels={channels}")
        self.channels = channels
        self.max_wavelength = max_wavelength
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        fixed_size(self, "feature", input_shape[2])

    def call(self, inputs: Any, mask: Any = None) -> Any:
        mask = masks.standardize(mask, inputs.shape[:2])
        # Half precision cannot count to 2,049
        if mask is None:
            steps = ops.expand_dims(ops.arange(ops.shape(inputs)[1], dtype="float32"), 0)
        else:
            steps = ops.cumsum(ops.cast(mask, "float32"), axis=1) - 1
        rates = [self.max_wavelength ** (-2 * k / self.channels) for k in range(self.channels // 2)]
        angles = ops.expand_dims(steps, -1) * ops.convert_to_tensor(rates, dtype="float32")
        # A product with ones, since some backends do not broadcast to an unknown batch
        ones = ops.ones_like(inputs[:, :, :1])
        sines, cosines = (ops.cast(f(angles), inputs.dtype) * ones for f in (ops.sin, ops.cos))
        return ops.concatenate([sines, inputs, cosines], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:2], input_shape[2] + self.channels)

    def get_config(self) -> dict[str, Any]:
        more = {"channels": self.channels, "max_wavelength": self.max_wavelength}
        return {**super().get_config(), **more}
