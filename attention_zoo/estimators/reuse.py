"""Compiled models, kept for the next fit of the same shape.

Cross-validation and grid search fit one model many times, and TensorFlow takes longer to trace a
small one than to train it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from attention_zoo.training import Recipe
from attention_zoo.training.fit import build_model, compile_model

#: More would hold on to memory that a search over large models needs.
_MOST = 4

#: TensorFlow takes as many steps at once, at most.
STEPS = 20

_idle: OrderedDict[str, _Compiled] = OrderedDict()


class _Compiled:
    """A model with the state of its optimizer before any step."""

    def __init__(self, model: keras.Model):
        self.model = model
        # Else the first fit takes a batch to build its metrics with, and shuffles as no later one
        shapes = (1, *(size or 1 for size in model.input_shape[1:])), (1,)
        model._symbolic_build(data_batch=tuple(np.zeros(shape, "float32") for shape in shapes))
        self.before = [_copy(variable) for variable in model.optimizer.variables]

    def restart(self, initial: keras.Model) -> None:
        """Give it the state of a model that was just built."""
        for variable, value in zip(self.model.optimizer.variables, self.before, strict=True):
            variable.assign(value)
        for mine, other in zip(trained_layers(self.model), trained_layers(initial), strict=True):
            # With the states of the seed generators, which are no weights
            for variable, value in zip(mine.variables, other.variables, strict=True):
                variable.assign(_copy(value))


def _copy(variable: keras.Variable) -> np.ndarray:
    """A value that shares no memory: JAX gives a trained model's arrays away."""
    return np.array(keras.ops.convert_to_numpy(variable))


def trained_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that training changes, in their order: not a `Normalization`."""
    return [
        layer
        for layer in model.layers
        if layer.variables and not isinstance(layer, keras.layers.Normalization)
    ]


@contextmanager
def compiled(
    recipe: Recipe, initial: keras.Model, outputs: int, steps: int, *, xla: bool, **more: Any
) -> Iterator[keras.Model]:
    """The recipe's model, compiled, with the state of another; it must not outlive the block.

    It does not standardize, since the mean and variance of a `Normalization` are constants of the
    compiled code.

    Args:
        recipe: what to build.
        initial: a new model of the recipe.
        outputs: of `build_model`, as `more` is.
        steps, xla: of `compile_model`.
    """
    recipe = recipe.changed(config={**recipe.config, "standardize": False})
    shape, steps = initial.input_shape[1:], min(STEPS, steps)
    key = _key(recipe, shape, outputs, steps, xla, more)
    kept = None if key is None else _idle.pop(key, None)
    if kept is None:
        model = build_model(recipe, shape, outputs, **more)
        compile_model(model, recipe.kind, recipe.phases[0].learning_rate, steps, xla=xla)
        kept = _Compiled(model)
    kept.restart(initial)
    yield kept.model
    if key is not None:  # not after an error, which may leave it in any state
        _idle[key] = kept
        while len(_idle) > _MOST:
            _idle.popitem(last=False)


def _key(recipe: Recipe, *others: Any) -> str | None:
    """What two models must have in common to be one; None where that cannot be told."""
    plan = recipe.model_dump(exclude={"seed", "patience"})
    plan["phases"] = plan["phases"][0]["learning_rate"]
    policy = keras.dtype_policies.serialize(keras.config.dtype_policy())
    try:
        return json.dumps([plan, *others, policy, keras.config.floatx()], sort_keys=True)
    except TypeError:
        return None
