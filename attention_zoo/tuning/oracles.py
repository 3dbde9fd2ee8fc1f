"""KerasTuner's oracles: the default first, no point twice.

Only names that KerasTuner documents are used: nothing of its `src` or its `engine`.

A point is a function of the seed, its number and the trials before it, so that a search that goes
on tries what one does that nothing interrupted: `recorded` tells an oracle what was tried.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from attention_zoo.core import optional
from attention_zoo.tuning.objectives import OBJECTIVES
from attention_zoo.tuning.optuna_sampler import SAMPLERS, OptunaSampler
from attention_zoo.tuning.search_space import SearchSpace

TUNERS = ("random", "bayesian", "hyperband", "grid", *SAMPLERS)

#: So many points that were tried already end a search: the space has hardly any other.
_ATTEMPTS = 100

Point = Mapping[str, Any]


def seed_of(seed: int, *numbers: int) -> int:
    """A seed far from its neighbours', since KerasTuner counts on from it; 0 would be none."""
    return 1 + int(np.random.SeedSequence([seed, *numbers]).generate_state(1)[0]) // 2


class _Folder(keras_tuner.Tuner):
    """Gives an oracle the folder that it writes to, which is all that a search needs of a tuner."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> None:
        """A search runs its trials itself."""


class _Unsaved:
    """Of an oracle: the search's folder has its state, whole at every moment.

    Attributes:
        recorded: the values of the trials of an interrupted search, by number.
        first: the default, then the user's own points.
    """

    recorded: Mapping[int, Point]
    first: Sequence[Point]

    def save(self) -> None:
        """Do nothing."""


class SearchOracle(_Unsaved, keras_tuner.Oracle):
    """KerasTuner's oracle over the points of a sampler.

    Attributes:
        sample: from an oracle and the number of an attempt to the next point, None where there is
            none.
        tried: the points so far.
    """

    sample: Callable[[Any, int], Point | None]
    tried: set[str]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial."""
        untried = (point for point in self.first if key_of(point) not in self.tried)
        values = self.recorded.get(len(self.trials)) or next(untried, None)
        for attempt in range(_ATTEMPTS):
            if values is not None:
                self.tried.add(key_of(values))
                return {"status": "RUNNING", "values": dict(values)}
            values = self.sample(self, attempt)
            if values is None:
                break
            values = None if key_of(values) in self.tried else values
        return {"status": "STOPPED", "values": None}


class HyperbandOracle(_Unsaved, keras_tuner.oracles.HyperbandOracle):
    """KerasTuner's Hyperband (Li et al., 2018). Its state is restored by asking for the trials of
    the interrupted search again."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial."""
        number = len(self.trials)
        if number < len(self.first):
            return {"status": "RUNNING", "values": dict(self.first[number])}
        found = super().populate_space(trial_id)
        if number in self.recorded:
            found = {"status": "RUNNING", "values": dict(self.recorded[number])}
        return found


def key_of(values: Point) -> str:
    """What two equal points have in common; what a tuner adds is left out."""
    return repr(sorted(item for item in values.items() if not item[0].startswith("tuner/")))


def _random(oracle: Any, attempt: int) -> Point | None:
    """A random point."""
    seed = seed_of(oracle.seed, len(oracle.trials), attempt)
    other = keras_tuner.oracles.RandomSearchOracle(
        oracle.objective, seed=seed, hyperparameters=oracle.hyperparameters
    )
    return other.populate_space("")["values"]


class _Told(keras_tuner.oracles.BayesianOptimizationOracle):
    """KerasTuner's Gaussian process, told of points that it did not choose."""

    told: Point | None = None

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The point that it is told of, or the one that it expects to be good."""
        if self.told is None:
            return super().populate_space(trial_id)
        return {"status": "RUNNING", "values": dict(self.told)}


class _Bayesian:
    """The point that KerasTuner's Gaussian process expects to be good, after some random ones."""

    def __init__(self, random: int, directory: str):
        optional.require("sklearn", extra="sklearn")
        self.random, self.directory = random, directory

    def __call__(self, oracle: Any, attempt: int) -> Point | None:
        ended = [one.score for one in oracle.trials.values() if one.status == "COMPLETED"]
        if attempt or len(ended) < self.random:  # at once more it would propose the same
            return _random(oracle, attempt)
        seed, aim = seed_of(oracle.seed, len(oracle.trials)), oracle.objective
        other = _Told(
            aim, None, num_initial_points=1, hyperparameters=oracle.get_space(), seed=seed
        )
        other.verbose = 0
        _Folder(other, directory=self.directory, project_name="bayesian")
        # What still runs counts as the worst (the constant liar of Ginsbourger et al., 2010)
        scores = {
            "COMPLETED": None,
            "RUNNING": max(ended) if aim.direction == "min" else min(ended),
        }
        for one in oracle.trials.values():
            if one.status in scores:
                other.told = one.hyperparameters.values
                trial = other.create_trial(one.trial_id)
                score = scores[one.status] if one.score is None else one.score
                other.update_trial(trial.trial_id, {aim.name: score})
                trial.status = "COMPLETED"
                other.end_trial(trial)
        other.told = None
        with warnings.catch_warnings():
            # Metrics of pure chance have no length scale, which the next trial may change
            warnings.filterwarnings("ignore", "The optimal value found")
            return other.populate_space("")["values"]


def make_oracle(
    tuner: str,
    space: SearchSpace,
    objectives: Sequence[str],
    *,
    max_trials: int | None,
    epochs: int,
    seed: int,
    initial: Sequence[Point],
    directory: str,
) -> Any:
    """The oracle of a search, which knows the space.

    Args:
        directory: a temporary folder, for the files that KerasTuner writes and nobody reads.

    Raises:
        ImportError: where scikit-learn is missing for `"bayesian"`, or Optuna for its samplers.
    """
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(objectives[0], OBJECTIVES[objectives[0]].direction),
        "seed": seed_of(seed),
        # Failures are counted by the search: KerasTuner raises in a lock that it then never frees
        "max_consecutive_failed_trials": 10**9,
    }
    points: list[Point] = []
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
        oracle.sample = _Bayesian(random, directory)
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
    _Folder(oracle, directory=directory, project_name="oracle")
    return oracle
