"""Runs that depend on their seed and leave the caller's draws as they were."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

#: One thread at a time draws from the generators of the process: Keras's `fit` takes the order of
#: the samples from them on each backend, and has no argument for another one.
ONE_AT_A_TIME = threading.RLock()


@contextmanager
def draws_kept() -> Iterator[None]:
    """What is drawn in the block, NumPy and Python go on afterwards as before."""
    with ONE_AT_A_TIME:
        before = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        with ONE_AT_A_TIME:
            random.setstate(before[0])
            np.random.set_state(before[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Keras, its backend, NumPy and Python seeded; the latter two go on afterwards as before.

    Another thread waits at its own block until this one ends.
    """
    with ONE_AT_A_TIME, draws_kept():
        keras.utils.set_random_seed(seed)
        yield
