"""Data-parallel training on TensorFlow: `tf.distribute`, on one machine or on several."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters import ArrayDataAdapter

from attention_zoo.data.dataset import Dataset
from attention_zoo.training.data_parallel import DataParallelModel
from attention_zoo.training.distribution import SingleDevice, leads, tf_config

_SUM = tf.distribute.ReduceOp.SUM


class _Model(DataParallelModel):
    """A model whose gradients are those of all replicas together.

    `tf.distribute` takes the mean over replicas, which is the mean over samples only where all
    have equally many.
    """

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras takes the mean over the replicas' parts, which fails where a process has one alone
        if iterator is not None:
            parts = next(next(iter(iterator))[2])
            strategy = self.distribute_strategy
            data_batch = tuple(strategy.experimental_local_results(part)[0] for part in parts)
        super()._maybe_symbolic_build(data_batch=data_batch)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, real = data
        context = tf.distribute.get_replica_context()
        with tf.GradientTape() as tape:
            predictions = self(x, training=True)
            loss = self.compute_loss(x, y, predictions, training=True)
            share = context.num_replicas_in_sync * tf.reduce_sum(real)
            weighted = loss * share / context.all_reduce(_SUM, tf.reduce_sum(real))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(weighted, weights), weights, strict=True))
        return self.count(loss, y, predictions, real)

    def count(self, loss: Any, y: Any, predictions: Any, real: Any) -> dict[str, Any]:
        # Keras divides a loss by the replicas, since their gradients are added
        mean = loss * tf.distribute.get_strategy().num_replicas_in_sync
        metrics = super().count(mean, y, predictions, real)
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras 3.15 takes their mean over machines along a first axis, which metrics lack
            return {name: tf.reshape(value, [1]) for name, value in metrics.items()}
        return metrics


class _Parts(ArrayDataAdapter):
    """Each replica's part of each batch, in the order that Keras has on one device.

    It is an adapter and no data set since Keras runs past the end of one whose batches it cannot
    count, which counts as a step of the optimizer.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, data: Dataset, batch_size: int, *, shuffle: bool
    ):
        super().__init__(np.arange(len(data.x)), batch_size=batch_size, shuffle=shuffle)
        self.strategy, self.x, self.y = strategy, data.x, data.target()

    def get_tf_dataset(self) -> Any:
        batches = super().get_tf_dataset()
        return self.strategy.distribute_datasets_from_function(
            lambda context: self._here(batches, context)
        )

    def _here(self, batches: tf.data.Dataset, context: tf.distribute.InputContext) -> Any:
        """The parts of this process's replicas, one after the other."""
        replicas = self.strategy.num_replicas_in_sync
        own = replicas // context.num_input_pipelines
        first = own * context.input_pipeline_id
        x, y = tf.constant(self.x), tf.constant(self.y)

        def part(indices: Any, replica: Any) -> Any:
            samples = tf.size(indices, tf.int64)
            begin, end = (samples * n // replicas for n in (replica, replica + 1))
            mine = tf.cond(end > begin, lambda: indices[begin:end], lambda: indices[:1])
            real = tf.fill([tf.size(mine)], tf.cast(end > begin, x.dtype))
            return tf.gather(x, mine), tf.gather(y, mine), real

        def parts(indices: Any) -> tf.data.Dataset:
            return tf.data.Dataset.range(first, first + own).map(lambda r: part(indices, r))

        return batches.flat_map(parts).prefetch(tf.data.AUTOTUNE)


class Strategy(SingleDevice):
    """Training under a strategy of `tf.distribute`."""

    def __init__(self, strategy: tf.distribute.Strategy, *, several: bool, first: bool):
        self.strategy, self.several, self.first = strategy, several, first
        self.replicas = strategy.num_replicas_in_sync

    def scope(self) -> AbstractContextManager:
        return self.strategy.scope()

    def data_parallel(self, model: keras.Model) -> keras.Model:
        return _Model(inputs=model.input, outputs=model.output, name=model.name)

    def arguments(
        self, train: Dataset, validation: Dataset | None, batch_size: int
    ) -> dict[str, Any]:
        self.check(len(train.x), batch_size)
        arguments = {"x": _Parts(self.strategy, train, batch_size, shuffle=True)}
        if validation is not None:
            size = self.even_size(len(validation))
            arguments["validation_data"] = _Parts(self.strategy, validation, size, shuffle=False)
        return arguments

    def agree(self, well: bool) -> bool:
        if not self.several:
            return well
        failed = tf.constant(0.0 if well else 1.0)
        # Not compiled: a compiled strategy finds no device to add up on
        added = self.strategy.run(_added, args=(failed,))
        return float(self.strategy.experimental_local_results(added)[0]) == 0


def _added(value: Any) -> Any:
    return tf.distribute.get_replica_context().all_reduce(_SUM, value)


@contextlib.contextmanager
def start() -> Iterator[Strategy]:
    """The strategy for what TF_CONFIG says, or for this machine's devices; ValueError for one."""
    config = tf_config()
    workers = [a for kind in ("chief", "worker") for a in config.get("cluster", {}).get(kind, ())]
    if len(workers) > 1:
        task = config.get("task", {})
        kind, index = task.get("type"), task.get("index")
        if kind not in ("chief", "worker") or not isinstance(index, int):
            raise ValueError(
                "TF_CONFIG must say which this process is, as in "
                f'"task": {{"type": "worker", "index": 0}}. Received: task={task!r}'
            )
        yield Strategy(_several(), several=True, first=leads(config))
        return
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise ValueError(
            f"`distribute` needs two devices or more. TensorFlow has: {devices[0].name}. For "
            "several machines, or several processes, set TF_CONFIG in each."
        )
    names = [device.name for device in devices]
    yield Strategy(tf.distribute.MirroredStrategy(names), several=False, first=True)


def _several() -> tf.distribute.Strategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ValueError(
            "Training on several machines begins before anything else uses TensorFlow: call "
            f"`train(..., distribute=True)` first in the program. ({error})"
        ) from None
