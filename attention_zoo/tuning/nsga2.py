"""NSGA-II over the table of knobs: Optuna's sampler, asked for one point at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras_tuner
import numpy as np

from attention_zoo.core import optional
from attention_zoo.tuning.knobs import Entry
from attention_zoo.tuning.objectives import OBJECTIVES
from attention_zoo.tuning.space import SearchSpace

#: How many trials are a generation: budgets are small here, and the first is random.
POPULATION = 10

#: So often another point is asked for in place of one that was tried.
_ATTEMPTS = 20


def require() -> Any:
    """Optuna, or ImportError with the extra that installs it."""
    return optional.require("optuna", extra="pareto")


class Nsga2(keras_tuner.Oracle):
    """Points bred from those that no other is better than in all objectives (Deb et al., 2002).

    A point is a function of the seed and of the trials that ended, and of nothing else: the study
    is made anew for each, so that a search that goes on breeds as one that was not interrupted.
    """

    searched: SearchSpace
    #: What is weighed against each other, by name.
    aims: tuple[str, ...]
    #: The next of the points that come before those that are bred, or None.
    first: Callable[[], dict[str, Any] | None]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next point."""
        if values := self.first():
            return {"status": "RUNNING", "values": values}
        study, distributions = self._told(), _distributions(self.searched)
        for attempt in range(_ATTEMPTS):
            # Every point has a seed of its own
            study.sampler = _sampler(self.seed + _ATTEMPTS * len(self.trials) + attempt)
            asked = study.ask(distributions)
            study.tell(asked, state=require().trial.TrialState.FAIL)
            values = self.searched.active(asked.params)
            if not self._duplicate(values):
                break
        return {"status": "RUNNING", "values": values}

    def _told(self) -> Any:
        """A study that knows the trials that ended well."""
        ways = {"max": "maximize", "min": "minimize"}
        sampler = _sampler(self.seed)
        with _quiet():
            study = require().create_study(
                directions=[ways[OBJECTIVES[name].direction] for name in self.aims],
                sampler=sampler,
            )
        distributions = _distributions(self.searched)
        for trial_id, trial in sorted(self.trials.items(), key=lambda item: int(item[0])):
            if trial.status == "COMPLETED":
                genes = _genes(self.searched, trial.hyperparameters.values, int(trial_id))
                study.enqueue_trial(genes)
                added = study.ask(distributions)
                sampler.get_trial_generation(study, study.get_trials(deepcopy=False)[added.number])
                study.tell(added, [trial.metrics.get_last_value(name) for name in self.aims])
        return study


def _sampler(seed: int) -> Any:
    return require().samplers.NSGAIISampler(population_size=POPULATION, seed=seed)


def _distributions(space: SearchSpace) -> dict[str, Any]:
    """Every entry for Optuna: those of all branches, since a point carries them all."""
    return {name: _distribution(entry) for name, entry in space.entries.items()}


def _distribution(entry: Entry) -> Any:
    kinds = require().distributions
    if entry.possible:
        return kinds.CategoricalDistribution(entry.possible)
    low, high, logarithmic = _range(entry)
    return kinds.FloatDistribution(low, high, log=logarithmic)


def _range(entry: Entry) -> tuple[float, float, bool]:
    return entry.low, entry.high, entry.own is None or entry.own.sampling != "linear"


def _genes(space: SearchSpace, values: Mapping[str, Any], trial: int) -> dict[str, Any]:
    """A trial's values, and some for the branches that it did not take: what is not expressed can
    be anything, the same each time."""
    rng = np.random.default_rng([trial, len(space.entries)])
    return {name: values.get(name, _any(entry, rng)) for name, entry in space.entries.items()}


def _any(entry: Entry, rng: np.random.Generator) -> Any:
    if entry.possible:
        return entry.possible[rng.integers(len(entry.possible))]
    low, high, logarithmic = _range(entry)
    if logarithmic:
        return float(np.clip(np.exp(rng.uniform(np.log(low), np.log(high))), low, high))
    return float(rng.uniform(low, high))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Optuna tells of every study that it makes."""
    logging = require().logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(before)
