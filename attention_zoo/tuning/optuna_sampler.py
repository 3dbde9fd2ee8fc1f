"""Optuna's samplers over a search space, asked for one point at a time."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from attention_zoo.core import optional
from attention_zoo.tuning.folder import TrialResult
from attention_zoo.tuning.hyperparameters import Entry
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
        self.distributions = distributions_of(space)
        self.study, self.known = new_study(self.objectives), 0

    def __call__(self, oracle: Any, attempt: int) -> Mapping[str, Any]:
        """The values of the next trial of a KerasTuner oracle."""
        seed = [oracle.seed, len(oracle.trials), attempt]
        sampler = self._sampler(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        with _quiet():
            study = self._told(oracle, sampler)
            study.sampler = sampler
            asked = study.ask(self.distributions)
            study.tell(asked, state=require_optuna().trial.TrialState.FAIL)
        return self.space.active(asked.params)

    def _sampler(self, seed: int) -> Any:
        options = {"n_startup_trials": self.random}
        if self.tuner == "nsga2":
            options = {"population_size": _POPULATION}
        return getattr(require_optuna().samplers, SAMPLERS[self.tuner])(seed=seed, **options)

    def _told(self, oracle: Any, sampler: Any) -> Any:
        """The study with all trials that ended well."""
        trial_of = require_optuna().trial.create_trial
        breeds = self.tuner == "nsga2"
        if breeds:
            # A generation is counted when it is bred from: always from the first one on
            self.study, self.known = new_study(self.objectives, sampler=sampler), 0
        for trial_id in oracle.end_order[self.known :]:
            trial = oracle.trials[trial_id]
            if trial.status != "COMPLETED":
                continue
            params = _all_values(self.space, trial.hyperparameters.values, int(trial_id))
            values = [trial.metrics.get_last_value(name) for name in self.objectives]
            if breeds:
                self.study.enqueue_trial(params)
                added = self.study.ask(self.distributions)
                frozen = self.study.get_trials(deepcopy=False)[added.number]
                sampler.get_trial_generation(self.study, frozen)
                self.study.tell(added, values)
            else:
                self.study.add_trial(
                    trial_of(params=params, distributions=self.distributions, values=values)
                )
        self.known = len(oracle.end_order)
        return self.study


def new_study(objectives: Sequence[str], **storage: Any) -> Any:
    """A study with the directions of some objectives."""
    ways = {"max": "maximize", "min": "minimize"}
    directions = [ways[OBJECTIVES[name].direction] for name in objectives]
    with _quiet():
        return require_optuna().create_study(directions=directions, **storage)


def study_of(trials: Sequence[TrialResult], objectives: Sequence[str], **storage: Any) -> Any:
    """A study with some trials, of the values that they have."""
    optuna = require_optuna()
    study = new_study(objectives, **storage)
    kinds = optuna.distributions
    for one in trials:
        params = {name: value for name, value in one.values.items() if "tuner/" not in name}
        # What a hyperparameter can be is what it was in any of the trials
        distributions = {}
        for name in params:
            seen = [other.values[name] for other in trials if name in other.values]
            distributions[name] = kinds.CategoricalDistribution(tuple(sorted(set(seen), key=str)))
            if isinstance(params[name], float):
                distributions[name] = kinds.FloatDistribution(min(seen), max(seen))
        values = [one.metrics[name] for name in objectives]
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, values=values)
        )
    return study


def distributions_of(space: SearchSpace) -> dict[str, Any]:
    """Every entry for Optuna: those of all branches, since a point carries them all."""
    return {name: _distribution(entry) for name, entry in space.entries.items()}


def _distribution(entry: Entry) -> Any:
    kinds = require_optuna().distributions
    if entry.possible:
        return kinds.CategoricalDistribution(entry.possible)
    low, high, logarithmic = entry.range
    return kinds.FloatDistribution(low, high, log=logarithmic)


def _all_values(space: SearchSpace, values: Mapping[str, Any], trial: int) -> dict[str, Any]:
    """A trial's values, and some for the branches that it did not take, the same each time."""
    rng = np.random.default_rng([trial, len(space.entries)])
    return {name: values.get(name, _any(entry, rng)) for name, entry in space.entries.items()}


def _any(entry: Entry, rng: np.random.Generator) -> Any:
    if entry.possible:
        return entry.possible[rng.integers(len(entry.possible))]
    low, high, logarithmic = entry.range
    if logarithmic:
        return float(np.clip(np.exp(rng.uniform(np.log(low), np.log(high))), low, high))
    return float(rng.uniform(low, high))


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
