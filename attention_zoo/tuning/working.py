"""A worker: it runs the trials that a chief hands out."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from attention_zoo.core import checks, files
from attention_zoo.tuning.assignment import Assignment, assigned, ended, read_assignment
from attention_zoo.tuning.client import Client, Line
from attention_zoo.tuning.engine import Engine, unwrapped
from attention_zoo.tuning.folder import TRIALS, TuningError, same_search
from attention_zoo.tuning.place import Place, check_reachable, find_place
from attention_zoo.tuning.plan import Plan, make_plan
from attention_zoo.tuning.trials import Spectator


def work(
    out: str | os.PathLike,
    address: str | None = None,
    *,
    wait: float = 60.0,
    spectator: Spectator | None = None,
) -> int:
    """Run trials for the chief of a search until it ends; what to try and on what data is in the
    folder.

    Args:
        out: the chief's folder, on a file system that both see.
        address: the chief's `"HOST:PORT"`, by default from KerasTuner's variables
            `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT`, with the worker's name in
            `KERASTUNER_TUNER_ID`.
        wait: seconds to wait for a chief that is not there yet, or not any more.
        spectator: is told how this worker's trials go on.

    Returns:
        How many trials it ran.

    Raises:
        ValueError: for an address that is none.
        tuning.TuningError: if there is no chief for that long; if it has another version of the
            code, or another folder.
    """
    place = find_place("worker", address)
    if place is None:
        raise ValueError("A worker needs `address`, the chief's HOST:PORT.")
    folder = Path(os.path.abspath(files.local_path("out", out)))
    return join(folder, place, wait, spectator or Spectator())


def join(
    folder: Path, place: Place, wait: float, spectator: Spectator, plan: Plan | None = None
) -> int:
    """`work`, with a plan where the caller has made the chief's as well."""
    checks.positive("wait", wait)
    check_reachable(place)
    assignment = _await_assignment(folder, wait)
    if plan is None:
        plan = make_plan(**assignment.arguments)
    same_search(folder, plan.identity())
    line = Line(place, assignment.token, wait)
    try:
        return _run(plan, folder, line, spectator)
    except TuningError:
        if not line.met and ended(folder):
            return 0  # it came too late
        raise
    finally:
        line.close()


def _await_assignment(folder: Path, wait: float) -> Assignment:
    limit = time.monotonic() + wait
    while not assigned(folder):
        if time.monotonic() > limit:
            raise TuningError(
                f"{folder} has held no search for {wait:g} s. Start the chief first, and see that "
                "this is its --out, on a file system that both machines see."
            )
        time.sleep(min(0.5, wait))
    return read_assignment(folder)


def _run(plan: Plan, folder: Path, line: Line, spectator: Spectator) -> int:
    oracle = plan.oracle()
    reporter = _Reporter(line, spectator)
    engine = Engine(oracle, plan.trainer, folder / TRIALS, reporter, chief=Client(oracle, line))
    with unwrapped():
        engine.search()
    return reporter.count


class _Reporter(Spectator):
    """Lets the chief know how far a trial is, and ends it if there is no chief any more."""

    def __init__(self, line: Line, spectator: Spectator):
        self.line, self.spectator = line, spectator
        self.count = 0

    def trial_begins(self, trial: str, values: dict[str, Any]) -> None:
        self.spectator.trial_begins(trial, values)

    def epoch_ends(self, trial: str, execution: int, epoch: int, logs: dict[str, float]) -> None:
        plain = {name: float(value) for name, value in logs.items()}
        self.line.header["progress"] = [trial, execution, epoch, plain]
        self.line.check()
        self.spectator.epoch_ends(trial, execution, epoch, logs)

    def trial_ends(self, trial: str) -> None:
        self.count += 1
        self.spectator.trial_ends(trial)
