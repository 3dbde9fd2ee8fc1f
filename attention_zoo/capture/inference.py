"""A model predicts, and is left as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from attention_zoo.capture.backend import loses_variables_on_error, preserved_generator
from attention_zoo.capture.inputs import pack_inputs
from attention_zoo.layers.traversal import all_layers


def predict(model: keras.Model, x: Any, batch_size: int) -> Any:
    """What `model.predict` returns for x as `check_inputs` returns it."""
    size = fixed_batch_size(model) or batch_size
    with preserved_state(model):
        return model.predict(pack_inputs(model, x), batch_size=size, verbose=0)


def fixed_batch_size(model: keras.Model) -> int | None:
    """The only batch size that a model takes, such as one with states from batch to batch; None
    where it takes any."""
    inputs = getattr(model, "inputs", None)
    return inputs[0].shape[0] if inputs else None


@contextlib.contextmanager
def preserved_state(model: keras.Model) -> Iterator[None]:
    """After the block, all that running a model may change is as it was before: the states of a
    recurrent layer, the statistics of a normalization, counters, the seeds of what is drawn."""
    variables = all_variables(model)
    kept = [(one, ops.copy(one.value)) for one in variables if not one.trainable]
    trained = [(one, one.value) for one in variables if one.trainable]
    failed = loses_variables_on_error()
    with preserved_generator():
        try:
            yield
            failed = False
        finally:
            for variable, value in kept + (trained if failed else []):
                variable.assign(value)


def all_variables(model: keras.Model) -> list[keras.Variable]:
    """The variables of a model, with those that Keras does not list: the states of a recurrent
    layer with `stateful=True`."""
    found = {id(variable): variable for variable in model.variables}
    for layer in all_layers(model):
        found |= {id(variable): variable for variable in _variables_in(list(vars(layer).values()))}
    return list(found.values())


def _variables_in(value: Any) -> Iterator[keras.Variable]:
    """The variables in nested lists and dictionaries, whose keys may be of any kind."""
    if isinstance(value, keras.Variable):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _variables_in(part)
