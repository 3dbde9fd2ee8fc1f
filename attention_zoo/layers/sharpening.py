"""Penalties that make attention decide."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers.register import serializable
from attention_zoo.ops.backend import mean


@serializable
class EntropyRegularizer(keras.regularizers.Regularizer):
    """Penalizes attention that is spread out.

    `strength * mean over rows of -sum_i a_i log a_i`, in nats; 0 log 0 is 0, so masked cells and
    fully masked rows cost nothing.

    Args:
        strength: the factor, at least 0. A large one from the start can keep a model from
            learning at all: fit first, then sharpen.

    Raises:
        ValueError: for a negative strength.

    Example:

    >>> layer = az.layers.TemporalAttention(scores_regularizer=az.layers.EntropyRegularizer(0.05))
    """

    def __init__(self, strength: float = 0.05):
        if strength != 0:
            checks.positive("strength", strength)
        self.strength = strength

    def __call__(self, scores: Any) -> Any:
        """The penalty, a scalar.

        Args:
            scores: attention scores with the attended axis last.
        """
        tiny = ops.cast(1e-30, scores.dtype)
        logs = ops.log(ops.where(scores > tiny, scores, ops.ones((), scores.dtype)))
        return -self.strength * mean(ops.sum(scores * logs, axis=-1))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}


def get(regularizer: Any) -> Any:
    """`"entropy"`, anything `keras.regularizers.get` understands, or None."""
    return EntropyRegularizer() if regularizer == "entropy" else keras.regularizers.get(regularizer)
