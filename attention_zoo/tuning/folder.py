"""The folder of a search: one process at a time writes to it, and all in it is whole."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_zoo.core import checks, files, foreign
from attention_zoo.training.backup import refuse_other

#: The version of the folder's layout.
FORMAT = 3

MANIFEST, LOCK, TRIALS, BEST = "search.json", "search.lock", "trials", "best"


class TuningError(RuntimeError):
    """A search that cannot go on: the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """One trial of a search.

    Attributes:
        trial: its number, counted from 0, which is the default.
        status: `"COMPLETED"`, `"FAILED"` or `"RUNNING"`.
        values: its hyperparameters, by full name.
        metrics: on the validation data, by name: the means over its executions.
        executions: of each, `seed`, `seconds`, `best_epochs` (how many of each phase), `history`
            (one value an epoch, by name), `metrics`, `recipe`; of a cross-validation the `fold`.
        error: what a failed trial died of.
        order: how many trials had begun, and how many had ended, when it ended.
        elapsed: the seconds of the search by then.
    """

    trial: int
    status: str
    values: dict[str, Any]
    metrics: dict[str, float]
    executions: list[dict[str, Any]]
    error: str | None = None
    order: tuple[int, int] = (0, 0)
    elapsed: float = 0.0

    @property
    def seconds(self) -> float:
        """The time that its executions took."""
        return sum(one["seconds"] for one in self.executions)

    def spread(self, name: str) -> float:
        """The standard deviation of a metric over the executions, 0 for a single one."""
        known = [one["metrics"][name] for one in self.executions if name in one["metrics"]]
        return float(np.std(known))


def means(executions: list[dict[str, Any]]) -> dict[str, float]:
    """The means of the metrics; what one execution left undefined has none."""
    names = [n for n in executions[0]["metrics"] if all(n in one["metrics"] for one in executions)]
    return {name: float(np.mean([one["metrics"][name] for one in executions])) for name in names}


def weights_file(folder: Path, trial: int) -> Path:
    """Where a trial's weights are, beside its other files."""
    return folder / TRIALS / f"trial_{trial}" / "best.weights.h5"


def write_trial(folder: Path, result: TrialResult) -> None:
    """Write what is known of a trial, but for its executions."""
    state = dataclasses.asdict(dataclasses.replace(result, executions=[], metrics={}))
    del state["executions"], state["metrics"]
    _write(weights_file(folder, result.trial).with_name("trial.json"), state)


def write_execution(
    folder: Path, trial: int, number: int, record: dict[str, Any], weights: bytes | None
) -> None:
    """Write an execution, and the trial's weights if it is its best so far."""
    path = weights_file(folder, trial)
    if weights is not None:
        with files.new_file(path, overwrite=True) as scratch:
            scratch.write_bytes(weights)
    _write(path.with_name(f"execution_{number}.json"), record)


def read_weights(folder: Path, trial: int) -> bytes:
    """The weights that a trial kept."""
    path = weights_file(folder, trial)
    cure = _cure(path.with_name("trial.json"))
    with foreign.opened(path, what="file of weights", error=TuningError, hint=cure) as file:
        return file.read()


def read_trials(folder: str | Path) -> list[TrialResult]:
    """Return the trials in the folder of a search, in their order.

    Args:
        folder: the folder that `az.tune(out=...)` writes; without trials the list is empty.

    Returns:
        A list of `TrialResult`.

    Raises:
        TuningError: for a file that is no state of a trial; it names the file.

    Example:

    >>> az.tuning.read_trials("a_search")
    []
    """
    found = []
    for path in Path(folder).glob(f"{TRIALS}/trial_*/trial.json"):
        state = read_state(path)
        executions = [
            read_state(one) for one in sorted(path.parent.glob("execution_*.json"), key=_number)
        ]
        with foreign.parsing(path.parent, what="trial", error=TuningError, hint=_cure(path)):
            metrics = means(executions) if state["status"] == "COMPLETED" else {}
            begun, ended = state.pop("order")
            order = int(begun), int(ended)
            found.append(TrialResult(**state, metrics=metrics, executions=executions, order=order))
            checks.natural("trial", found[-1].trial)
    return sorted(found, key=lambda one: one.trial)


def _number(path: Path) -> tuple[int, str]:
    """The order of executions: by number, whatever else has such a name last."""
    digits = path.stem.rpartition("_")[2]
    return (int(digits) if digits.isdecimal() else 10**9, digits)


def _write(path: Path, state: dict[str, Any]) -> None:
    with files.new_file(path, overwrite=True) as scratch:
        scratch.write_text(json.dumps(state), "utf-8")


def claim(folder: Path, search: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
    """Make a folder that of a search, or check that it is already.

    Args:
        folder: the folder of the search.
        search: what the search is, as plain values: what decides its trials.
        resume: go on where there is a search; it must be the same.
        overwrite: replace a search that is there; another folder is never replaced.

    Raises:
        FileExistsError: if there is a search and neither is allowed, or other files.
        ValueError: if the search that is there is another; the difference is named.
        TuningError: if its state cannot be read, or another process uses it.
    """
    wanted = json.loads(json.dumps({"format": FORMAT, **search}))
    path = folder / MANIFEST
    if os.path.lexists(folder / LOCK):
        with locked(folder):  # a search that runs is not replaced
            pass
    if path.exists() and resume:
        refuse_other(read_state(path), wanted, folder, "search")
        foreign.plain_folder(folder, error=TuningError)
        return
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{folder} holds a search. Go on with it (--resume, resume=True), or replace it "
            "(--overwrite, overwrite=True)."
        )
    if folder.exists() and not path.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds other files, not a search: it is kept as it is.")
    with files.new_folder(folder, overwrite=True) as scratch:
        (scratch / MANIFEST).write_text(json.dumps(wanted, indent=1) + "\n", "utf-8")


def read_state(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a search; TuningError, with the cure, for anything else."""
    return foreign.records(path, kind=dict, error=TuningError, hint=_cure(path))


def _cure(path: Path) -> str:
    """What to do about a broken file of a search."""
    if path.name == "trial.json":
        return f"Remove the folder {path.parent}: the search goes on without that trial."
    if path.parent.name.startswith("trial_"):
        return "Remove it: what it held is done again."
    return "Bring it back from a copy, or begin again with overwrite."


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; TuningError if another one has it.

    The lock is the system's, so that it is gone with the process, however that ends.
    """
    with foreign.open_for_writing(folder / LOCK, error=TuningError) as file:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TuningError(
                f"{folder} is in use by another search. Wait until it ends, or choose another "
                "folder."
            ) from None
        yield


def varied(trials: Sequence[TrialResult]) -> list[str]:
    """The hyperparameters that have several values in some trials."""
    names = dict.fromkeys(n for one in trials for n in one.values if "tuner/" not in n)
    values = {n: {one.values[n] for one in trials if n in one.values} for n in names}
    return [name for name in names if len(values[name]) > 1]
