"""Models that are made, measured and thrown away, many in one process."""

from __future__ import annotations

import ctypes
import itertools
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import keras

#: JAX forgets its compiled code after so many blocks: some of it serves the next model as well,
#: and to compile that again takes seconds.
FORGETS = 5

_blocks = itertools.count(1)


class _NotOfNewModels(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "tf.function retracing" not in record.getMessage()


@contextmanager
def many_models() -> Iterator[None]:
    """TensorFlow does not warn, in the block, that one model after the other is new to it."""
    logger, added = logging.getLogger("tensorflow"), _NotOfNewModels()
    logger.addFilter(added)
    try:
        yield
    finally:
        logger.removeFilter(added)


@contextmanager
def temporary_models() -> Iterator[None]:
    """No model that is trained in the block outlives it: what the backend holds of them, goes.

    TensorFlow registers the gradient of a `custom_gradient` again whenever a function with one is
    traced, and never lets go of it, nor of the graph that it belongs to: Keras's `fit` has some.
    JAX keeps what it compiled, some 60 MB a model; what it compiled of other models goes too, and
    is compiled again when they are called.
    """
    before = set(_gradients())
    try:
        with many_models():
            yield
    finally:
        kept = _gradients()
        for name in set(kept) - before:
            del kept[name]
        policy = keras.config.dtype_policy()
        devices = keras.distribution.distribution()
        keras.utils.clear_session()  # which collects garbage, and takes these for the models' own
        keras.config.set_dtype_policy(policy)
        if devices is not None:
            keras.distribution.set_distribution(devices)
        if keras.backend.backend() == "jax" and next(_blocks) % FORGETS == 0:
            import jax

            jax.clear_caches()
        _give_back()


def _give_back() -> None:
    """What was freed goes back to the system, which glibc does of what is large alone."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _gradients() -> MutableMapping[str, Any]:
    """The gradients that TensorFlow knows by name; none under another backend."""
    if keras.backend.backend() != "tensorflow":
        return {}
    from tensorflow.python.framework import ops

    # It has no public way to take one back; without this one memory grows, and no more
    return getattr(getattr(ops, "gradient_registry", None), "_registry", {})
