"""What a search found: every trial, the best, and which of several aims each serves."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from attention_zoo.core import files, foreign, optional
from attention_zoo.core.registry import one_of
from attention_zoo.tuning.folder import MANIFEST, TRIALS, TuningError, cure_of, read_state
from attention_zoo.tuning.objectives import OBJECTIVES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """One trial of a search.

    Attributes:
        trial: its number, counted from 0, which is the default.
        status: `"COMPLETED"`, `"FAILED"` or `"RUNNING"`.
        values: its hyperparameters, by full name.
        figures: on the validation data, by name: the means over its executions.
        executions: of each, `seed`, `seconds`, `best_epoch`, `history` (one value an epoch, by
            name), `figures` and `recipe`; of a cross-validation its `fold` as well.
        error: what a failed trial died of.
    """

    trial: int
    status: str
    values: dict[str, Any]
    figures: dict[str, float]
    executions: list[dict[str, Any]]
    error: str | None = None

    @property
    def seconds(self) -> float:
        """The time that its executions took."""
        return sum(one["seconds"] for one in self.executions)

    def spread(self, name: str) -> float:
        """The standard deviation of a figure over the executions, 0 for a single one."""
        known = [one["figures"][name] for one in self.executions if name in one["figures"]]
        return float(np.std(known))


def read_trials(folder: str | Path) -> list[TrialResult]:
    """The trials in the folder of a search, in their order."""
    found = []
    for path in sorted(Path(folder).glob(f"{TRIALS}/trial_*/trial.json")):
        state = read_state(path)
        executions = [
            read_state(one) for one in sorted(path.parent.glob("execution_*.json"), key=_number)
        ]
        with foreign.parsing(path.parent, what="trial", error=TuningError, cure=cure_of(path)):
            found.append(_trial(state, executions))
    return sorted(found, key=lambda one: one.trial)


def _number(path: Path) -> tuple[int, str]:
    """The order of executions: by number, whatever else has such a name last."""
    digits = path.stem.rpartition("_")[2]
    return (int(digits) if digits.isdecimal() else 10**9, digits)


def _trial(state: dict[str, Any], executions: list[dict[str, Any]]) -> TrialResult:
    done = state["status"] == "COMPLETED"
    # What one execution left undefined has no mean
    names = [
        name
        for name in (executions[0]["figures"] if done else {})
        if all(name in one["figures"] for one in executions)
    ]
    figures = {name: float(np.mean([one["figures"][name] for one in executions])) for name in names}
    values = state["hyperparameters"]["values"]
    trial, message = int(state["trial_id"]), state["message"]
    return TrialResult(trial, state["status"], values, figures, executions, message)


def trial_folder(folder: Path, trial: int) -> Path:
    """Where a trial's files are: KerasTuner pads its number to the digits of the budget."""
    return next(p for p in folder.glob(f"{TRIALS}/trial_*") if _number(p)[0] == trial)


