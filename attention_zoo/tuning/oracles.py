"""KerasTuner's oracles: the default first, no point twice.

Nothing of `keras_tuner.src` and no name with an underscore is used. The modules of
`keras_tuner.engine` are, and `_bayesian` gives an oracle the trials that another one has.

A point is a function of the seed, its number and the trials before it, so that a search that goes
on tries what one does that nothing interrupted: `SearchOracle.recorded` tells it what was tried.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.base_tuner import BaseTuner

from attention_zoo.core import optional
from attention_zoo.tuning.objectives import OBJECTIVES
from attention_zoo.tuning.optuna_sampler import SAMPLERS, OptunaSampler
from attention_zoo.tuning.search_space import SearchSpace

TUNERS = ("random", "bayesian", "hyperband", "grid", *SAMPLERS)

#: So many points that were tried already end a search: the space has hardly any other.
_ATTEMPTS = 100

#: From an oracle and the number of an attempt to the next point, or None where there is none.
Sampler = Callable[["SearchOracle", int], Mapping[str, Any] | None]


def seed_of(seed: int, *numbers: int) -> int:
    """A seed far from its neighbours', since KerasTuner counts on from it; 0 would be none."""
    return 1 + int(np.random.SeedSequence([seed, *numbers]).generate_state(1)[0]) // 2


class SearchOracle(keras_tuner.Oracle):
    """KerasTuner's oracle over the points of a sampler.

    Attributes:
        recorded: the values of the trials of an interrupted search, by number.
        first: the default, then the user's own points.
        sample: the sampler.
        tried: the points so far.
    """

    recorded: Mapping[int, dict[str, Any]]
    first: Sequence[dict[str, Any]]
    sample: Sampler
    tried: set[str]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial."""
        values: Mapping[str, Any] | None = self.recorded.get(len(self.trials)) or next(
            (point for point in self.first if key_of(point) not in self.tried), None
        )
        for attempt in range(_ATTEMPTS):
            if values is not None:
                self.tried.add(key_of(values))
                return {"status": "RUNNING", "values": dict(values)}
            values = self.sample(self, attempt)
            if values is None:
                break
            values = None if key_of(values) in self.tried else values
        return {"status": "STOPPED", "values": None}

    def save(self) -> None:
        """Do nothing: the search's folder has the state, whole at every moment."""


class HyperbandOracle(keras_tuner.oracles.HyperbandOracle):
    """KerasTuner's Hyperband (Li et al., 2018). Its state is restored by asking for the trials of
    the interrupted search again."""

    recorded: Mapping[int, dict[str, Any]]
    first: Sequence[dict[str, Any]]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial."""
        number = len(self.trials)
        if number < len(self.first):
            return {"status": "RUNNING", "values": dict(self.first[number])}
        found = super().populate_space(trial_id)
        if number in self.recorded:
            found = {"status": "RUNNING", "values": dict(self.recorded[number])}
        return found

    def save(self) -> None:
        """Do nothing: the search's folder has the state, whole at every moment."""


def key_of(values: Mapping[str, Any]) -> str:
    """What two equal points have in common; what a tuner adds is left out."""
    return repr(sorted(item for item in values.items() if not item[0].startswith("tuner/")))


def _random(oracle: SearchOracle, attempt: int) -> Mapping[str, Any] | None:
    """A random point."""
    seed = seed_of(oracle.seed, len(oracle.trials), attempt)
    other = keras_tuner.oracles.RandomSearchOracle(
        oracle.objective, seed=seed, hyperparameters=oracle.hyperparameters
    )
    return other.populate_space("")["values"]


def _bayesian(oracle: SearchOracle, attempt: int, random: int, models: list[Any]) -> Any:
    """The point that KerasTuner's Gaussian process expects to be good."""
    if attempt:  # it would propose the same once more
        return _random(oracle, attempt)
    other = keras_tuner.oracles.BayesianOptimizationOracle(
        oracle.objective, num_initial_points=random, hyperparameters=oracle.hyperparameters,
        seed=seed_of(oracle.seed, len(oracle.trials)),
    )  # fmt: skip
    other.trials, other.ongoing_trials = oracle.trials, oracle.ongoing_trials
    if models and oracle.ongoing_trials:  # it guesses how these will end
        other.gpr = models[0]
    with warnings.catch_warnings():
        # Metrics of pure chance have no length scale, which the next trial may change
        warnings.filterwarnings("ignore", "The optimal value found")
        values = other.populate_space("")["values"]
    models[:] = [other.gpr]
    return values


def make_oracle(
    tuner: str, space: SearchSpace, objectives: Sequence[str], *, max_trials: int | None,
    epochs: int, seed: int, initial: Sequence[dict[str, Any]], directory: str,
) -> Any:  # fmt: skip
    """The oracle of a search, which knows the space.

    Args:
        directory: a temporary folder, for the files that KerasTuner writes and nobody reads.

    Raises:
        ImportError: where scikit-learn is missing for `"bayesian"`, or Optuna for its samplers.
    """
    name = objectives[0]
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(name, OBJECTIVES[name].direction),
        "seed": seed_of(seed),
        # Failures are counted by the search: KerasTuner raises in a lock that it then never frees
        "max_consecutive_failed_trials": 10**9,
    }
    points: list[dict[str, Any]] = []
    for point in (space.active({}), *initial):
        if point not in points:
            points.append(point)
    # KerasTuner's own choice, three random points a dimension, would be most of a search
    random = max(3, (max_trials or 30) // 3, 1 + len(points))
    oracle: Any
    if tuner == "hyperband":
        oracle = HyperbandOracle(max_epochs=epochs, hyperband_iterations=10**6, **common)
        oracle.max_trials = max_trials
    else:
        oracle = SearchOracle(max_trials=max_trials, **common)
        oracle.sample, oracle.tried = _random, set()
    if tuner == "bayesian":
        optional.require("sklearn", extra="sklearn")
        models: list[Any] = []
        oracle.sample = lambda oracle, attempt: _bayesian(oracle, attempt, random, models)
    elif tuner == "grid":
        # KerasTuner's own does not know points that it did not choose, such as the user's
        rest = space.points()
        oracle.sample = lambda oracle, attempt: next(
            (point for point in rest if key_of(point) not in oracle.tried), None
        )
    elif tuner in SAMPLERS:
        oracle.sample = OptunaSampler(tuner, space, objectives, random)
    oracle.first, oracle.recorded, oracle.verbose = points, {}, 0
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    oracle.update_space(hp)
    BaseTuner(oracle, directory=directory, project_name="oracle")  # which gives it the folder
    return oracle
