"""Data-parallel training on torch: DistributedDataParallel, one process a device."""

from __future__ import annotations

import atexit
import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from attention_zoo.data.dataset import Dataset
from attention_zoo.training.data_parallel import DataParallelModel
from attention_zoo.training.distribution import SingleDevice


class _Model(DataParallelModel):
    """A model whose gradients and metrics are those of all processes together.

    DistributedDataParallel takes the mean over processes, which is the mean over samples only
    where all have equally many.
    """

    def share(self) -> None:
        """Begin: with the first process's weights, and different dropout in each."""
        frozen = any(getattr(layer, "normalizer", "") == "uniform" for layer in self.layers)
        parallel = DistributedDataParallel(self, find_unused_parameters=frozen)
        # Not an attribute, which would make the model a part of its own part
        self.__dict__["_parallel"] = [parallel]
        for variable in self.non_trainable_variables:
            if variable.name == "seed_generator_state":
                variable.assign(variable + [distributed.get_rank(), 0])

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, real = data
        predictions = self.__dict__["_parallel"][0](x, training=True)
        self.zero_grad()
        loss = self.compute_loss(x, y, predictions, training=True)
        total = real.sum().clone()
        distributed.all_reduce(total)
        (loss * real.sum() * distributed.get_world_size() / total).backward()
        weights = self.trainable_variables
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
        return self.count(loss, y, predictions, real)

    def get_metrics_result(self) -> dict[str, Any]:
        """The metrics over the samples of all processes: their sums are added for as long."""
        values = [variable.value for metric in self.metrics for variable in metric.variables]
        own = [value.clone() for value in values]
        with torch.no_grad():
            for value in values:
                distributed.all_reduce(value)
            result = {name: float(value) for name, value in super().get_metrics_result().items()}
            for value, before in zip(values, own, strict=True):
                value.copy_(before)
        return result


class _Parts:
    """A sampler that gives this process's part of each batch, and whether there is one."""

    def __init__(self, batches: Any):
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        rank, world = distributed.get_rank(), distributed.get_world_size()
        for batch in self.batches:
            mine = batch[len(batch) * rank // world : len(batch) * (rank + 1) // world]
            yield (mine, 1.0) if len(mine) else (batch[:1], 0.0)


class _Samples(torch.utils.data.Dataset):
    def __init__(self, data: Dataset):
        self.x, self.y = data.x, data.target()

    def __len__(self) -> int:
        return len(self.x)

    def __getitems__(self, part: tuple[Sequence[int], float]) -> tuple[Any, ...]:
        indices, real = part
        own = (self.x[indices], self.y[indices], [real] * len(indices))
        return tuple(keras.ops.convert_to_tensor(value, "float32") for value in own)


class Processes(SingleDevice):
    """Training in the processes of a group, this one among them."""

    def __init__(self) -> None:
        self.replicas = distributed.get_world_size()
        self.first = distributed.get_rank() == 0

    def data_parallel(self, model: keras.Model) -> keras.Model:
        parallel = _Model(inputs=model.input, outputs=model.output, name=model.name)
        parallel.share()
        return parallel

    def arguments(
        self, train: Dataset, validation: Dataset | None, batch_size: int
    ) -> dict[str, Any]:
        self.check(len(train.x), batch_size)
        # As Keras draws the order on one device
        order = BatchSampler(RandomSampler(range(len(train.x))), batch_size, drop_last=False)
        arguments: dict[str, Any] = {"x": self._loader(train, order), "shuffle": False}
        if validation is not None:
            size = self.even_size(len(validation))
            whole = BatchSampler(range(len(validation)), size, drop_last=False)
            arguments["validation_data"] = self._loader(validation, whole)
        return arguments

    def agree(self, well: bool) -> bool:
        failed = keras.ops.convert_to_tensor(0.0 if well else 1.0)
        distributed.all_reduce(failed)
        return float(failed) == 0

    def _loader(self, data: Dataset, batches: Any) -> DataLoader:
        return DataLoader(_Samples(data), batch_sampler=_Parts(batches), collate_fn=tuple)


@contextlib.contextmanager
def start() -> Iterator[Processes]:
    """The group of processes that a launcher started, or that is there; ValueError for one."""
    if not distributed.is_initialized():
        if int(os.environ.get("WORLD_SIZE", "1")) < 2:
            raise ValueError(
                "`distribute` on torch needs a process for each device, which torchrun starts: "
                "torchrun --nproc-per-node 2 -m attention_zoo train ... --distribute. "
                "Received: one process"
            )
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        # Not before: the next run of this process could not form the group again
        atexit.register(distributed.destroy_process_group)
    yield Processes()
