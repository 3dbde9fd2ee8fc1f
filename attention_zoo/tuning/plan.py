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
from attention_zoo.tuning.objectives import check_objectives, default_objective, measurable
from attention_zoo.tuning.optuna_sampler import require_optuna
from attention_zoo.tuning.oracles import TUNERS, make_oracle
from attention_zoo.tuning.search_space import SearchSpace
from attention_zoo.tuning.table import FACTORIES
from attention_zoo.tuning.trials import TrialData, versions

#: Without a number of trials, a space of so many points at most is searched whole.
_WHOLE = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """A search that can begin.

    Attributes:
        asked: the arguments of `tune`, by name, checked.
        hypermodel: turns a point into a recipe.
        data: what all trials share.
        test: samples that no trial sees.
        common: what all recipes have in common, such as the task.
        tuner: how points are chosen.
        initial: points to try right after the default.
        notes: what was decided for the user.
    """

    asked: Any
    hypermodel: HyperAttention
    data: TrialData
    test: Dataset
    common: dict[str, Any]
    tuner: str
    initial: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def max_trials(self) -> int | None:
        """How many trials there are at most."""
        limited = self.asked.max_minutes is not None
        return self.asked.max_trials if limited else self.asked.max_trials or 20

    def oracle(self, directory: str) -> Any:
        """What decides what is tried."""
        return make_oracle(
            self.tuner,
            self.hypermodel.space,
            self.data.objectives,
            max_trials=self.max_trials,
            epochs=self.asked.epochs,
            seed=self.asked.seed,
            initial=self.initial,
            directory=directory,
        )

    def recipes(self, values: Mapping[str, Any]) -> tuple[Recipe, ...]:
        """The recipe of each execution of a point, and of each fold; those of one execution have
        one seed, the same for all trials, so that points differ and not their luck."""
        asked, parts = self.asked, len(self.data.parts)
        recipe = self.hypermodel.recipe(
            values,
            epochs=asked.epochs,
            begin=values.get("tuner/initial_epoch", 0),
            end=values.get("tuner/epochs", asked.epochs),
            patience=asked.patience or asked.epochs,
            **self.common,
        )
        numbers = range(asked.executions * parts)
        return tuple(recipe.changed(seed=asked.seed + number // parts) for number in numbers)

    def identity(self) -> dict[str, Any]:
        """All that decides the trials, but for the budget, which may grow."""
        names = ("epochs", "executions", "folds", "patience", "seed")
        return {
            "architectures": self.hypermodel.space.architectures,
            "recipe": self.common,
            "config": self.hypermodel.config,
            "data": self.data.train.fingerprint(),
            "space": self.hypermodel.space.describe(),
            "tuner": self.tuner,
            "objectives": self.data.objectives,
            "initial": self.initial,
            "backend": keras.backend.backend(),
            **{name: getattr(self.asked, name) for name in names},
        }


def make_plan(asked: Any) -> Plan:
    """The plan that the arguments of `tune` ask for; its errors are those of `tune`."""
    if asked.tuner not in TUNERS:
        raise one_of("tuner", asked.tuner, TUNERS)
    for name in ("epochs", "samples", "executions", "keep_best"):
        checks.positive_int(name, getattr(asked, name))
    for name in ("max_trials", "patience", "folds"):
        checks.positive_int(name, getattr(asked, name), none=True)
    checks.natural("seed", asked.seed)
    if asked.max_minutes is not None:
        checks.positive("max_minutes", asked.max_minutes)
    check_dataset(asked.data)
    if (asked.task is None) == (asked.data is None):
        raise ValueError("Give a task or your own data, one of the two.")
    common: dict[str, Any] = {}
    if asked.task is not None:
        samples = asked.samples
        common = {"task": asked.task, "samples": samples, "validation": max(200, samples // 4)}
    parts, whole, test = _data(asked, common)
    train = parts[0][0] if whole is None else whole
    names = _architectures(asked.architecture, train)
    hypermodel = HyperAttention(
        names,
        input_shape=train.input_shape,
        kind=train.kind,
        outputs=train.outputs,
        attention=asked.attention,
        space=asked.space,
        config=_config(asked.task, train),
    )
    space = hypermodel.space
    wanted = [default_objective(train.kind)] if asked.objective is None else asked.objective
    objectives = tuple(checks.names("objective", wanted))
    check_objectives(objectives, train)
    space, left_out = measurable(space, objectives)
    hypermodel.space = space
    if asked.tuner == "nsga2":
        require_optuna()
        if len(objectives) < 2:
            raise ValueError(
                "The tuner 'nsga2' weighs several objectives against each other: name two or more. "
                f"Received: {objectives[0]}"
            )
    data = TrialData(parts, whole, objectives, uuid.uuid4().hex, versions())
    plan = Plan(asked, hypermodel, data, test, common, asked.tuner, _points(space, asked), ())
    tuner, notes = _exhaustive(asked.tuner, space, plan.max_trials)
    notes = (*left_out, *notes)
    if whole is not None:
        count = asked.executions * len(parts)
        folded = f"Each point is trained {count} times, on {len(parts)} folds"
        notes = (*notes, f"{folded}, and the best at last on all of them.")
    # The plain model is built now, so that what no trial could build is known before the first
    build_for(plan.recipes(space.active({}))[0], train, 0)
    return dataclasses.replace(plan, tuner=tuner, notes=notes)


def _data(
    asked: Any, common: dict[str, Any]
) -> tuple[tuple[tuple[Dataset, Dataset], ...], Dataset | None, Dataset]:
    """Pairs of what trains and what validates, the samples of all folds, and those of the test."""
    count, data, seed = asked.folds, asked.data, asked.seed
    if count is not None:
        if data is None:
            raise ValueError(
                "`folds` is for data of your own. A task has as many samples as are asked for: "
                "give `executions` instead."
            )
        if count < 2:
            raise ValueError(f"`folds` must be 2 or more, or None. Received: folds={count}")
        if asked.tuner == "hyperband":
            raise ValueError(
                "`folds` and the tuner 'hyperband' do not go together: it goes on from weights of "
                "an earlier trial, which know the samples of other folds. Choose 'random'."
            )
        pairs, whole, test = folds(data, count, seed)
        return tuple((a, b) for a, b in itertools.starmap(scaled, pairs)), whole, test
    if data is None:
        recipe = default_recipe("dense", common["task"]).changed(**common, seed=seed)
        train, validation, test = datasets(recipe)
    else:
        train, validation, test = split(data, seed)
    return ((train, validation),), None, test


def _points(space: SearchSpace, asked: Any) -> tuple[dict[str, Any], ...]:
    """The user's own points, checked."""
    initial = asked.initial or ()
    if isinstance(initial, (str, Mapping)) or not isinstance(initial, Sequence):
        raise TypeError(
            "`initial` must be a list of dictionaries from the full names of hyperparameters to "
            f"values, such as [search.best.values]. Received: {initial!r}"
        )
    points = tuple(space.point(values) for values in initial)
    if asked.max_trials is not None and len(points) >= asked.max_trials:
        raise ValueError(
            f"`max_trials` must be more than the {len(points)} points of `initial`, since the "
            f"first trial is the default. Received: max_trials={asked.max_trials}"
        )
    return points


def _config(task: str | None, train: Dataset) -> dict[str, Any]:
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
    if tuner in ("grid", "hyperband") or not all(one.values for one in space.entries.values()):
        return tuner, ()
    most = max_trials or _WHOLE
    size = sum(1 for _ in itertools.islice(space.points(), most + 1))
    if size > most:
        return tuner, ()
    return "grid", (f"The space has {size} points in all: each is tried once.",)
