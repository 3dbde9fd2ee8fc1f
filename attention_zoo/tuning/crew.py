"""The workers that a chief starts on its own machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras

from attention_zoo.tuning.assignment import CREW
from attention_zoo.tuning.desk import Desk
from attention_zoo.tuning.folder import TuningError
from attention_zoo.tuning.place import HOST, NAME, PORT

#: So many workers that died without a trial are replaced.
_REPLACED = 3
#: Seconds that a worker has to leave by itself.
_LEAVE = 5.0
#: Seconds without their chief, which is on the same machine, after which they end.
_WAIT = 20.0

_CODE = (
    "import sys; sys.path[:] = {path!r}; import keras; "
    "keras.config.set_dtype_policy({policy!r}); from attention_zoo.tuning import work; "
    "work({folder!r}, wait={wait})"
)


def _cores() -> int:
    """How many this process may use, which in a container or a job are not all."""
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


class Crew:
    """Some workers as processes, replaced when they die, ended with the block.

    Args:
        count: how many.
        folder: of the search.
        port: where their chief listens.
    """

    def __init__(self, count: int, folder: Path, port: int):
        self.count, self.folder, self.port = count, folder, port
        self._running: dict[str, subprocess.Popen] = {}
        self._begun = 0
        self._replaced = 0

    def __enter__(self) -> Crew:
        for _ in range(self.count):
            self._start()
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(_LEAVE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def look_after(self, desk: Desk) -> None:
        """Replace those that died.

        Raises:
            TuningError: if one cannot even begin, or they die again and again without a trial.
        """
        for name, process in list(self._running.items()):
            code = process.poll()
            if code is None or desk.finished:
                continue
            del self._running[name]
            why = f"killed by signal {-code}" if code < 0 else self._last_words(name)
            had = desk.oracle.ongoing_trials.get(name)
            desk.release(name, why)
            # What dies in a trial is counted by the desk, for each trial
            self._replaced += had is None
            if name not in desk.known or self._replaced > _REPLACED:
                raise TuningError(f"A worker cannot go on: {why} See {self._log(name)}")
            self._start()

    def _start(self) -> None:
        name = f"worker-{self._begun}"
        self._begun += 1
        policy = keras.config.dtype_policy().name
        code = _CODE.format(path=sys.path, policy=policy, folder=str(self.folder), wait=_WAIT)
        with open(self._log(name), "wb") as log:
            # A session of its own: Ctrl-C is for the chief alone, which ends its workers
            self._running[name] = subprocess.Popen(
                [sys.executable, "-c", code], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self._variables(name), start_new_session=True,
            )  # fmt: skip

    def _variables(self, name: str) -> dict[str, str]:
        own = {
            **os.environ, NAME: name, HOST: "127.0.0.1", PORT: str(self.port),
            "KERAS_BACKEND": keras.backend.backend(),
        }  # fmt: skip
        # None takes all of a GPU's memory before it needs it
        own.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        own.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        # On torch two workers with a thread for every core each are slower than one
        own.setdefault("OMP_NUM_THREADS", str(max(1, _cores() // self.count)))
        return own

    def _log(self, name: str) -> Path:
        return self.folder / CREW / f"{name}.log"

    def _last_words(self, name: str) -> str:
        lines = self._log(name).read_text("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "it ended without a word."
