"""A model's weights as bytes: HDF5 ends the process where its disk is full, so it sees none."""

from __future__ import annotations

import io

import keras


class _Memory(io.BytesIO):
    """A file in memory with a name that Keras takes for one of weights."""

    def __str__(self) -> str:
        return "memory.weights.h5"


def weights_bytes(model: keras.Model) -> bytes:
    """What `model.save_weights` would write to a `.weights.h5`."""
    memory = _Memory()
    model.save_weights(memory)
    return memory.getvalue()


def load_weights_bytes(model: keras.Model, data: bytes) -> None:
    """Load into a model what `weights_bytes` made of one like it, strictly as Keras does."""
    model.load_weights(_Memory(data))
