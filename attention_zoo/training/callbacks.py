"""Keras's callbacks, where a run that is interrupted and goes on needs more than they do."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from attention_zoo.training.backup import Backup
from attention_zoo.training.recipe import Phase


class TrainingError(RuntimeError):
    """A training run that cannot go on."""


class StopAtNaN(keras.callbacks.Callback):
    """Ends the run in the epoch whose loss is no number, before it is backed up."""

    # Keras's TerminateOnNaN makes every step wait for its loss, and names no epoch

    def __init__(self, phase: int):
        super().__init__()
        self.phase = phase

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} in epoch {epoch + 1} of phase {self.phase + 1}. "
                "A lower learning_rate, or inputs of a smaller scale, may cure it."
            )


class SampleOrder(keras.callbacks.Callback):
    """Draws the order of the samples in each epoch from its own seed, so that a run that was
    interrupted goes on with the orders that it would have had.

    TensorFlow's order is its data set's own, and the same for any epoch that comes first.
    """

    def __init__(self, seed: int, phase: int):
        super().__init__()
        self.entropy = [seed, phase]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        seed = int(np.random.SeedSequence([*self.entropy, epoch]).generate_state(1)[0])
        np.random.seed(seed)
        if keras.backend.backend() == "torch":
            import torch

            torch.manual_seed(seed)


def learning_rate_scheduler(phase: Phase) -> keras.callbacks.LearningRateScheduler:
    """Keras's, which sets the rate of each epoch by the phase's schedule."""
    # The schedule in the optimizer would count steps, which a resumed run and a kept compiled
    # model do not begin at 0
    warmup = int(phase.warmup * phase.epochs)
    schedule = keras.optimizers.schedules.CosineDecay(
        phase.learning_rate if warmup == 0 else 0.0,
        phase.epochs - warmup,
        warmup_target=phase.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    return keras.callbacks.LearningRateScheduler(lambda epoch: float(schedule(epoch + 0.5)))


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's, which goes on after an interruption: the losses and the best weights of the epochs
    before it are in the backup. A loss that is no number is never the best.

    Args:
        patience: how many epochs may pass without a lower validation loss.
        backup: where the state of an interrupted run is.
        phase: the number of the phase.
    """

    def __init__(self, patience: int, backup: Backup, phase: int):
        super().__init__("val_loss", patience=patience, mode="min", restore_best_weights=True)
        self.backup, self.phase = backup, phase
        self.best: float | None = None
        self.best_weights: list[Any] | None = None
        self.losses = [row["val_loss"] for row in backup.rows(phase)]

    def epochs(self, most: int) -> int:
        """How many epochs the phase has: no more where patience had run out before."""
        over = self.losses and len(self.losses) - 1 - self._lowest() >= self.patience
        return len(self.losses) if over else most

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # Of what an interrupted run wrote, epochs that are run again do not count
        self.losses = self.losses[:epoch]
        if self.losses and self.best is None:
            self.best_epoch = self._lowest()
            self.best, self.wait = self.losses[self.best_epoch], epoch - 1 - self.best_epoch
            self.best_weights = []  # which are in the backup

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        before = self.best_epoch if self.losses else None
        self.losses.append(float(logs["val_loss"]))
        super().on_epoch_end(epoch, logs)
        if self.best_epoch == epoch:
            self.backup.keep_best(self.phase, epoch, before, self.model)

    def on_train_end(self, logs: Any = None) -> None:
        if self.losses and not self.best_weights:
            self.backup.load_best(self.phase, self._lowest(), self.model)
            self.best_weights = None
        super().on_train_end(logs)

    def get_monitor_value(self, logs: Any) -> float:
        """The validation loss, infinite where it is no number."""
        loss = float(logs["val_loss"])
        return math.inf if math.isnan(loss) else loss

    def _lowest(self) -> int:
        return int(np.argmin(np.where(np.isnan(self.losses), np.inf, self.losses)))
