"""The loop of a search: ask KerasTuner's oracle, have a trial run, tell the oracle and the folder.

One process does all three, so that the folder has one writer and the oracle no server.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attention_zoo.tuning.folder import (
    TrialResult,
    TuningError,
    means,
    read_trials,
    read_weights,
    weights_file,
    write_execution,
    write_trial,
)
from attention_zoo.tuning.objectives import TrialError, signed
from attention_zoo.tuning.plan import Plan
from attention_zoo.tuning.trials import Execution, Trial
from attention_zoo.tuning.workers import Cluster, InProcess

#: After so many failures, and no success, a search ends.
_HOPELESS = 3

_LOST = "its files were removed"


class SearchCallback:
    """Is told how a search goes on; it does nothing but what a subclass adds.

    Example:

    >>> class Printed(az.tuning.SearchCallback):
    ...     def on_trial_end(self, result):
    ...         print(result.trial, result.status)

    `az.tune(..., callback=Printed())` prints a line for each trial.
    """

    def on_search_begin(self, objectives: Sequence[str], notes: Sequence[str]) -> None:
        """The search begins; `notes` is what the user should know before the first trial."""

    def on_trial_begin(self, trial: int, values: dict[str, Any]) -> None:
        """A trial with these values begins."""

    def on_epoch_end(self, trial: int, execution: int, epoch: int, logs: dict[str, float]) -> None:
        """An epoch of an execution has ended in this process; both are numbered from 0."""

    def on_trial_end(self, result: TrialResult) -> None:
        """A trial has ended, well or not."""


class SearchLoop:
    """The trials of a search in a folder, those of an interrupted one first.

    Args:
        plan: what is searched, and how.
        folder: of the search.
        callback: is told what happens.
        keep_best: the weights of so many of the best trials stay in the folder.
        directory: a temporary folder.
    """

    def __init__(
        self, plan: Plan, folder: Path, callback: SearchCallback, keep_best: int, directory: str
    ):
        self.plan, self.folder, self.callback, self.keep_best = plan, folder, callback, keep_best
        self.oracle = plan.oracle(directory)
        #: KerasTuner's trials, by number.
        self.trials: list[Any] = []
        #: What is known of each, by number.
        self.results = {one.trial: one for one in read_trials(folder)}
        self.before = max((one.elapsed for one in self.results.values()), default=0.0)
        self.begun = time.monotonic()
        self.kept: list[TrialResult] = []
        self.completed = 0
        self._restore()

    def run(self, pool: InProcess | Cluster) -> None:
        """Have trials run until there is none to try."""
        waiting = [one.trial for one in self.results.values() if one.status == "RUNNING"]
        running = 0
        while True:
            for _ in range(pool.capacity - running):
                number = waiting.pop(0) if waiting else self._next()
                if number is None:
                    break
                self._submit(pool, number)
                running += 1
            if not running:
                return
            for number, event in pool.events():
                if isinstance(event, Execution):
                    executions = self.results[number].executions
                    write_execution(self.folder, number, len(executions), *event)
                    executions.append(event.record)
                else:
                    self._end(number, event.error)
                    running -= 1

    def is_over(self) -> bool:
        """Return True if as many trials as are allowed have ended."""
        most = self.plan.max_trials
        return most is not None and len(self.oracle.end_order) >= most

    def elapsed(self) -> float:
        """The seconds of the search, over all its sessions."""
        return self.before + time.monotonic() - self.begun

    def _restore(self) -> None:
        """Ask the oracle for the trials of the folder, and tell it how they ended."""
        found, most = self.results, self.plan.max_trials
        last = max(found, default=-1)
        self.oracle.recorded = {number: one.values for number, one in found.items()}
        self.oracle.max_trials = None if most is None else max(most, last + 1)
        for number in range(last + 1):
            # Its place among the ends is no longer known
            lost = TrialResult(number, "FAILED", {}, {}, [], _LOST, (number + 1, 0))
            found.setdefault(number, lost)
        for one in sorted(found.values(), key=lambda one: one.order[::-1]):
            if one.status != "RUNNING":
                self._ask_until(max(one.order[0], one.trial + 1))
                if one.error == _LOST:
                    one.values.update(self.trials[one.trial].hyperparameters.values)
                    write_trial(self.folder, one)
                self._tell(one)
        self._ask_until(last + 1)
        self.oracle.max_trials = most
        self.results = dict(sorted(found.items()))
        for one in self.results.values():
            self._prune(one)

    def _ask_until(self, count: int) -> None:
        while len(self.trials) < count and self._ask() is not None:
            pass

    def _ask(self) -> Any:
        """KerasTuner's next trial; None if there is none, or none until another has ended."""
        # A trial belongs to whom it was given: each is given to somebody else
        trial = self.oracle.create_trial(f"worker_{len(self.trials)}")
        if trial.status != "RUNNING":
            return None
        self.trials.append(trial)
        return trial

    def _next(self) -> int | None:
        """The number of a new trial; None if the search is over, or waits for another trial."""
        limit = self.plan.asked.max_minutes
        if limit is not None and self.trials and self.elapsed() >= 60 * limit:
            return None
        if len(self.oracle.end_order) >= _HOPELESS and not self.completed:
            return None
        trial = self._ask()
        if trial is None:
            return None
        number = len(self.trials) - 1
        values = dict(trial.hyperparameters.values)
        self.results[number] = TrialResult(number, "RUNNING", values, {}, [])
        write_trial(self.folder, self.results[number])
        return number

    def _submit(self, pool: InProcess | Cluster, number: int) -> None:
        one = self.results[number]
        earlier = one.values.get("tuner/trial_id")
        start = None if earlier is None else read_weights(self.folder, int(earlier))
        self.callback.on_trial_begin(number, dict(one.values))
        pool.submit(Trial(number, self.plan.recipes(one.values), start), one.executions)

    def _end(self, number: int, error: BaseException | None) -> None:
        one, status, message = self.results[number], "COMPLETED", None
        if error is not None:
            known = isinstance(error, (TrialError, TuningError))
            status, message = "FAILED", str(error) if known else f"{type(error).__name__}: {error}"
        metrics = {} if error else means(one.executions)
        order = len(self.trials), len(self.oracle.end_order) + 1
        result = TrialResult(
            number, status, one.values, metrics, one.executions, message, order, self.elapsed()
        )
        self.results[number] = result
        write_trial(self.folder, result)
        self._tell(result)
        self._prune(result)
        self.callback.on_trial_end(result)

    def _tell(self, result: TrialResult) -> None:
        """Tell the oracle how a trial ended."""
        trial = self.trials[result.trial]
        if result.status == "COMPLETED":
            self.completed += 1
            names = self.plan.data.objectives
            self.oracle.update_trial(trial.trial_id, {n: result.metrics[n] for n in names})
        trial.status, trial.message = result.status, result.error
        self.oracle.end_trial(trial)

    def _prune(self, result: TrialResult) -> None:
        """Remove the weights of a trial that ended and of those that it replaces among the best."""
        if result.status == "RUNNING" or self.plan.tuner == "hyperband":
            return  # Hyperband goes on with the weights of any
        name = self.plan.data.objectives[0]
        if result.status == "COMPLETED":
            self.kept.append(result)
            self.kept.sort(key=lambda one: (-signed(name, one.metrics[name]), one.trial))
        for one in self.kept[self.keep_best :] if result.status == "COMPLETED" else [result]:
            weights_file(self.folder, one.trial).unlink(missing_ok=True)
        del self.kept[self.keep_best :]
