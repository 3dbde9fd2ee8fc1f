"""One training run on one device, or shared by several: what differs between the two."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import keras

from attention_zoo.core import checks
from attention_zoo.training.data import Dataset

T = TypeVar("T")

#: Validation is no step of the training, so its batches are as large as is fast.
VALIDATION_BATCH = 1000


class Alone:
    """Training on one device, as Keras does it, and what its distributed kin share.

    Attributes:
        replicas: how many parts of a batch are worked on at once.
        first: whether this process is the one that writes and prints.
    """

    replicas = 1
    first = True

    def scope(self) -> AbstractContextManager:
        """Where models are made and trained."""
        return contextlib.nullcontext()

    def twin(self, model: keras.Model) -> keras.Model:
        """What is trained in place of a model, with the same variables."""
        return model

    def arguments(self, train: Dataset, validation: Dataset, batch_size: int) -> dict[str, Any]:
        """The data as `fit` takes them."""
        return {
            "x": train.x,
            "y": target(train),
            "batch_size": batch_size,
            "validation_data": (validation.x, target(validation)),
            "validation_batch_size": VALIDATION_BATCH,
        }

    def agree(self, well: bool) -> bool:
        """Whether all went well in every process; each waits here for the others."""
        return well

    def in_turn(self, action: Callable[[], T]) -> T:
        """Run something in the first process and, if it ends well there, in the others."""
        if not self.first:
            if not self.agree(True):
                raise RuntimeError("The first process stopped: its own message says why.")
            return action()
        well = False
        try:
            result = action()
            well = True
        finally:
            self.agree(well)
        return result

    def check(self, samples: int, batch_size: int) -> None:
        """ValueError for a batch that cannot be shared equally, with those near it that can."""
        if batch_size % self.replicas or batch_size > samples:
            below = min(batch_size, samples) // self.replicas * self.replicas
            near = [n for n in (below, below + self.replicas) if 0 < n <= samples]
            raise ValueError(
                f"`batch_size` counts the samples of a step on all devices: it must be a multiple "
                f"of the {self.replicas} devices, and at most the {samples} training samples. "
                f"Received: {batch_size}. Near it: {', '.join(map(str, near)) or 'none'}"
            )

    def even_size(self, samples: int) -> int:
        """The size of the validation's batches: of a whole one, every replica has as much."""
        return max(1, min(VALIDATION_BATCH, samples) // self.replicas) * self.replicas


def target(data: Dataset) -> Any:
    """The targets, with the last axis of a model that answers at every step."""
    return data.y[..., None] if data.y.ndim > 1 else data.y


def is_first() -> bool:
    """Whether this process is the first of those that a launcher started, as far as they say."""
    if keras.backend.backend() == "torch":
        return os.environ.get("RANK", "0") == "0"
    return keras.backend.backend() != "tensorflow" or leads(cluster())


def leads(found: dict[str, Any]) -> bool:
    """Whether this process is the one of a cluster that writes: the chief, or the first worker."""
    task = found.get("task", {})
    if "chief" in found.get("cluster", {}):
        return task.get("type") == "chief"
    return task.get("index", 0) == 0


def cluster() -> dict[str, Any]:
    """What `TF_CONFIG` says, TensorFlow's own description of several machines; empty if unset."""
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"TF_CONFIG must be JSON ({error}). Received: {text[:200]!r}") from None
    if not isinstance(found, dict):
        raise ValueError(f"TF_CONFIG must be a JSON object. Received: {text[:200]!r}")
    return found


@contextlib.contextmanager
def together(distribute: bool) -> Iterator[Alone]:
    """How a run is trained: alone, or on every device that the backend and its launcher offer.

    Raises:
        ValueError: if there is a single device or process, or the backend trains on no others.
    """
    checks.boolean("distribute", distribute)
    if not distribute:
        yield Alone()
        return
    backend = keras.backend.backend()
    if backend not in ("jax", "tensorflow", "torch"):
        raise ValueError(f"`distribute` needs JAX, TensorFlow or torch. Received: {backend!r}")
    module = importlib.import_module(f"attention_zoo.training.distributed_{backend}")
    with module.start() as found:
        yield found
