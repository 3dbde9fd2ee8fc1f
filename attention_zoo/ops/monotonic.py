"""Attention that only moves forward along the memory."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def monotonic(chosen: Any, previous: Any) -> Any:
    """The expected alignment of a reader that moves forward and stops where it chooses to.

    ```
    reached[j] = reached[j - 1] (1 - chosen[j - 1]) + previous[j]
    alignment[j] = chosen[j] reached[j]
    ```

    Raffel et al., 2017 (arXiv:1704.00784), equation 11. What is never chosen is lost at the end,
    so the sum may be less than 1. It is evaluated by doubling: products and sums of numbers
    between 0 and 1, exact where the quotient of cumulative products overflows.

    Args:
        chosen: `(batch, keys)`, the probability to stop at each key once it is reached; 0 passes
            over it.
        previous: `(batch, keys)`, the alignment of the query before; at the first query, all on
            the first key.

    Returns:
        The alignment, `(batch, keys)`, of the dtype of `chosen`.
    """
    dtype = keras.backend.standardize_dtype(chosen.dtype)
    work = "float32" if dtype in ("float16", "bfloat16") else dtype
    chosen, reached = ops.cast(chosen, work), ops.cast(previous, work)
    length = chosen.shape[-1]
    keys, zero = ops.arange(ops.shape(chosen)[-1]), ops.zeros((), work)

    def back(x: Any, steps: int) -> Any:
        return ops.where(keys >= steps, ops.roll(x, steps, axis=-1), zero)

    passed = back(1 - chosen, 1)
    # Of unknown length it may be anything an int32 can index
    for doubling in range(31 if length is None else (length - 1).bit_length()):
        reached = reached + passed * back(reached, 2**doubling)
        passed = passed * back(passed, 2**doubling)
    return ops.cast(chosen * reached, dtype)