@dataclasses.dataclass(frozen=True, eq=False)
class Search:
    """A finished search.

    Attributes:
        objectives: the figures that were searched for.
        trials: every trial, in order.
        model: the best trial's model, with the weights of its best execution and epoch, or trained
            on all folds.
        scores: its figures on samples that the search never saw.
        notes: what was decided for the user, such as that a finite space was searched whole.
        path: the folder, which holds the model as the preset `best`; None if nothing was kept.
    """

    objectives: tuple[str, ...]
    trials: list[TrialResult]
    model: keras.Model
    scores: dict[str, float]
    notes: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def completed(self) -> list[TrialResult]:
        """The trials that ended well."""
        return [one for one in self.trials if one.status == "COMPLETED"]

    @property
    def best(self) -> TrialResult:
        """The trial that is best in the first objective; the earliest of equals."""
        return best_of(self.completed, self.objectives[0])

    @property
    def default(self) -> TrialResult:
        """The first trial, which has the defaults of the factory and the layer."""
        return self.trials[0]

    def pareto(self, *objectives: str) -> list[TrialResult]:
        """The trials that no other is better than in one objective and as good in the rest.

        Args:
            *objectives: names of figures; by default those of the search.
        """
        names = objectives or self.objectives
        for name in names:
            if name not in OBJECTIVES or name not in self.best.figures:
                raise one_of("objective", name, set(OBJECTIVES) & set(self.best.figures))
        points = np.array(
            [[signed(name, one.figures[name]) for name in names] for one in self.completed]
        )
        front = [
            not np.any(np.all(points >= point, axis=1) & np.any(points > point, axis=1))
            for point in points
        ]
        return [one for one, on in zip(self.completed, front, strict=True) if on]

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each trial; ImportError without pandas."""
        return optional.require("pandas", extra="frames").DataFrame(rows(self.trials))

    def plot(self, kind: str = "progress", *, objectives: Sequence[str] | None = None) -> Figure:
        """A picture of the search, a Matplotlib `Figure` that is not shown.

        Args:
            kind: `"progress"`, the best so far over the trials; `"parallel"`, a line for each
                trial through its hyperparameters; `"importance"`, how much of the objective each
                hyperparameter explains; `"pareto"`, objective against objective.
            objectives: the figures drawn; by default those of the search.

        Raises:
            ValueError: for an unknown kind or figure, or `"pareto"` with a single objective.
        """
        from attention_zoo.tuning.pictures import draw  # Matplotlib only when it is needed

        return draw(self, kind, tuple(objectives or self.objectives))

    def importance(self) -> dict[str, float]:
        """How much of the variance of the first objective each hyperparameter explains alone."""
        from attention_zoo.tuning.importance import importance

        return importance(self.completed, self.objectives[0])


def signed(name: str, value: float) -> float:
    """The figure, so that more is better."""
    return value if OBJECTIVES[name].direction == "max" else -value


def best_of(trials: Sequence[TrialResult], name: str) -> TrialResult:
    """The trial with the best figure; the earliest of equals."""
    return max(trials, key=lambda one: (signed(name, one.figures[name]), -one.trial))


def best_values(folder: str | Path) -> dict[str, Any]:
    """The hyperparameters of the best trial in the folder of a search, by full name: a point to
    begin another with, `az.tune(..., initial=[best_values("search")])`.

    Raises:
        FileNotFoundError: if the folder holds no search.
        ValueError: if none of its trials has ended well.
    """
    path = files.local_path("folder", folder)
    if not (path / MANIFEST).is_file():
        raise FileNotFoundError(f"{folder} holds no search.")
    completed = [one for one in read_trials(path) if one.status == "COMPLETED"]
    if not completed:
        raise ValueError(f"No trial of the search in {folder} has ended well.")
    objectives = read_state(path / MANIFEST)["objectives"]
    return best_of(completed, objectives[0]).values


def rows(trials: Sequence[TrialResult]) -> list[dict[str, Any]]:
    """A flat row for each trial: its values, figures, time and error."""
    return [
        {
            "trial": one.trial,
            "status": one.status,
            **one.values,
            **{f"figure/{name}": value for name, value in one.figures.items()},
            **{
                f"spread/{name}": one.spread(name)
                for name in one.figures
                if len(one.executions) > 1
            },
            "seconds": one.seconds,
            "error": one.error,
        }
        for one in trials
    ]


def write_tables(trials: Sequence[TrialResult], folder: Path) -> None:
    """Write `trials.csv`, `epochs.csv` and `trials.json`, in place of earlier ones."""
    _write_csv(folder / "trials.csv", rows(trials))
    epochs = [
        {"trial": one.trial, "execution": number, "seed": execution["seed"],
         **{name: execution[name] for name in ("fold",) if name in execution}, "epoch": epoch,
         **{name: values[epoch] for name, values in execution["history"].items()}}
        for one in trials
        for number, execution in enumerate(one.executions)
        for epoch in range(len(execution["history"]["loss"]))
    ]  # fmt: skip
    _write_csv(folder / "epochs.csv", epochs)
    with files.new_file(folder / "trials.json", overwrite=True) as scratch:
        values = [dataclasses.asdict(one) for one in trials]
        scratch.write_text(json.dumps(values, indent=1) + "\n", "utf-8")


def _write_csv(path: Path, table: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in table for name in row))
    with files.new_file(path, overwrite=True) as scratch, open(scratch, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(table)
