"""Compiled models, kept for the next training of the same shape.

A search and cross-validation train one model many times, and TensorFlow and JAX take longer to
compile a small one than to train it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.training.compiling import AT_ONCE, build_training, compile_model

#: Of models that take turns; each holds on to memory, some 60 to 100 MB on TensorFlow.
_MOST = 2


class Compiled:
    """A compiled model, and the state of its optimizer before any step.

    Attributes:
        model: it is.
        key: what a model must have in common with it to take its place.
    """

    def __init__(self, model: keras.Model, key: str | None):
        self.model, self.key = model, key
        # Else the first fit takes a batch to build its metrics with, and shuffles as no later one
        build_training(model)
        self.before = [_copy(variable) for variable in model.optimizer.variables]

    def restart(self, initial: keras.Model, learning_rate: float) -> None:
        """Give it the state of a model that was just built."""
        for variable, value in zip(self.model.optimizer.variables, self.before, strict=True):
            variable.assign(value)
        self.model.optimizer.learning_rate = learning_rate
        for mine, other in zip(trained_layers(self.model), trained_layers(initial), strict=True):
            # With the states of the seed generators, which are no weights
            for variable, value in zip(mine.variables, other.variables, strict=True):
                variable.assign(_copy(value))


class CompiledModelCache:
    """Compiled models that wait for the next training of one of their shape."""

    def __init__(self) -> None:
        self._idle: OrderedDict[str, Compiled] = OrderedDict()

    def __iter__(self) -> Any:
        return iter([kept.model for kept in self._idle.values()])

    def get(
        self,
        initial: keras.Model,
        kind: str,
        learning_rate: float,
        steps: int,
        *,
        xla: bool,
        build: Callable[[], keras.Model],
    ) -> Compiled:
        """A compiled model with the state of `initial`, from here if there is one.

        Args:
            initial: a new model, built by a factory.
            kind, learning_rate, steps, xla: as in `compile_model`.
            build: makes what is compiled in place of `initial`: the same without its
                `Normalization`, whose mean and variance would be constants of the compiled code.
        """
        key = _key(initial, kind, min(AT_ONCE, steps), xla)
        kept = None if key is None else self._idle.pop(key, None)
        if kept is None:
            model = build()
            compile_model(model, kind, learning_rate, steps, xla=xla)
            kept = Compiled(model, key)
        kept.restart(initial, learning_rate)
        return kept

    def put(self, kept: Compiled) -> None:
        """Put it back: not after an error, which may leave it in any state."""
        if kept.key is not None:
            self._idle[kept.key] = kept
            while len(self._idle) > _MOST:
                self._idle.popitem(last=False)


def trained_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that training changes, in their order: not a `Normalization`."""
    return [
        layer
        for layer in model.layers
        if layer.variables and not isinstance(layer, keras.layers.Normalization)
    ]


def _copy(variable: keras.Variable) -> np.ndarray:
    """A value that shares no memory: JAX gives a trained model's arrays away."""
    return np.array(keras.ops.convert_to_numpy(variable))


def _key(model: keras.Model, kind: str, steps: int, xla: bool) -> str | None:
    """What two models must have in common to be one; None where that cannot be told."""
    made = models.blueprint(model)
    policy = keras.dtype_policies.serialize(keras.config.dtype_policy())
    floats = [policy, keras.config.floatx()]
    try:
        return json.dumps(
            [made.architecture, made.config, kind, steps, xla, floats], sort_keys=True
        )
    except TypeError:
        return None
