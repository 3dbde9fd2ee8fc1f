"""A random order that takes no memory."""

from __future__ import annotations

import numpy as np


def shuffled(which: np.ndarray, count: int, key: int) -> np.ndarray:
    """The numbers in some places of a random order of 0 to `count` - 1.

    A Feistel cipher over the numbers, whose results beyond the last are ciphered again (Black and
    Rogaway, 2002, Ciphers with arbitrary finite domains): a permutation, of which no more than
    these places is computed.

    Args:
        which: the places.
        count: how many numbers there are.
        key: of the order.
    """
    half = max(1, -(-(count - 1).bit_length() // 2))
    low = np.uint64((1 << half) - 1)
    rounds = np.random.SeedSequence(key).generate_state(4, "uint64")
    found = which.astype("uint64")
    beyond = np.ones(found.shape, bool)
    while beyond.any():
        left, right = found[beyond] >> np.uint64(half), found[beyond] & low
        for one in rounds:
            mixed = (right ^ one) * np.uint64(0x9E3779B97F4A7C15)
            left, right = right, left ^ ((mixed >> np.uint64(29) ^ mixed >> np.uint64(47)) & low)
        found[beyond] = (left << np.uint64(half)) | right
        beyond = found >= count
    return found.astype("int64")
