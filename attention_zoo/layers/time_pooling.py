"""One vector from the steps of a sequence, without attention."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attention_zoo.core.registry import one_of
from attention_zoo.layers.arguments import from_saved
from attention_zoo.layers.register import serializable
from attention_zoo.layers.shapes import fixed_size
from attention_zoo.ops import masks
from attention_zoo.ops.backend import cast, is_half

REDUCTIONS = ("sum", "mean", "flatten")


@serializable
class TimePooling(keras.layers.Layer):
    """One vector from the visible time steps; zeros for a sample that has none.

    The sum of what a gating attention layer returns is the context vector, sum_t a_t h_t. The
    mean is attention with uniform scores. Flattened, every step has its own place, which needs a
    fixed length.

    Args:
        reduction: `"sum"`, `"mean"` or `"flatten"`.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; masked steps count for nothing. It is not passed on.

    Returns:
        `(batch, features)`, or `(batch, time * features)` if flattened.

    Raises:
        ValueError: for another reduction, or an unknown length that is to be flattened.

    Example:

    >>> tuple(az.layers.TimePooling("mean")(np.ones((4, 20, 3), "float32")).shape)
    (4, 3)
    """

    def __init__(self, reduction: str = "sum", **kwargs: Any):
        super().__init__(**kwargs)
        if reduction not in REDUCTIONS:
            raise one_of("reduction", reduction, REDUCTIONS)
        self.reduction = reduction
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if self.reduction == "flatten":
            fixed_size(self, "time", input_shape[1], "reduction='sum' takes any length.")

    def call(self, inputs: Any, mask: Any = None) -> Any:
        mask = masks.standardize(mask, inputs.shape[:2])
        inputs = masks.apply_mask(inputs, mask)
        if self.reduction == "flatten":
            return ops.reshape(inputs, (-1, inputs.shape[1] * inputs.shape[2]))
        work = ops.cast(inputs, "float32") if is_half(inputs.dtype) else inputs
        total = ops.sum(work, axis=1)
        if self.reduction == "sum":
            return cast(total, inputs.dtype)
        return cast(total / masks.count(mask, work), inputs.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        if self.reduction == "flatten":
            return (input_shape[0], input_shape[1] * input_shape[2])
        return (input_shape[0], input_shape[2])

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        return None

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TimePooling:
        return cls(**from_saved(cls, config))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reduction": self.reduction}
