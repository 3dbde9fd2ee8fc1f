"""Where trials run: in this process, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras

from attention_zoo.core import checks, optional
from attention_zoo.tuning.folder import TuningError
from attention_zoo.tuning.trials import (
    Execution,
    Trial,
    TrialData,
    WorkerError,
    compiled_models,
    execute,
    run_trial,
)

#: Seconds to connect to a scheduler.
_CONNECT = 10

#: After so many workers that a trial killed beside the first, it has failed.
_MORE_DEATHS = 2


class Ended(NamedTuple):
    """The end of a trial, with what it died of."""

    error: BaseException | None = None


Events = Iterator[tuple[int, Execution | Ended]]


class InProcess:
    """Runs a trial at a time in this process."""

    capacity = 1
    notes: tuple[str, ...] = ()

    def __init__(self, data: TrialData, on_epoch_end: Callable[..., None]):
        self.data, self.on_epoch_end = data, on_epoch_end

    def submit(self, trial: Trial, done: Sequence[dict[str, Any]]) -> None:
        """Take a trial, of which some executions are done."""
        self.trial, self.done = trial, done

    def events(self) -> Events:
        """Run it: each of its executions as it ends, then its end."""
        number = self.trial.number

        def told(*epoch: Any) -> None:
            self.on_epoch_end(number, *epoch)

        running, error = execute(self.trial, self.data, self.done, told), None
        while error is None:
            # What the caller does with an execution, such as to write it, is outside of the try
            try:
                execution = next(running)
            except StopIteration:
                break
            except Exception as raised:  # whatever a trial dies of, the others go on
                error = raised
            else:
                yield number, execution
        yield number, Ended(error)


class Cluster:
    """Runs trials on the workers of a Dask cluster, which has the data once a worker."""

    def __init__(self, client: Any, data: TrialData):
        self.client, self.address = client, client.scheduler.address
        self.as_completed = optional.require("distributed", extra="cluster").as_completed()
        # The result of a task, not scattered: Dask makes it again where its workers have died
        self.data = client.submit(_same, data, pure=False)
        self.trials: dict[Any, int] = {}

    @property
    def capacity(self) -> int:
        """How many trials can run: one a worker, and one that waits for the first worker."""
        return max(1, len(self.client.nthreads()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the cluster."""
        count = len(self.client.nthreads())
        waits = "" if count else ": the search waits for one"
        said = f"{count} workers at {self.address}{waits}."
        if importlib.util.find_spec("bokeh") is not None and self.client.dashboard_link:
            said += f" Dashboard: {self.client.dashboard_link}"
        return (said,)

    def submit(self, trial: Trial, done: Sequence[dict[str, Any]]) -> None:
        """Send a trial, of which some executions are done."""
        future = self.client.submit(run_trial, trial, self.data, list(done), pure=False)
        self.trials[future] = trial.number
        self.as_completed.add(future)

    def events(self) -> Events:
        """Wait for a trial to end: its executions, then its end."""
        future = next(self.as_completed)
        number = self.trials.pop(future)
        if future.status == "cancelled":
            raise TuningError(
                f"The Dask scheduler at {self.address} is gone. Start it again, and go on with "
                "the search by resume=True (--resume)."
            )
        error: Any = future.exception() if future.status == "error" else None
        if isinstance(error, WorkerError):
            raise TuningError(f"{error} Give all workers the same environment.")
        for execution in future.result() if error is None else ():
            yield number, execution
        if type(error).__name__ == "KilledWorker":
            error = TuningError(
                f"{error.allowed_failures + 1} workers died in it, the last at "
                f"{error.last_worker.address}: without memory, or killed; their logs may say more."
            )
        yield number, Ended(error)

    def cancel(self) -> None:
        """Give up what is still to be run."""
        self.client.cancel(list(self.trials))


def _same(value: Any) -> Any:
    return value


def check_workers(workers: int | None, scheduler: Any) -> None:
    """ValueError for arguments that name no cluster; ImportError without Dask."""
    if workers is None and scheduler is None:
        return
    if workers is not None:
        checks.positive_int("workers", workers)
        if scheduler is not None:
            raise ValueError("`workers` starts a cluster, `scheduler` is one: give one of them.")
        cores = os.cpu_count() or 1
        if workers > cores:
            raise ValueError(
                f"`workers` must be at most {cores}, the cores of this machine. "
                f"Received: workers={workers}"
            )
    distributed = optional.require("distributed", extra="cluster")
    if not isinstance(scheduler, (str, distributed.Client, type(None))):
        raise TypeError(
            "`scheduler` must be the address of a Dask scheduler, such as 'tcp://host:8786', or a "
            f"distributed.Client. Received: {scheduler!r}"
        )


@contextlib.contextmanager
def open_workers(
    workers: int | None, scheduler: Any, data: TrialData, on_epoch_end: Callable[..., None]
) -> Iterator[InProcess | Cluster]:
    """What runs the trials of a search, until the block ends."""
    with contextlib.ExitStack() as stack:
        if workers is None and scheduler is None:
            stack.callback(compiled_models.cache_clear)
            yield InProcess(data, on_epoch_end)
            return
        distributed = optional.require("distributed", extra="cluster")
        client = scheduler
        if workers is not None:
            client = stack.enter_context(distributed.Client(stack.enter_context(_local(workers))))
        elif isinstance(scheduler, str):
            try:
                client = distributed.Client(scheduler, timeout=_CONNECT)
            except (OSError, ValueError) as error:
                raise TuningError(
                    f"No Dask scheduler answers at {scheduler}: {error}. Start one with: "
                    "dask scheduler"
                ) from None
            stack.enter_context(client)
        cluster = Cluster(client, data)
        stack.callback(cluster.cancel)
        yield cluster


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A Dask cluster of processes of this machine, of one thread each."""
    import dask

    distributed = optional.require("distributed", extra="cluster")
    settings = {"distributed.scheduler.allowed-failures": _MORE_DEATHS}
    with dask.config.set(settings):
        try:
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                # Dask would pause a worker that takes much memory, and the search with it
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                env={"KERAS_BACKEND": keras.backend.backend()},
            )
        except RuntimeError as error:
            raise TuningError(
                f"The workers cannot start: {error} A script that searches with `workers` needs "
                "`if __name__ == '__main__':` around its calls, since each worker imports it."
            ) from error
        with cluster:
            yield cluster
