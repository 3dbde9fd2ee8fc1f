"""What is trained in a model's place where each device has its own part of a batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Twin(keras.Model):
    """A functional model that counts samples, since parts of a batch have unequally many.

    The third part of its data is 1 for a sample, and 0 for what stands in where a device has none.
    A backend adds the step of training.
    """

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y, real = data
        answers = self(x, training=False)
        loss = self.compute_loss(x, y, answers, training=False)
        return self.count(loss, y, answers, real)

    def count(self, loss: Any, y: Any, answers: Any, real: Any) -> dict[str, Any]:
        """The end of a step: the figures of this device, the loss as its mean over samples."""
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=ops.sum(real))
            else:
                metric.update_state(y, answers, sample_weight=real)
        return super().get_metrics_result()
