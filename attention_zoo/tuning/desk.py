"""Where workers are answered: KerasTuner's chief server, made to lose no trial."""

from __future__ import annotations

import collections
import json
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc
import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from attention_zoo.tuning.engine import Engine, unwrapped
from attention_zoo.tuning.folder import TuningError

#: What a request says beside KerasTuner's own message, as JSON: the search's token and the
#: worker's name; figures, since the message rounds them to float32; errors, which it leaves out.
HEADER = "attention-zoo-bin"
#: Room for it: an error may be long.
LIMITS = [("grpc.max_metadata_size", 2**16), ("grpc.absolute_max_metadata_size", 2**16)]

#: A worker says every few seconds that it lives; silent for so long it is taken for dead.
LEASE = 30.0
#: While the oracle thinks for longer than this, nobody is heard, so that silence says nothing.
_LONG = 1.0
#: A new chief hands out what an earlier one left only after its workers could claim their own.
OPENING = 5.0
#: A trial in which so many workers died is not tried again.
LOSSES = 3

_T = TypeVar("_T")


class Desk(OracleServicer):
    """Answers the workers of a search.

    Args:
        engine: of the search, with the oracle that decides what is tried.
        token: what a worker must know.
    """

    def __init__(self, engine: Engine, token: str):
        super().__init__(engine.oracle)
        self.engine, self.token = engine, token
        #: What happened, for the spectator: the name of its method, and the arguments.
        self.events: queue.SimpleQueue[tuple[str, tuple[Any, ...]]] = queue.SimpleQueue()
        #: When each worker was last heard of.
        self.seen: dict[str, float] = {}
        #: Every worker that ever came.
        self.known: set[str] = set()
        #: What the oracle died of.
        self.error: BaseException | None = None
        self.finished = False
        self._lost: collections.Counter[str] = collections.Counter()
        self._told: dict[str, Any] = {}
        self._instances: dict[str, str] = {}
        self._lock = threading.RLock()
        self._free = time.monotonic()
        self._opening = time.monotonic() + OPENING

    def CreateTrial(self, request: Any, context: Any) -> Any:
        """The next trial for a worker; its own again if it asks twice."""
        header = self._header(context)
        trial = self._do(context, lambda: self._next(header["worker"], header["instance"]))
        return protos.get_service().CreateTrialResponse(trial=_slim(trial))

    def UpdateTrial(self, request: Any, context: Any) -> Any:
        """Take a trial's figures."""
        header = self._header(context)

        def take() -> Trial:
            if self._open(header["worker"], request.trial_id):
                self.oracle.update_trial(request.trial_id, header["figures"], step=request.step)
            return self.oracle.trials[request.trial_id]

        return protos.get_service().UpdateTrialResponse(trial=_slim(self._do(context, take)))

    def EndTrial(self, request: Any, context: Any) -> Any:
        """Close a trial; said twice it is nothing."""
        header = self._header(context)
        trial = Trial.from_proto(request.trial)

        def end() -> None:
            if self._open(header["worker"], trial.trial_id):
                trial.hyperparameters = self.oracle.trials[trial.trial_id].hyperparameters
                trial.message = header["message"]
                self._end(trial)

        self._do(context, end)
        return protos.get_service().EndTrialResponse()

    def GetBestTrials(self, request: Any, context: Any) -> Any:
        """A sign of life, with how far the worker's trial is."""
        header = self._header(context)
        worker, trial = header["worker"], header["trial"]
        if trial is not None and worker not in self.oracle.ongoing_trials:
            self._do(context, lambda: self._open(worker, trial))
        own = self.oracle.ongoing_trials.get(worker)
        progress = header.get("progress")
        late = own is None or own.trial_id != trial
        if progress and not late and self._told.get(worker) != progress:
            self._told[worker] = progress
            self.events.put(("epoch_ends", tuple(progress)))
        return protos.get_service().GetBestTrialsResponse(trials=[])

    def release(self, worker: str, why: str) -> None:
        """Forget a worker that died; its trial is tried again, unless it killed several."""
        with self._lock:
            self.seen.pop(worker, None)
            self.oracle.tuner_ids.discard(worker)
            trial = self.oracle.ongoing_trials.get(worker)
            if trial is None or self.error is not None:
                return
            self._lost[trial.trial_id] += 1
            if self._lost[trial.trial_id] >= LOSSES:
                trial.status = "FAILED"
                trial.message = f"{LOSSES} workers died in it, the last: {why}"
                self._end(trial)
                return
            del self.oracle.ongoing_trials[worker]
            self.oracle._retry_queue.append(trial.trial_id)
            self.oracle.save()

    def release_silent(self) -> None:
        """Forget the workers that were not heard of for too long."""
        with self._lock:
            limit = time.monotonic() - LEASE
            # A copy, since those that are heard of meanwhile are noted without the lock
            last = dict(self.seen)
            silent = [w for w, seen in last.items() if max(seen, self._free) < limit]
        for worker in silent:
            self.release(worker, f"not heard of for {LEASE:.0f} s")

    def _header(self, context: Any) -> dict[str, Any]:
        found = dict(context.invocation_metadata()).get(HEADER)
        header = json.loads(found) if found else {}
        if header.get("token") != self.token:
            _refuse(context, "it does not come from this chief's folder")
        self.seen[header["worker"]] = time.monotonic()
        self.known.add(header["worker"])
        return header

    def _do(self, context: Any, action: Callable[[], _T]) -> _T:
        """One thing at a time; an error of the oracle, such as a full disk, ends the search."""
        with self._lock:
            if self.error is None:
                begun = time.monotonic()
                try:
                    with unwrapped():
                        return action()
                except Exception as error:  # KerasTuner's lock is held from now on
                    self.error = error
                finally:
                    if time.monotonic() - begun > _LONG:
                        self._free = time.monotonic()
        context.abort(grpc.StatusCode.INTERNAL, f"{type(self.error).__name__}: {self.error}")
        raise TuningError("unreachable")

    def _next(self, worker: str, instance: str) -> Trial:
        if self._instances.setdefault(worker, instance) != instance:
            self._instances[worker] = instance
            self.release(worker, "it began anew")
        early = self.oracle._retry_queue and time.monotonic() < self._opening
        if early and worker not in self.oracle.ongoing_trials:
            return _idle()
        again = worker in self.oracle.ongoing_trials
        trial = self.oracle.create_trial(worker)
        if trial.status == "STOPPED":
            if self.oracle.ongoing_trials:
                return _idle()  # of the others' trials one may have to be tried again
            self.finished = True
            self.seen.pop(worker, None)
        elif trial.status == "RUNNING" and not again:
            self._begin(trial)
        return trial

    def _open(self, worker: str, trial_id: str) -> bool:
        """Whether a trial has not ended; one that nobody has is whose who works at it.

        Of two workers at one trial, since the first was taken for dead, the faster one counts.
        """
        if trial_id in self.oracle._retry_queue and worker not in self.oracle.ongoing_trials:
            self.oracle._retry_queue.remove(trial_id)
            self.oracle.ongoing_trials[worker] = self.oracle.trials[trial_id]
            self._begin(self.oracle.trials[trial_id])
        return trial_id in self.oracle.trials and trial_id not in self.oracle.end_order

    def _begin(self, trial: Trial) -> None:
        self.events.put(("trial_begins", (trial.trial_id, dict(trial.hyperparameters.values))))

    def _end(self, trial: Trial) -> None:
        self.oracle.end_trial(trial)
        self.engine.prune()
        self.events.put(("trial_ends", (trial.trial_id,)))


def _refuse(context: Any, why: str) -> NoReturn:
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, why)
    raise TuningError(why)


def _slim(trial: Trial) -> Any:
    """The message without the space, which its workers know, and KerasTuner would print."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(trial.hyperparameters.values)
    return Trial(hp, trial.trial_id, trial.status).to_proto()


def _idle() -> Trial:
    return Trial(keras_tuner.HyperParameters(), "", "IDLE")
