"""Arithmetic that keeps the precision of its arguments, and stays within their range."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

_LARGEST_HALF = 65504.0


def is_half(dtype: Any) -> bool:
    """Whether the dtype has 16 bits, so that sums and exponentials are better had in float32."""
    return keras.backend.standardize_dtype(dtype) in ("float16", "bfloat16")


def cast(x: Any, dtype: Any) -> Any:
    """`x` in that dtype; what overflows float16 becomes its largest number, NaN stays."""
    return _within(ops.cast(x, dtype))


def _within(x: Any) -> Any:
    if keras.backend.standardize_dtype(x.dtype) != "float16":
        return x
    return ops.clip(x, -_LARGEST_HALF, _LARGEST_HALF)


def matmul(x: Any, y: Any) -> Any:
    """`(..., i, j)` times `(..., j, k)`; what overflows float16 becomes its largest number, since
    two infinities further on would make NaN."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype == "float64":
        # `ops.matmul` of Keras 3.15.1 falls from float64 to float32 on torch, `ops.einsum` does not
        return ops.einsum("...ij,...jk->...ik", x, y)
    return _within(ops.matmul(x, y))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent; `ops.tanh` of Keras 3.15.1 falls from float64 to float32 on JAX."""
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.tanh(x)
    # No sign or absolute value, whose gradients at 0 are not those of the tangent
    power = ops.expm1(2 * ops.clip(x, -20.0, 20.0))
    return power / (power + 2)


def mean(x: Any, axis: int | None = None) -> Any:
    """The mean; `ops.mean` of Keras 3.15.1 computes float64 in float32 on JAX and torch."""
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.mean(x, axis=axis)
    return ops.sum(x, axis=axis) / ops.cast(
        ops.size(x) if axis is None else ops.shape(x)[axis], x.dtype
    )
