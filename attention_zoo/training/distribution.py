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
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.stream import Stream

T = TypeVar("T")

#: Keras's own distribution trains on JAX alone.
_MODULES = {"jax": "", "tensorflow": "_tensorflow", "torch": "_torch"}

#: Validation is no step of the training, so its batches are as large as is fast.
VALIDATION_BATCH = 1000


class SingleDevice:
    """Training on one device, as Keras does it; the base of the other strategies.

    Attributes:
        replicas: how many parts of a batch are worked on at once.
        first: whether this process is the one that writes and prints.
    """

    replicas = 1
    first = True

    def scope(self) -> AbstractContextManager:
        """Where models are made and trained."""
        return contextlib.nullcontext()

    def data_parallel(self, model: keras.Model) -> keras.Model:
        """What is trained in place of a model, with the same variables."""
        return model

    def arguments(
        self, train: Dataset, validation: Dataset | None, batch_size: int
    ) -> dict[str, Any]:
        """The data as `fit` takes them."""
        if isinstance(train, Stream):
            # A PyDataset's batches can be shuffled, others shuffle by themselves
            shuffle = isinstance(train.source, keras.utils.PyDataset)
            arguments = {"x": train.source, "shuffle": shuffle}
        else:
            arguments = dict(zip(("x", "y", "sample_weight"), samples(train), strict=False))
            arguments["batch_size"] = batch_size
        if isinstance(validation, Stream):
            arguments["validation_data"] = validation.source
        elif validation is not None:
            arguments["validation_data"] = samples(validation)
            arguments["validation_batch_size"] = VALIDATION_BATCH
        return arguments

    def agree(self, well: bool) -> bool:
        """Whether all went well in every process; each waits here for the others."""
        return well

    def on_main_process(self, action: Callable[[], T]) -> T:
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

    def check(self, count: int, batch_size: int) -> None:
        """ValueError for a batch that cannot be shared equally, with those near it that can."""
        if batch_size % self.replicas or batch_size > count:
            below = min(batch_size, count) // self.replicas * self.replicas
            near = [n for n in (below, below + self.replicas) if 0 < n <= count]
            raise ValueError(
                f"`batch_size` counts the samples of a step on all devices: it must be a multiple "
                f"of the {self.replicas} devices, and at most the {count} training samples. "
                f"Received: {batch_size}. Near it: {', '.join(map(str, near)) or 'none'}"
            )

    def even_size(self, count: int) -> int:
        """The size of the validation's batches: of a whole one, every replica has as much."""
        return max(1, min(VALIDATION_BATCH, count) // self.replicas) * self.replicas


def samples(data: Dataset) -> tuple[Any, ...]:
    """x and y, and the weights of the samples where they have some."""
    x, y, weight = data.x, data.target(), data.sample_weight
    if weight is None:
        return x, y
    return x, y, dict.fromkeys(y, weight) if isinstance(y, dict) else weight


def is_first() -> bool:
    """Whether this process is the first of those that a launcher started, as far as they say.

    Returns:
        True without a launcher, and in the first process of one.

    Example:

    >>> az.training.is_first()
    True
    """
    if keras.backend.backend() == "torch":
        return os.environ.get("RANK", "0") == "0"
    return keras.backend.backend() != "tensorflow" or leads(tf_config())


def leads(cluster: dict[str, Any]) -> bool:
    """Whether this process is the one of a cluster that writes: the chief, or the first worker."""
    task = cluster.get("task", {})
    if "chief" in cluster.get("cluster", {}):
        return task.get("type") == "chief"
    return task.get("index", 0) == 0


def tf_config() -> dict[str, Any]:
    """What `TF_CONFIG` says, TensorFlow's own description of several machines; empty if unset."""
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"TF_CONFIG must be JSON ({error}). Received: {text[:200]!r}") from None
    if not isinstance(config, dict):
        raise ValueError(f"TF_CONFIG must be a JSON object. Received: {text[:200]!r}")
    return config


@contextlib.contextmanager
def strategy(distribute: bool) -> Iterator[SingleDevice]:
    """How a run is trained: on one device, or on all that the backend and its launcher offer.

    Raises:
        ValueError: if there is a single device or process, or the backend trains on no others.
    """
    checks.boolean("distribute", distribute)
    if not distribute:
        yield SingleDevice()
        return
    backend = keras.backend.backend()
    if backend not in _MODULES:
        raise ValueError(f"`distribute` needs JAX, TensorFlow or torch. Received: {backend!r}")
    module = importlib.import_module(f"attention_zoo.training.data_parallel{_MODULES[backend]}")
    with module.start() as devices:
        yield devices
