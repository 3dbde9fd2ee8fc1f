"""A worker's line to its chief: KerasTuner's client, which waits for a bounded time."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_client import OracleClient

from attention_zoo.tuning.desk import HEADER, LIMITS
from attention_zoo.tuning.folder import TuningError
from attention_zoo.tuning.place import Place

#: How often a worker says that it lives.
BEAT = 2.0
#: How long a worker with nothing to do waits before it asks again.
PAUSE = 0.5
#: How long a single request may take before it is made again.
_ATTEMPT = 30.0
_MESSAGE = 2000

_OPTIONS = [
    # The chief is a neighbour: a proxy for the web does not know it
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    *LIMITS,
]
_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
          grpc.StatusCode.CANCELLED)  # fmt: skip


class Line:
    """Asks the chief, again if need be, for as long as it may be back.

    Args:
        place: the worker's.
        token: the search's.
        wait: seconds without any answer after which the chief is given up.
    """

    def __init__(self, place: Place, token: str, wait: float):
        self.place, self.wait = place, wait
        self.channel = grpc.insecure_channel(place.address, options=_OPTIONS)
        self.stub = protos.get_service_grpc().OracleStub(self.channel)
        self.header: dict[str, Any] = {
            "token": token, "worker": place.name, "instance": uuid.uuid4().hex, "trial": None,
        }  # fmt: skip
        self.met = False
        self._heard = time.monotonic()
        self._closed = threading.Event()
        self._beats = threading.Thread(target=self._beat, daemon=True)
        self._beats.start()

    def __getattr__(self, name: str) -> Any:
        """The request of that name."""

        def ask(request: Any, **ignored: Any) -> Any:
            while True:
                try:
                    return self._ask(name, request, min(_ATTEMPT, self.wait))
                except grpc.RpcError as error:
                    if error.code() not in _AGAIN:
                        self._give_up(error)
                self.check()

        return ask

    def check(self) -> None:
        """FatalError, of a TuningError, once the chief has not answered for too long."""
        if time.monotonic() - self._heard > self.wait and not self._ping():
            self._give_up(None)

    @contextmanager
    def saying(self, **more: Any) -> Iterator[None]:
        """Add to what the next request says of itself."""
        self.header.update(more)
        try:
            yield
        finally:
            for name in more:
                del self.header[name]

    def close(self) -> None:
        """Say no more."""
        self._closed.set()
        self.channel.close()  # which ends what is being asked
        self._beats.join()

    def _ask(self, name: str, request: Any, timeout: float) -> Any:
        said = json.dumps(dict(self.header), default=float, ensure_ascii=False).encode()
        found = getattr(self.stub, name)(
            request, wait_for_ready=True, timeout=timeout, metadata=[(HEADER, said)]
        )
        self._heard, self.met = time.monotonic(), True
        return found

    def _ping(self) -> bool:
        nothing = protos.get_service().GetBestTrialsRequest(num_trials=0)
        try:
            self._ask("GetBestTrials", nothing, BEAT)
        except (grpc.RpcError, ValueError):  # ValueError: the channel was closed
            return False
        return True

    def _beat(self) -> None:
        while not self._closed.wait(BEAT):
            if self.met:
                self._ping()

    def _give_up(self, error: Any) -> NoReturn:
        # KerasTuner takes other errors for those of the trial, and would go on
        said = TuningError(self._reason(error))
        raise keras_tuner.errors.FatalError(str(said)) from said

    def _reason(self, error: Any) -> str:
        address = self.place.address
        if error is not None and error.code() == grpc.StatusCode.INTERNAL:
            return f"The chief at {address} ended with an error: {error.details()}"
        if error is not None and error.code() == grpc.StatusCode.FAILED_PRECONDITION:
            return (
                f"The chief at {address} refused this worker: {error.details()}. Give both the "
                "same --out, on a file system that both see, and start the worker again."
            )
        if error is not None:
            return f"What listens at {address} is no chief: {error.code().name}, {error.details()}"
        if self.met:
            return (
                f"The chief at {address} has not answered for {self.wait:g} s. Start it again with "
                "--resume, then its workers: nothing but the running trials is lost."
            )
        return (
            f"No chief answered at {address} in {self.wait:g} s. Start it first, with --role chief "
            "and the same --out, or correct --address."
        )


class Client(OracleClient):
    """The oracle, as a worker sees it."""

    def __init__(self, oracle: Any, line: Line):
        # Not KerasTuner's own, which reads the environment; `line` stands for its stub
        self._oracle, self.stub, self.line = oracle, line, line
        self.tuner_id = line.place.name
        self.multi_worker, self.should_report = False, True

    def create_trial(self, tuner_id: str) -> Trial:
        """The next trial; after a pause if there is none yet."""
        trial = super().create_trial(self.tuner_id)
        if trial.status == "IDLE":
            time.sleep(PAUSE)
        elif trial.status == "RUNNING":
            self.line.header["trial"] = trial.trial_id
        return trial

    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> Any:
        """Report figures, which KerasTuner's message alone would round."""
        with self.line.saying(figures=metrics):
            return super().update_trial(trial_id, metrics, step)

    def end_trial(self, trial: Trial) -> None:
        """Report how a trial ended."""
        self.line.header.pop("progress", None)
        with self.line.saying(message=trial.message and trial.message[:_MESSAGE]):
            super().end_trial(trial)
        self.line.header["trial"] = None

    def get_trial(self, trial_id: str) -> Trial:
        """A trial without figures: it has none before this worker reports them."""
        return Trial(keras_tuner.HyperParameters(), trial_id)
