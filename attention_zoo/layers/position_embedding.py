"""A learned vector for the place of each step."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.layers.arguments import from_saved
from attention_zoo.layers.register import serializable
from attention_zoo.layers.shapes import check_sequence, fixed_size
from attention_zoo.ops import masks


@serializable
class PositionEmbedding(keras.layers.Layer):
    """Adds a learned vector to each step, another for each place.

    ```
    output[t] = x[t] + E[t]
    ```

    The learned positions of Gehring et al., 2017 (arXiv:1705.03122). What PositionalEncoding
    writes beside the features has no weights and takes any length; this layer has a length, and
    can tell any place from any other.

    Masking: masked steps are 0. The mask is passed on.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.

    Returns:
        `(batch, time, features)`.

    Raises:
        ValueError: for an input that is not of rank 3, or of unknown length or width.

    Example:

    >>> tuple(az.layers.PositionEmbedding()(np.zeros((4, 20, 3), "float32")).shape)
    (4, 20, 3)
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        shape = [
            fixed_size(self, axis, size)
            for axis, size in zip(("time", "feature"), input_shape[1:], strict=True)
        ]
        self.embeddings = self.add_weight(
            name="embeddings", shape=tuple(shape), initializer=keras.initializers.RandomNormal(0, 1)
        )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        mask = masks.standardize(mask, inputs.shape[:2])
        return masks.apply_mask(inputs + keras.ops.cast(self.embeddings, inputs.dtype), mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PositionEmbedding:
        return cls(**from_saved(cls, config))
