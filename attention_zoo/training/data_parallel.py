"""Data-parallel training: what each backend has in common, and `keras.distribution` on JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
from keras import ops

from attention_zoo.data.dataset import Dataset
from attention_zoo.training.distribution import SingleDevice

_Layout = keras.distribution.TensorLayout


class DataParallelModel(keras.Model):
    """A functional model that counts samples, since parts of a batch have unequally many.

    The third part of its data is 1 for a sample, and 0 for what stands in where a device has none.
    A backend adds the step of training.
    """

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y, real = data
        predictions = self(x, training=False)
        loss = self.compute_loss(x, y, predictions, training=False)
        return self.count(loss, y, predictions, real)

    def count(self, loss: Any, y: Any, predictions: Any, real: Any) -> dict[str, Any]:
        """The end of a step: the metrics of this device, the loss as its mean over samples."""
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=ops.sum(real))
            else:
                metric.update_state(y, predictions, sample_weight=real)
        return super().get_metrics_result()


class _DataParallel(keras.distribution.DataParallel):
    """Keras's, but that a batch may be of any size.

    Keras lays all batches of an epoch out like the first, into whose parts a smaller last one may
    not divide. Where that happens every device gets whole batches, of which the compiled step
    computes its part, or all of the smaller one.
    """

    whole = False

    def get_data_layout(self, data_shape: Any) -> Any:
        if self.whole:
            return _Layout([None] * len(data_shape), self.device_mesh)
        return super().get_data_layout(data_shape)


class _JaxModel(keras.Model):
    """A functional model whose batch is shared by all devices, however it arrived."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        mesh = keras.distribution.distribution().device_mesh
        samples, *others = inputs.shape
        if samples is not None and samples % mesh.devices.size == 0:
            parts = _Layout(["batch", *[None] * len(others)], mesh)
            inputs = keras.distribution.distribute_tensor(inputs, parts)
        return super().call(inputs, training=training, mask=mask)


class Devices(SingleDevice):
    """Training on all devices of this process: one program, whose arrays are spread over them."""

    def __init__(self, devices: list[str]):
        self.replicas = len(devices)
        self._distribution = _DataParallel(devices=devices, auto_shard_dataset=False)

    def scope(self) -> AbstractContextManager:
        return self._distribution.scope()

    def data_parallel(self, model: keras.Model) -> keras.Model:
        return _JaxModel(inputs=model.input, outputs=model.output, name=model.name)

    def arguments(
        self, train: Dataset, validation: Dataset | None, batch_size: int
    ) -> dict[str, Any]:
        self.check(len(train.x), batch_size)
        held = 0 if validation is None else len(validation)
        size = self.even_size(held)
        rests = (len(train.x) % batch_size, held % size)
        self._distribution.whole = any(rest % self.replicas for rest in rests)
        arguments = super().arguments(train, validation, batch_size)
        return arguments | ({} if validation is None else {"validation_batch_size": size})


@contextlib.contextmanager
def start() -> Iterator[Devices]:
    """Every device that JAX has; ValueError if that is one."""
    import jax

    if jax.process_count() > 1:
        raise ValueError(
            "On JAX, `distribute` trains on the devices of one process. "
            f"Received: {jax.process_count()} processes"
        )
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        raise ValueError(
            f"`distribute` needs two devices or more. JAX has: {', '.join(devices)}. (A processor "
            "counts as several with XLA_FLAGS=--xla_force_host_platform_device_count=2.)"
        )
    yield Devices(devices)
