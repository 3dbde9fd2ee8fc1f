"""A convolution over time that padding does not change."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attention_zoo.layers.register import serializable
from attention_zoo.ops import masks


@serializable
class MaskedConv1D(keras.layers.Conv1D):
    """`keras.layers.Conv1D` over the visible steps of a sequence, with the mask passed on.

    Masked steps are 0 to the convolution, as the zeros around the sequence are. Step j of the
    output stands for the steps `[j * strides, (j + 1) * strides)` of the input, on which its
    kernel is centred, and is visible if any of them is. So a series that is padded at its end
    has the outputs of the unpadded one, whatever the padding holds, NaN included.

    Differs from `keras.layers.Conv1D`: with strides the zeros around do not depend on the length,
    which padding would change.

    Args:
        filters: the number of features of the output.
        kernel_size: how many steps a step of the output sees; at least `strides`, so that no step
            is left out.
        strides: how many steps of the input become one of the output.
        **kwargs: the other arguments of `keras.layers.Conv1D`, but for `padding` and
            `data_format`.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.

    Returns:
        `(batch, ceil(time / strides), filters)`; its mask has a step for each of these.

    Raises:
        ValueError: for a kernel below `strides`, or what `keras.layers.Conv1D` refuses.

    Example:

    >>> layer = az.layers.MaskedConv1D(filters=8, kernel_size=5, strides=2)
    >>> tuple(layer(np.ones((4, 11, 3), "float32")).shape)
    (4, 6, 8)
    """

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, **kwargs: Any):
        fixed = {"padding": "valid", "data_format": "channels_last"}
        super().__init__(filters, kernel_size, strides, **fixed, **kwargs)
        if self._span < self.strides[0]:
            raise ValueError(
                "`kernel_size` must be at least `strides`, or steps would be left out. Received: "
                f"kernel_size={self.kernel_size[0]}, strides={self.strides[0]}"
            )
        self.supports_masking = True

    @property
    def _span(self) -> int:
        """The number of steps from the first to the last that the kernel sees."""
        return (self.kernel_size[0] - 1) * self.dilation_rate[0] + 1

    def call(self, inputs: Any, mask: Any = None) -> Any:
        inputs = masks.apply_mask(inputs, masks.standardize(mask, inputs.shape[:2]))
        before = (self._span - self.strides[0]) // 2
        after = self._span - 1 - before
        return super().call(ops.pad(inputs, [[0, 0], [before, after], [0, 0]]))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, time, features = input_shape
        time = None if time is None else time + self._span - 1
        return super().compute_output_shape((batch, time, features))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        stride = self.strides[0]
        if previous_mask is None or stride == 1:
            return previous_mask
        steps = ops.cast(ops.expand_dims(previous_mask, -1), "float32")
        steps = ops.pad(steps, [[0, 0], [0, stride - 1], [0, 0]])
        return ops.max_pool(steps, stride, stride, "valid", "channels_last")[..., 0] > 0.5

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in config if name not in ("padding", "data_format")}
