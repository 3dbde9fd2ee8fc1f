"""What a search will do, checked before it begins."""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.data.dataset import Dataset, check_dataset
from attention_zoo.data.scaling import scaled
from attention_zoo.data.splitting import folds, split
from attention_zoo.training.compiling import build_for, dtype_of_process
from attention_zoo.training.recipe import Recipe, default_recipe
from attention_zoo.training.study import datasets
from attention_zoo.tuning.hypermodel import HyperAttention
from attention_zoo.tuning.objectives import check_objectives, default_objective
from attention_zoo.tuning.optuna_sampler import require_optuna
from attention_zoo.tuning.oracles import TUNERS, make_oracle
from attention_zoo.tuning.search_space import SearchSpace
from attention_zoo.tuning.table import FACTORIES
from attention_zoo.tuning.trials import TrialData, versions

#: Without a number of trials, a space of so many points at most is searched whole.
_WHOLE = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """A search that can begin: the arguments of `tune`, checked.

    Attributes:
        hypermodel: turns a point into a recipe.
        data: what all trials share.
        test: samples that no trial sees.
        common: what all recipes have in common, such as the task.
        tuner: how points are chosen.
        notes: what was decided for the user.
        initial: points to try right after the default.
        max_seconds: the budget, None for no limit; the rest are the arguments of `tune`.
    """

    hypermodel: HyperAttention
    data: TrialData
    test: Dataset
    common: dict[str, Any]
    tuner: str
    notes: tuple[str, ...]
    initial: tuple[dict[str, Any], ...]
    max_trials: int | None
    max_seconds: float | None
    epochs: int
    executions: int
    patience: int | None
    seed: int

    def oracle(self, directory: str) -> Any:
        """What decides what is tried."""
        return make_oracle(
            self.tuner, self.hypermodel.space, self.data.objectives, max_trials=self.max_trials,
            epochs=self.epochs, seed=self.seed, initial=self.initial, directory=directory,
        )  # fmt: skip

    def recipes(self, values: Mapping[str, Any]) -> tuple[Recipe, ...]:
        """The recipe of each execution of a point, and of each fold; those of one execution have
        one seed, the same for all trials, so that points differ and not their luck."""
        done = values.get("tuner/initial_epoch", 0)
        parts = len(self.data.parts)
        recipe = self.hypermodel.recipe(
            values, epochs=values.get("tuner/epochs", self.epochs) - done,
            patience=self.patience or self.epochs, **self.common,
        )  # fmt: skip
        numbers = range(self.executions * parts)
        return tuple(recipe.changed(seed=self.seed + number // parts) for number in numbers)

    def identity(self) -> dict[str, Any]:
        """All that decides the trials, but for the budget, which may grow."""
        return {
            "architectures": self.hypermodel.space.architectures,
            "recipe": self.common,
            "config": self.hypermodel.config,
            "data": self.data.train.fingerprint(),
            "space": self.hypermodel.space.describe(),
            "tuner": self.tuner,
            "objectives": self.data.objectives,
            "epochs": self.epochs,
            "initial": self.initial,
            "executions": self.executions,
            "folds": None if self.data.whole is None else len(self.data.parts),
            "patience": self.patience,
            "seed": self.seed,
            "backend": keras.backend.backend(),
        }


def make_plan(
    architecture: str | Sequence[str] | None, task: str | None, *, data: Dataset | None,
    attention: str | Sequence[str] | None, space: Mapping[str, Any] | None, tuner: str,
    objective: str | Sequence[str] | None, max_trials: int | None, max_minutes: float | None,
    epochs: int, samples: int, executions: int, patience: int | None, seed: int,
    initial: Sequence[Mapping[str, Any]] | None, folds: int | None,
) -> Plan:  # fmt: skip
    """The plan that the arguments of `tune` ask for; its errors are those of `tune`."""
    if tuner not in TUNERS:
        raise one_of("tuner", tuner, TUNERS)
    for name, count in {"epochs": epochs, "samples": samples, "executions": executions}.items():
        checks.positive_int(name, count)
    checks.positive_int("max_trials", max_trials, none=True)
    checks.positive_int("patience", patience, none=True)
    checks.natural("seed", seed)
    if max_minutes is not None:
        checks.positive("max_minutes", max_minutes)
    elif max_trials is None:
        max_trials = 20
    check_dataset(data)
    if (task is None) == (data is None):
        raise ValueError("Give a task or your own data, one of the two.")
    common: dict[str, Any] = {}
    if task is not None:
        common = {"task": task, "samples": samples, "validation": max(200, samples // 4)}
    parts, whole, test = _data(data, common, seed, folds, tuner)
    train = parts[0][0] if whole is None else whole
    names = _architectures(architecture, train)
    hypermodel = HyperAttention(
        names, input_shape=train.input_shape, kind=train.kind, outputs=train.outputs,
        attention=attention, space=space, config=_config(names[0], task, train),
    )  # fmt: skip
    wanted = [default_objective(train.kind)] if objective is None else objective
    objectives = tuple(checks.names("objective", wanted))
    check_objectives(objectives, train)
    if tuner == "nsga2":
        require_optuna()
        if len(objectives) < 2:
            raise ValueError(
                "The tuner 'nsga2' weighs several objectives against each other: name two or more. "
                f"Received: {objectives[0]}"
            )
    points = _points(hypermodel.space, initial, max_trials)
    tuner, notes = _exhaustive(tuner, hypermodel.space, max_trials)
    if whole is not None:
        notes = (*notes, f"Each point is trained {executions * len(parts)} times, on {len(parts)} "
                 "folds, and the best at last on all of them.")  # fmt: skip
    plan = Plan(
        hypermodel, TrialData(parts, whole, objectives, uuid.uuid4().hex, versions()), test, common,
        tuner, notes, points, max_trials, None if max_minutes is None else 60 * max_minutes, epochs,
        executions, patience, seed,
    )  # fmt: skip
    # The plain model is built now, so that what no trial could build is known before the first
    build_for(plan.recipes(hypermodel.space.active({}))[0], train, 0)
    return plan


def _data(
    data: Dataset | None, common: dict[str, Any], seed: int, count: int | None, tuner: str
) -> tuple[tuple[tuple[Dataset, Dataset], ...], Dataset | None, Dataset]:
    """The parts of a `Trainer`, the samples of all folds, and those of the test."""
    if count is not None:
        checks.positive_int("folds", count)
        _check_folds(count, data, tuner)
    if data is None:
        recipe = default_recipe("dense", common["task"]).changed(**common, seed=seed)
        train, validation, test = datasets(recipe)
    elif count is None:
        train, validation, test = split(data, seed)
    else:
        pairs, whole, test = folds(data, count, seed)
        return tuple((a, b) for a, b in itertools.starmap(scaled, pairs)), whole, test
    return ((train, validation),), None, test


def _check_folds(count: int, data: Dataset | None, tuner: str) -> None:
    if data is None:
        raise ValueError(
            "`folds` is for data of your own. A task has as many samples as are asked for: give "
            "`executions` instead."
        )
    if count < 2:
        raise ValueError(f"`folds` must be 2 or more, or None. Received: folds={count}")
    if tuner == "hyperband":
        raise ValueError(
            "`folds` and the tuner 'hyperband' do not go together: it goes on from weights of an "
            "earlier trial, which know the samples of other folds. Choose 'random' or 'bayesian'."
        )


def _points(
    space: SearchSpace, initial: Sequence[Mapping[str, Any]] | None, max_trials: int | None
) -> tuple[dict[str, Any], ...]:
    """The user's own points, checked."""
    if isinstance(initial, (str, Mapping)) or not isinstance(initial or (), Sequence):
        raise TypeError(
            "`initial` must be a list of dictionaries from the full names of hyperparameters to "
            f"values, such as [search.best.values]. Received: {initial!r}"
        )
    points = tuple(space.point(values) for values in initial or ())
    if max_trials is not None and len(points) >= max_trials:
        raise ValueError(
            f"`max_trials` must be more than the {len(points)} points of `initial`, since the "
            f"first trial is the default. Received: max_trials={max_trials}"
        )
    return points


def _config(architecture: str, task: str | None, train: Dataset) -> dict[str, Any]:
    """The arguments that every model of the search has."""
    config: dict[str, Any] = dtype_of_process()
    if not task:
        config["standardize"] = True
    if task and train.y.ndim > 1:
        config["return_sequences"] = True
    if train.mask_value is not None:
        config["mask_value"] = train.mask_value
    return config


def _architectures(wanted: str | Sequence[str] | None, train: Dataset) -> list[str]:
    """The factories to search among: by default all that fit the data, the plainest first."""
    if wanted is not None:
        return list(dict.fromkeys(checks.names("architecture", wanted)))
    table = train.x.ndim == 2
    others = ("gru_after", "rnn")  # they are `gru`, and `lstm_after` or `gru`
    names = [
        n for n, row in FACTORIES.items() if (row.place == "table") == table and n not in others
    ]
    if train.y.ndim > 1:
        names = [name for name in names if FACTORIES[name].place == "before"]
    return sorted(names, key=lambda name: name != "lstm_after")


def _exhaustive(
    tuner: str, space: SearchSpace, max_trials: int | None
) -> tuple[str, tuple[str, ...]]:
    """The tuner to use, since what can be tried whole needs no guessing, and a note of it."""
    if tuner == "grid":
        next(space.points())  # a range is refused now
        return tuner, ()
    if tuner == "hyperband" or any(not entry.possible for entry in space.entries.values()):
        return tuner, ()
    most = max_trials or _WHOLE
    size = sum(1 for _ in itertools.islice(space.points(), most + 1))
    if size > most:
        return tuner, ()
    return "grid", (f"The space has {size} points in all: each is tried once.",)
