"""Data-parallel training on JAX: `keras.distribution.DataParallel` over this process's devices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import jax
import keras

from attention_zoo.training.data import Dataset
from attention_zoo.training.distribution import Alone

_Layout = keras.distribution.TensorLayout


class _DataParallel(keras.distribution.DataParallel):
    """Keras's, but that a batch may be of any size.

    Keras lays all batches of an epoch out like the first, into whose parts a smaller last one may
    not divide. Where that happens every device is given whole batches, of which the compiled step
    computes its part, or all of the smaller one.
    """

    whole = False

    def get_data_layout(self, data_shape: Any) -> Any:
        if self.whole:
            return _Layout([None] * len(data_shape), self.device_mesh)
        return super().get_data_layout(data_shape)


class _Twin(keras.Model):
    """A functional model whose batch is shared by all devices, however it arrived."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        mesh = keras.distribution.distribution().device_mesh
        samples, *others = inputs.shape
        if samples is not None and samples % mesh.devices.size == 0:
            parts = _Layout(["batch", *[None] * len(others)], mesh)
            inputs = keras.distribution.distribute_tensor(inputs, parts)
        return super().call(inputs, training=training, mask=mask)


class Devices(Alone):
    """Training on all devices of this process: one program, whose arrays are spread over them."""

    def __init__(self, devices: list[str]):
        self.replicas = len(devices)
        self._distribution = _DataParallel(devices=devices, auto_shard_dataset=False)

    def scope(self) -> AbstractContextManager:
        return self._distribution.scope()

    def twin(self, model: keras.Model) -> keras.Model:
        return _Twin(inputs=model.input, outputs=model.output, name=model.name)

    def arguments(self, train: Dataset, validation: Dataset, batch_size: int) -> dict[str, Any]:
        self.check(len(train.x), batch_size)
        size = self.even_size(len(validation.x))
        rests = (len(train.x) % batch_size, len(validation.x) % size)
        self._distribution.whole = any(rest % self.replicas for rest in rests)
        return {
            **super().arguments(train, validation, batch_size), "validation_batch_size": size,
        }  # fmt: skip


@contextlib.contextmanager
def start() -> Iterator[Devices]:
    """Every device that JAX has; ValueError if that is one."""
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
