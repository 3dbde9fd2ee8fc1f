"""Runs that depend on their seed and leave the caller's draws as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np


@contextmanager
def draws_kept() -> Iterator[None]:
    """What is drawn in the block, NumPy and Python go on afterwards as before."""
    before = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Keras, its backend, NumPy and Python seeded; the latter two go on afterwards as before."""
    with draws_kept():
        keras.utils.set_random_seed(seed)
        yield
