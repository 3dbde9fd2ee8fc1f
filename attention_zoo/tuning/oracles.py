"""KerasTuner's oracles, made to begin with the default, to end, and to survive interruptions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial

from attention_zoo.core import files, foreign, optional
from attention_zoo.tuning import nsga2
from attention_zoo.tuning.bayesian import Bayesian
from attention_zoo.tuning.folder import TuningError, cure_of, read_state
from attention_zoo.tuning.nsga2 import Nsga2
from attention_zoo.tuning.objectives import OBJECTIVES
from attention_zoo.tuning.space import SearchSpace

TUNERS = ("random", "bayesian", "hyperband", "grid", "nsga2")

#: After so many failures, and no success, a search ends.
HOPELESS = 3


class Steady(keras_tuner.Oracle):
    """What our oracles have in common, over one of KerasTuner's.

    The first trial has the default values; no point is tried twice; the search ends when the time
    is up or nothing but failures was seen; and the state is whole whenever it is interrupted.
    """

    searched: SearchSpace
    #: Points to try right after the default.
    initial: Sequence[dict[str, Any]] = ()
    #: The seconds that the search may take, over all its sessions; None for no limit.
    max_seconds: float | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        # Failures are counted here: KerasTuner raises in a lock that it then never frees
        super().__init__(*args, max_consecutive_failed_trials=10**9, **kwargs)
        self.verbose = 0
        self._before = 0.0
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the search has taken, over all its sessions."""
        return self._before + time.monotonic() - self._begun

    @property
    def spent(self) -> bool:
        """Whether as many trials as are allowed have ended."""
        return self.max_trials is not None and len(self.end_order) >= self.max_trials

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        late = self.max_seconds is not None and self.seconds >= self.max_seconds
        late = late and bool(self.trials)
        if late or self.hopeless():
            return {"status": "STOPPED", "values": None}
        found = super().populate_space(trial_id)
        values = found.get("values")
        # A promoted trial of Hyperband has the values of an earlier one
        if values and "tuner/trial_id" not in values and self._duplicate(values):
            values = self._random_values()
            return {"status": "RUNNING" if values else "STOPPED", "values": values}
        return found

    def hopeless(self) -> bool:
        """Whether several trials failed and none succeeded."""
        ended = [trial.status for trial in self.trials.values()]
        return "COMPLETED" not in ended and ended.count("FAILED") >= HOPELESS

    def first(self) -> dict[str, Any] | None:
        """The next of the points that come before all that the oracle chooses: the default, then
        the user's own; None once they are tried."""
        points = (self.searched.active({}), *self.initial)
        return next((dict(one) for one in points if not self._duplicate(one)), None)

    def _random_values(self) -> dict[str, Any] | None:
        return self.first() or super()._random_values()

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "seconds": self.seconds}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._before = state["seconds"]

    def save(self) -> None:
        _write(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial: Any) -> None:
        _write(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        """Go on from the folder: the trials' own files say which of them ended."""
        path = Path(self._get_oracle_fname())
        state = read_state(path)
        with foreign.parsing(path, what="state", error=TuningError, cure=cure_of(path)):
            for trial_id in state["start_order"]:
                if not (Path(self._get_trial_dir(trial_id)) / "trial.json").exists():
                    lost = Trial(self.get_space(), trial_id, "FAILED", "its files were removed")
                    self._save_trial(lost)
            super().reload()
        trials = sorted(self.trials.items(), key=lambda item: int(item[0]))
        self.trials.clear()
        self.trials.update(trials)
        for trial_id, trial in trials:
            self._record_values(trial)
            if trial_id not in self.start_order:
                self.start_order.append(trial_id)
            ended = trial.status in ("COMPLETED", "FAILED")
            if ended and trial_id not in self.end_order:
                self.end_order.append(trial_id)
            waiting = [other for other in self._retry_queue if other != trial_id]
            self._retry_queue[:] = waiting if ended else [*waiting, trial_id]


class RandomOracle(Steady, keras_tuner.oracles.RandomSearchOracle):
    """Random points."""


class BayesianOracle(Steady, Bayesian):
    """Points that a Gaussian process expects to be good."""


class HyperbandOracle(Steady, keras_tuner.oracles.HyperbandOracle):
    """Many points for a few epochs, of which the best go on (Li et al., 2018)."""


class _Grid(keras_tuner.Oracle):
    searched: SearchSpace
    first: Callable[[], dict[str, Any] | None]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        points = self.searched.points()
        values = self.first() or next((p for p in points if not self._duplicate(p)), None)
        return {"status": "RUNNING" if values else "STOPPED", "values": values}


class GridOracle(Steady, _Grid):
    """Every point once, the default first. KerasTuner's own grid forgets where it was."""


class Nsga2Oracle(Steady, Nsga2):
    """Points bred from the best trade-offs between several objectives."""


def make_oracle(
    tuner: str,
    space: SearchSpace,
    objectives: Sequence[str],
    *,
    max_trials: int | None,
    max_seconds: float | None,
    epochs: int,
    seed: int,
    initial: Sequence[dict[str, Any]] = (),
) -> Steady:
    """The oracle of a search; ImportError where scikit-learn and SciPy are missing for
    `"bayesian"`, or Optuna for `"nsga2"`."""
    objective = objectives[0]
    # KerasTuner counts on from a seed, so that neighbours would try the same points; 0 is none
    far = 1 + int(np.random.SeedSequence(seed).generate_state(1)[0]) // 2
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(objective, OBJECTIVES[objective].direction),
        "seed": far,
    }
    oracle: Steady
    if tuner == "hyperband":
        oracle = HyperbandOracle(max_epochs=epochs, hyperband_iterations=10**6, **common)
        oracle.max_trials = max_trials
    elif tuner == "bayesian":
        optional.require("sklearn", extra="bayesian")
        optional.require("scipy", extra="bayesian")
        # KerasTuner's own choice, three random points a dimension, would be most of a search
        random = max(3, (max_trials or 30) // 3, 1 + len(initial))
        oracle = BayesianOracle(max_trials=max_trials, num_initial_points=random, **common)
    elif tuner == "grid":
        oracle = GridOracle(max_trials=max_trials, **common)
    elif tuner == "nsga2":
        nsga2.require()
        oracle = Nsga2Oracle(max_trials=max_trials, **common)
        oracle.aims = tuple(objectives)
    else:
        oracle = RandomOracle(max_trials=max_trials, **common)
    oracle.searched, oracle.max_seconds, oracle.initial = space, max_seconds, initial
    return oracle


def _write(path: Path, state: dict[str, Any]) -> None:
    # KerasTuner writes in place, which an interruption leaves half done
    try:
        with files.new_file(path, overwrite=True) as scratch:
            scratch.write_text(json.dumps(state), "utf-8")
    except OSError as error:
        # Other errors count as those of the trial, whose result would be lost
        raise keras_tuner.errors.FatalError(str(error)) from error
