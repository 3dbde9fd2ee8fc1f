"""Optuna's samplers over a search space, asked for one point at a time."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from attention_zoo.core import optional
from attention_zoo.tuning.folder import TrialResult
from attention_zoo.tuning.hyperparameters import Hyperparameter
from attention_zoo.tuning.objectives import OBJECTIVES
from attention_zoo.tuning.search_space import SearchSpace

#: By the name of a tuner, Optuna's sampler.
SAMPLERS = {"tpe": "TPESampler", "gp": "GPSampler", "nsga2": "NSGAIISampler"}

#: How many trials are a generation of NSGA-II: budgets are small here, and the first is random.
_POPULATION = 10


def require_optuna() -> Any:
    """Optuna, or ImportError with the extra that installs it."""
    return optional.require("optuna", extra="optuna")


class OptunaSampler:
    """The next point by one of Optuna's samplers, as a function of the trials that ended.

    Args:
        tuner: `"tpe"`, `"gp"` or `"nsga2"`.
        space: what is searched.
        objectives: what is aimed at; the first alone, but for `"nsga2"`.
        random: so many first points are random.
    """

    def __init__(self, tuner: str, space: SearchSpace, objectives: Sequence[str], random: int):
        if tuner == "gp":
            optional.require("torch", extra="torch")
            optional.require("scipy", extra="sklearn")
        self.space, self.tuner, self.random = space, tuner, random
        self.objectives = tuple(objectives) if tuner == "nsga2" else tuple(objectives[:1])
        # Those of all branches, since a point carries them all
        self.distributions = {name: _distribution(one) for name, one in space.entries.items()}
        self.study, self.known = _new_study(self.objectives), 0

    def __call__(self, oracle: Any, attempt: int) -> Mapping[str, Any]:
        """The values of the next trial of a KerasTuner oracle."""
        entropy = [oracle.seed, len(oracle.trials), attempt]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        options: dict[str, Any] = {"n_startup_trials": self.random}
        if self.tuner == "nsga2":
            options = {"population_size": _POPULATION}
        with _quiet():
            sampler = getattr(require_optuna().samplers, SAMPLERS[self.tuner])(seed=seed, **options)
            self._tell(oracle, sampler)
            self.study.sampler = sampler
            asked = self.study.ask(self.distributions)
            self.study.tell(asked, state=require_optuna().trial.TrialState.FAIL)
        return self.space.active(asked.params)

    def _tell(self, oracle: Any, sampler: Any) -> None:
        """Bring the trials that ended well to the study."""
        breeds = self.tuner == "nsga2"
        if breeds:
            # A generation is counted when it is bred from: always from the first one on
            self.study, self.known = _new_study(self.objectives, sampler=sampler), 0
        for trial_id in oracle.end_order[self.known :]:
            trial = oracle.trials[trial_id]
            if trial.status != "COMPLETED":
                continue
            params = self._all_values(trial.hyperparameters.values, int(trial_id))
            values = [trial.metrics.get_last_value(name) for name in self.objectives]
            if breeds:
                self.study.enqueue_trial(params)
                added = self.study.ask(self.distributions)
                frozen = self.study.get_trials(deepcopy=False)[added.number]
                sampler.get_trial_generation(self.study, frozen)
                self.study.tell(added, values)
            else:
                self.study.add_trial(_trial(params, self.distributions, values))
        self.known = len(oracle.end_order)

    def _all_values(self, values: Mapping[str, Any], trial: int) -> dict[str, Any]:
        """A trial's values, and random ones for the branches that it did not take."""
        draw = require_optuna().samplers.RandomSampler(seed=trial).sample_independent
        return {
            name: values[name] if name in values else draw(self.study, None, name, distribution)
            for name, distribution in self.distributions.items()
        }


def study_of(trials: Sequence[TrialResult], objectives: Sequence[str], **storage: Any) -> Any:
    """A study with some trials, of the values that they have."""
    study = _new_study(objectives, **storage)
    for one in trials:
        params = {name: value for name, value in one.values.items() if "tuner/" not in name}
        distributions = {}
        for name in params:
            # What a hyperparameter can be is what it was in any of the trials
            seen = tuple(sorted({o.values[name] for o in trials if name in o.values}, key=str))
            known = Hyperparameter(name, None, seen)
            if isinstance(params[name], float):
                known = Hyperparameter(name, None, (), min(seen), max(seen), "linear")
            distributions[name] = _distribution(known)
        study.add_trial(_trial(params, distributions, [one.metrics[name] for name in objectives]))
    return study


def _trial(params: Any, distributions: Any, values: Sequence[float]) -> Any:
    create = require_optuna().trial.create_trial
    return create(params=params, distributions=distributions, values=values)


def _new_study(objectives: Sequence[str], **options: Any) -> Any:
    """A study with the directions of some objectives."""
    ways = {"max": "maximize", "min": "minimize"}
    directions = [ways[OBJECTIVES[name].direction] for name in objectives]
    with _quiet():
        return require_optuna().create_study(directions=directions, **options)


def _distribution(one: Hyperparameter) -> Any:
    kinds = require_optuna().distributions
    if one.values:
        return kinds.CategoricalDistribution(one.values)
    return kinds.FloatDistribution(one.low, one.high, log=one.sampling == "log")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Optuna reports every study, and warns of what is experimental in it."""
    logging = require_optuna().logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
