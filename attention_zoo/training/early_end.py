"""An early end of training, where it no longer gets better on samples that it does not see."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.training.backup import Backup


class EarlyEnd(keras.callbacks.Callback):
    """Ends training after so many epochs without a lower validation loss, and goes back to the
    weights of the epoch with the lowest.

    Args:
        patience: so many epochs; with as many as training has, it only goes back.
        kept, phase: where the state of an interrupted run is, from which this one goes on.
    """

    def __init__(self, patience: int, kept: Backup | None = None, phase: int = 0):
        super().__init__()
        self.patience, self.kept, self.phase = patience, kept, phase
        self.losses = [row["val_loss"] for row in kept.rows(phase)] if kept else []
        self._weights: list[Any] | None = None

    @property
    def best(self) -> int:
        """The first epoch with the lowest loss; one that is no number is not low."""
        return int(np.argmin(np.where(np.isnan(self.losses), np.inf, self.losses)))

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        return bool(self.losses) and len(self.losses) - 1 - self.best >= self.patience

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        # Of what an interrupted run wrote, epochs that are done again do not count
        self.losses = self.losses[:epoch]
        before = self.best if self.losses else None
        self.losses.append(float(logs["val_loss"]))
        if self.best == epoch:
            self._weights = self.model.get_weights()
            if self.kept:
                self.kept.keep_best(self.phase, epoch, before, self.model)
        elif self.over:
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self._weights is not None:
            self.model.set_weights(self._weights)
        elif self.kept and self.losses:
            self.kept.load_best(self.phase, self.best, self.model)
