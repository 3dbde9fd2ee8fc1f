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

from attention_zoo.core import files, optional
from attention_zoo.core.registry import one_of
from attention_zoo.tuning.folder import MANIFEST, TrialResult, read_state, read_trials, varied
from attention_zoo.tuning.objectives import OBJECTIVES, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, eq=False)
class Search:
    """A finished search.

    Attributes:
        objectives: the metrics that were searched for.
        trials: every trial, in order.
        model: the best trial's model, with the weights of its best execution and epoch, or trained
            on all folds.
        scores: its metrics on samples that the search never saw.
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
            *objectives: names of metrics; by default those of the search.
        """
        names = objectives or self.objectives
        self._check(names)
        trials = self.completed
        points = np.array([[signed(name, one.metrics[name]) for name in names] for one in trials])
        return [
            one
            for one, point in zip(trials, points, strict=True)
            if not np.any(np.all(points >= point, axis=1) & np.any(points > point, axis=1))
        ]

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each trial; ImportError without pandas."""
        return optional.require("pandas", extra="frames").DataFrame(rows(self.trials))

    def plot(self, kind: str = "progress", *, objectives: Sequence[str] | None = None) -> Figure:
        """A picture of the search, a Matplotlib `Figure` that is not shown.

        Args:
            kind: `"progress"`, the best so far over the trials; `"parallel"`, a line for each
                trial through its hyperparameters; `"importance"`, how much of the objective each
                hyperparameter explains; `"pareto"`, objective against objective.
            objectives: the metrics drawn; by default those of the search.

        Raises:
            ValueError: for an unknown kind or figure, or `"pareto"` with a single objective.
        """
        from attention_zoo.tuning import pictures  # Matplotlib only when it is needed

        names = tuple(objectives or self.objectives)
        if kind not in pictures.KINDS:
            raise one_of("kind", kind, pictures.KINDS)
        self._check(names)
        return pictures.KINDS[kind](self, names)

    def _check(self, objectives: Sequence[str]) -> None:
        known = OBJECTIVES.keys() & self.best.metrics.keys()
        for name in objectives:
            if name not in known:
                raise one_of("objective", name, known)

    def importance(self) -> dict[str, float]:
        """How much of the differences in the first objective each hyperparameter explains.

        It is the mean decrease in impurity of a random forest (Breiman, 2001) that predicts the
        metric from the hyperparameters. An inactive one has a random value of the active ones, so
        that it does not tell what it depends on.

        Returns:
            `{name: share of 1}`, the largest first, for those with two values or more.

        Raises:
            ImportError: without scikit-learn, the extra `sklearn`.
        """
        ensemble = optional.require("sklearn.ensemble", extra="sklearn")
        names = varied(self.completed)
        if not names:
            return {}
        columns = [_codes([one.values.get(name) for one in self.completed]) for name in names]
        metrics = [one.metrics[self.objectives[0]] for one in self.completed]
        forest = ensemble.RandomForestRegressor(random_state=0)
        shares = forest.fit(np.transpose(columns), metrics).feature_importances_.tolist()
        return dict(sorted(zip(names, shares, strict=True), key=lambda item: -item[1]))

    def to_optuna(self, **storage: Any) -> Any:
        """An Optuna study with the trials that ended well, whichever tuner chose them.

        Args:
            **storage: of `optuna.create_study`: `storage="sqlite:///study.db"` is what
                `optuna-dashboard` opens.

        Raises:
            ImportError: without Optuna, the extra `optuna`.
        """
        from attention_zoo.tuning.optuna_sampler import study_of

        return study_of(self.completed, self.objectives, **storage)


def _codes(values: Sequence[Any]) -> list[float]:
    """Numbers as they are, anything else by its place among the values; a random one for None."""
    active = [value for value in values if value is not None]
    known = sorted(set(active), key=str)
    numbers = all(isinstance(value, (int, float)) for value in active)
    codes = {value: float(value if numbers else known.index(value)) for value in known}
    rng = np.random.default_rng(0)
    return [codes[active[rng.integers(len(active))] if v is None else v] for v in values]


def best_of(trials: Sequence[TrialResult], name: str) -> TrialResult:
    """The trial with the best figure; the earliest of equals."""
    return max(trials, key=lambda one: (signed(name, one.metrics[name]), -one.trial))


def best_values(folder: str | Path) -> dict[str, Any]:
    """The hyperparameters of the best trial in the folder of a search, by full name: a point to
    begin another with, `az.tune(..., initial=[best_values("search")])`.

    Args:
        folder: the folder that `az.tune(out=...)` wrote.

    Returns:
        The values by the full names of the hyperparameters.

    Raises:
        FileNotFoundError: if the folder holds no search.
        ValueError: if none of its trials has ended well.

    Example:

    >>> az.tuning.best_values("a_search")
    Traceback (most recent call last):
    FileNotFoundError: a_search holds no search.
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
    """A flat row for each trial: its values, metrics, time and error."""
    found = []
    for one in trials:
        spread = one.metrics if len(one.executions) > 1 else ()
        row = {"trial": one.trial, "status": one.status, **one.values}
        row |= {f"metric/{name}": value for name, value in one.metrics.items()}
        row |= {f"spread/{name}": one.spread(name) for name in spread}
        found.append({**row, "seconds": one.seconds, "error": one.error})
    return found


def write_tables(trials: Sequence[TrialResult], folder: Path) -> None:
    """Write `trials.csv`, `epochs.csv` and `trials.json`, in place of earlier ones."""
    epochs: list[dict[str, Any]] = []
    for one in trials:
        for number, execution in enumerate(one.executions):
            known = {name: execution[name] for name in ("seed", "fold") if name in execution}
            history = execution["history"]
            for epoch, values in enumerate(zip(*history.values(), strict=True)):
                row = {"trial": one.trial, "execution": number, **known, "epoch": epoch}
                epochs.append({**row, **dict(zip(history, values, strict=True))})
    for name, table in {"trials": rows(trials), "epochs": epochs}.items():
        path = folder / f"{name}.csv"
        with files.new_file(path, overwrite=True) as made, open(made, "w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in table for key in row)))
            writer.writeheader()
            writer.writerows(table)
    with files.new_file(folder / "trials.json", overwrite=True) as scratch:
        states = [dataclasses.asdict(one) for one in trials]
        scratch.write_text(json.dumps(states, indent=1) + "\n", "utf-8")
