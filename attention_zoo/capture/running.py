"""A model answers, and is left as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
from keras import ops

from attention_zoo.capture.inputs import arranged


def predict(model: keras.Model, x: Any, batch_size: int) -> Any:
    """What `model.predict` returns for x as `check_inputs` returns it."""
    size = batch_of(model, batch_size)
    with left_as_it_was(model):
        return model.predict(arranged(model, x), batch_size=size, verbose=0)


def batch_of(model: keras.Model, batch_size: int) -> int:
    """How many samples go through at once: as many as were asked for, but where the model is made
    for batches of one size, such as one with states from batch to batch."""
    inputs = getattr(model, "inputs", None)
    return (inputs[0].shape[0] if inputs else None) or batch_size


@contextlib.contextmanager
def left_as_it_was(model: keras.Model) -> Iterator[None]:
    """After the block, all that running a model may change is as it was before: the states of a
    recurrent layer, the statistics of a normalization, counters, the seeds of what is drawn."""
    variables = every_variable(model)
    kept = [(one, ops.copy(one.value)) for one in variables if not one.trainable]
    trained = [(one, one.value) for one in variables if one.trainable]
    failed = keras.backend.backend() == "jax"
    with _draws_kept():
        try:
            yield
            failed = False
        finally:
            # On JAX, Keras takes them out of a model that predicts, and leaves them out if it fails
            for variable, value in kept + (trained if failed else []):
                variable.assign(value)


def every_variable(model: keras.Model) -> list[keras.Variable]:
    """The variables of a model, with those that Keras does not list: the states of a recurrent
    layer with `stateful=True`."""
    found = {id(variable): variable for variable in model.variables}
    for layer in model._flatten_layers():
        found |= {id(variable): variable for variable in _variables_in(list(vars(layer).values()))}
    return list(found.values())


def _variables_in(value: Any) -> Iterator[keras.Variable]:
    """The variables in nested lists and dictionaries, whose keys may be of any kind."""
    if isinstance(value, keras.Variable):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _variables_in(part)


def _draws_kept() -> AbstractContextManager[Any]:
    """Running changes no later draw: torch's loader takes a global one even to go in order."""
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    return torch.random.fork_rng(devices=[])
