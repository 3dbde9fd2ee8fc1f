"""Dropout whose noise depends on the seed and the cell alone, not on how the cells are evaluated.

A score's fate is a hash of the seed and of its indices, so that the plain and the blockwise
evaluation drop the same scores, on every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops


def dropout(x: Any, rate: float, seed: Any, steps: Sequence[Any] = ()) -> Any:
    """`x` with the fraction `rate` of its cells 0 and the others divided by 1 - rate.

    Args:
        x: a tensor of any shape.
        rate: at least 0 and below 1.
        seed: two integers, such as `keras.random.SeedGenerator.next()` gives.
        steps: the indices of the cells along the last axes of `x`, each a vector of integers; by
            default they count from 0.
    """
    seed = ops.cast(ops.convert_to_tensor(seed), "uint32")
    rank = len(x.shape)
    indices = [None] * (rank - len(steps)) + list(steps)
    state = _mixed(seed[0])
    for axis, index in enumerate(indices):
        index = ops.arange(ops.shape(x)[axis]) if index is None else index
        index = ops.cast(index, "uint32")
        state = _mixed(_word(ops.expand_dims(state, -1) + _word(index * _constant(0x9E3779B9))))
        state = ops.bitwise_xor(state, seed[1])
    kept = state >= _constant(int(rate * 2**32))
    return ops.where(kept, x / (1.0 - rate), ops.zeros((), x.dtype))


def _mixed(x: Any) -> Any:
    """A bijection of 32 bits that spreads each of them (C. Wellons' hash prospector, lowbias32)."""
    x = ops.bitwise_xor(x, ops.right_shift(x, _constant(16)))
    x = _word(x * _constant(0x7FEB352D))
    x = ops.bitwise_xor(x, ops.right_shift(x, _constant(15)))
    x = _word(x * _constant(0x846CA68B))
    return ops.bitwise_xor(x, ops.right_shift(x, _constant(16)))


def _constant(value: int) -> Any:
    return ops.convert_to_tensor(np.array(value, "uint32"), dtype="uint32")


def _word(x: Any) -> Any:
    # torch has no arithmetic of uint32, so Keras gives int64, of which these are the low bits
    return ops.bitwise_and(x, _constant(0xFFFFFFFF))
