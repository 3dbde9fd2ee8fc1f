"""The loop over trials: KerasTuner's, with our way to train and to keep state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner

from attention_zoo.training.memory import temporary_models
from attention_zoo.tuning.oracles import Steady
from attention_zoo.tuning.trials import CHECKPOINT, Spectator, Trainer


@contextlib.contextmanager
def unwrapped() -> Iterator[None]:
    """Raises what KerasTuner's FatalError was made of: a full disk, a chief that is gone."""
    try:
        yield
    except keras_tuner.errors.FatalError as error:
        raise (error.__cause__ or error) from None


class Engine(BaseTuner):
    """Runs trials in a folder, those of its own oracle or, as a worker, of a chief's.

    It has no part of `keras_tuner.Tuner`, which needs TensorBoard and keeps every checkpoint.

    Args:
        oracle: decides what is tried.
        trainer: tries it.
        folder: of the search.
        spectator: is told what happens.
        keep: the weights of so many of the best trials stay on disk.
        chief: what a worker asks instead of its oracle, which then has the space alone.
    """

    def __init__(
        self, oracle: Steady, trainer: Trainer, folder: Path, spectator: Spectator, keep: int = 1,
        chief: Any = None,
    ):  # fmt: skip
        self.chief = chief
        self.trainer, self.spectator, self.keep = trainer, spectator, keep
        # A promoted trial of Hyperband begins with the weights of an earlier one
        self.keeps_all = isinstance(oracle, keras_tuner.oracles.HyperbandOracle)
        super().__init__(
            oracle, trainer.hypermodel, directory=str(folder.parent), project_name=folder.name
        )
        # Not what KerasTuner takes from its variables: `find_place` has read them
        self.oracle = chief or oracle

    def _populate_initial_space(self) -> None:
        # Everything is declared, so that no model has to be built to find out
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)
        if self.chief is None and Path(self.oracle._get_oracle_fname()).exists():
            self.oracle.reload()

    def save(self) -> None:
        """The oracle alone has state; that of a worker is its chief's."""
        if self.chief is None:
            self.oracle.save()

    def on_trial_begin(self, trial: Any) -> None:
        """Tell the spectator."""
        self.spectator.trial_begins(trial.trial_id, dict(trial.hyperparameters.values))

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Train and measure; the figures, by name."""
        values = dict(trial.hyperparameters.values)
        earlier = values.get("tuner/trial_id")
        start = self._folder(earlier) / CHECKPOINT if earlier else None
        folder = self._folder(trial.trial_id)
        with temporary_models():  # memory does not grow with the trials
            return self.trainer.run(trial.trial_id, values, folder, start, self.spectator)

    def on_trial_end(self, trial: Any) -> None:
        """Keep the result, and no more weights than those of the best."""
        super().on_trial_end(trial)
        if self.chief is None:
            self.prune()
        self.spectator.trial_ends(trial.trial_id)

    def prune(self) -> None:
        """Remove the weights of all trials that ended but the best."""
        if self.keeps_all:
            return
        best = {trial.trial_id for trial in self.oracle.get_best_trials(self.keep)}
        for trial_id, trial in self.oracle.trials.items():
            if trial.status in ("COMPLETED", "FAILED") and trial_id not in best:
                (self._folder(trial_id) / CHECKPOINT).unlink(missing_ok=True)

    def _try_run_and_update_trial(self, trial: Any, *args: Any, **kwargs: Any) -> None:
        # As KerasTuner's, but that the message is the error and not the way to it
        try:
            # Not by its own method, which warns where an interruption left the figures behind
            self.oracle.update_trial(trial.trial_id, self.run_trial(trial))
            trial.status = "COMPLETED"
        except keras_tuner.errors.FatalError:
            raise
        except keras_tuner.errors.FailedTrialError as error:
            trial.status, trial.message = "FAILED", str(error)
        except Exception as error:  # whatever a trial dies of, the others go on
            trial.status, trial.message = "FAILED", f"{type(error).__name__}: {error}"

    def _folder(self, trial_id: str) -> Path:
        return Path(self.get_trial_dir(trial_id))
