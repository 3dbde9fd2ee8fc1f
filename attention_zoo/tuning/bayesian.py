"""Points that a Gaussian process expects to be good: KerasTuner's, asked about many at once.

KerasTuner climbs from 50 places by differences of single predictions, which in ten dimensions takes
longer than to train a small model.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras_tuner
import numpy as np

_HP = keras_tuner.engine.hyperparameters

#: Random points of a proposal, and around how many of the best it looks closer, how often.
_DRAWN, _BEST, _ROUNDS = 2000, 25, 12

#: Points around each of the best in a round, and the standard deviations of their steps.
_AROUND, _LEAST, _MOST = 20, 0.003, 0.3


class Bayesian(keras_tuner.oracles.BayesianOptimizationOracle):
    """The point of the lowest confidence bound, among many points that the space does have.

    A point is a function of the seed and of the trials, and of nothing else, so that a search that
    goes on tries what one does that was not interrupted.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next point: random ones first, as KerasTuner's."""
        done = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if len(done) < self.num_initial_points:
            return self._random_populate_space()
        cube = Cube(self.hyperparameters.space)
        sign = -1.0 if self.objective.direction == "max" else 1.0
        x = np.array([cube.place(trial.hyperparameters.values) for trial in done])
        y = np.array([sign * trial.score for trial in done])
        self._fit(x, y)
        pending = [
            cube.place(trial.hyperparameters.values)
            for trial in self.trials.values()
            if trial.status not in ("COMPLETED", "FAILED", "INVALID")
        ]
        if pending:
            # What others are training is taken for bad, so that they do not try the same
            mean, deviation = self.gpr.predict(pending, return_std=True)
            self._fit(np.concatenate([x, pending]), np.concatenate([y, mean + deviation]))
        rng = np.random.default_rng([self.seed, len(self.trials)])
        for place in self._promising(cube, x[np.argsort(y, kind="stable")[:_BEST]], rng):
            values = self._vector_to_values(place)
            if not self._duplicate(values):
                return {"status": "RUNNING", "values": values}
        return self._random_populate_space()

    def _fit(self, x: np.ndarray, y: np.ndarray) -> None:
        with warnings.catch_warnings():
            # Figures of pure chance have no length, which the next trial may change
            warnings.filterwarnings("ignore", "The optimal value found")
            self.gpr.fit(x, y)

    def _promising(self, cube: Cube, best: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Places in the cube, that of the lowest bound first."""
        found = np.concatenate([cube.draw(rng, _DRAWN), cube.around(rng, best, _AROUND)])
        bounds = self._bounds(found)
        for _ in range(_ROUNDS):
            lowest = found[np.argsort(bounds, kind="stable")[:_BEST]]
            close = cube.around(rng, lowest, _AROUND)
            found = np.concatenate([found, close])
            bounds = np.concatenate([bounds, self._bounds(close)])
        return found[np.argsort(bounds, kind="stable")]

    def _bounds(self, places: np.ndarray) -> np.ndarray:
        mean, deviation = self.gpr.predict(places, return_std=True)
        return mean - self.beta * deviation


class Cube:
    """KerasTuner's embedding of a space in [0, 1]: the middle of an interval for each of several
    values, and the default's place for what is inactive.

    Args:
        space: the hyperparameters, parents first.
    """

    def __init__(self, space: Sequence[Any]):
        self.space = space
        self.free = [hp for hp in space if not isinstance(hp, _HP.Fixed)]
        #: How many values each has; 0 for a range.
        self.counts = np.array([_count(hp) for hp in self.free])

    def place(self, values: dict[str, Any]) -> np.ndarray:
        """Where the values of the active ones are."""
        return np.array([hp.value_to_prob(values.get(hp.name, hp.default)) for hp in self.free])

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random places of points."""
        return self._settled(rng.uniform(size=(count, len(self.free))))

    def around(self, rng: np.random.Generator, places: np.ndarray, count: int) -> np.ndarray:
        """For each place, so many others that differ in some dimensions: a little in a range, by
        any other value else."""
        places = np.repeat(places, count, axis=0)
        rows, columns = places.shape
        changed = rng.uniform(size=places.shape) < rng.uniform(1 / columns, 1, size=(rows, 1))
        changed[np.arange(rows), rng.integers(columns, size=rows)] = True
        sizes = np.exp(rng.uniform(np.log(_LEAST), np.log(_MOST), size=(rows, 1)))
        near = np.clip(places + sizes * rng.normal(size=places.shape), 0, 1)
        other = np.where(self.counts > 0, rng.uniform(size=places.shape), near)
        return self._settled(np.where(changed, other, places))

    def _settled(self, places: np.ndarray) -> np.ndarray:
        """The nearest places that points have."""
        counts = np.maximum(self.counts, 1)
        middles = (np.minimum(np.floor(places * counts), counts - 1) + 0.5) / counts
        places = np.where(self.counts > 0, middles, places)
        columns = iter(range(len(self.free)))
        known: dict[str, tuple[Any, np.ndarray, np.ndarray]] = {}
        for hp in self.space:
            active = np.ones(len(places), bool)
            for condition in hp.conditions:
                parent, there, where = known[condition.name]
                active &= there & _among(parent, where, condition.values)
            column = np.zeros(len(places))
            if not isinstance(hp, _HP.Fixed):
                number = next(columns)
                places[~active, number] = hp.value_to_prob(hp.default)
                column = places[:, number]
            known[hp.name] = hp, active, column
        return places


def _count(hp: Any) -> int:
    return 0 if getattr(hp, "step", 1) is None else len(tuple(hp.values))


def _among(hp: Any, column: np.ndarray, allowed: Sequence[Any]) -> np.ndarray:
    """For each place of a hyperparameter, whether its value is one of those allowed."""
    if isinstance(hp, _HP.Fixed):
        return np.full(len(column), hp.value in allowed)
    places, back = np.unique(column, return_inverse=True)
    return np.array([hp.prob_to_value(place) in allowed for place in places])[back]
