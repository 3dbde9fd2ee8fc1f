"""Is this data what the model takes?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from attention_zoo.core import arrays


def check_inputs(model: keras.Model, x: Any) -> Any:
    """`x` as samples that the model can take: an array, or a list of them where the model has
    several inputs, whose names a dictionary may give; ValueError says what it expects."""
    inputs = getattr(model, "inputs", None) or [None]
    names = _names(model)
    if isinstance(x, Mapping) and names:
        if set(x) != set(names):
            raise ValueError(f"`x` must have the inputs {names}. Received: {list(x)}")
        x = [x[name] for name in names]
        x = x if len(names) > 1 else x[0]
    if len(inputs) == 1:
        return _checked("x", inputs[0], x)
    if not isinstance(x, (list, tuple)) or len(x) != len(names):
        received = f"{len(x)} arrays" if isinstance(x, (list, tuple)) else type(x).__name__
        raise ValueError(f"`x` must be a list of the inputs {names}. Received: {received}")
    arrays_of = [_checked(f"x, {n}", t, v) for n, t, v in zip(names, inputs, x, strict=True)]
    if len({len(array) for array in arrays_of}) > 1:
        raise ValueError(
            f"`x` must have as many samples in each input. Received: {[len(a) for a in arrays_of]}"
        )
    return arrays_of


def arranged(model: Any, inputs: Any) -> Any:
    """What `check_inputs` returned, or tensors in its place, as the model was made to take them,
    which Keras warns of otherwise: a dictionary where that was one."""
    if not getattr(model, "inputs", None) or isinstance(model, keras.Sequential):
        return inputs
    if not keras.tree.is_nested(model.input):
        return inputs
    each = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    return keras.tree.pack_sequence_as(model.input, list(each))


def does_not_fit(model: keras.Model, x: Any) -> str:
    """What to say where `x` did not pass through a model that does not tell its inputs."""
    built = (model.get_build_config() or {}).get("input_shape")
    first = f", which was built with {tuple(built)}" if built else ""
    return (
        f"`x` does not fit the model {model.name!r}{first}; its own error is above. "
        f"Received: {keras.tree.map_structure(np.shape, x)}"
    )


def _names(model: Any) -> list[str]:
    """The names of the inputs, in the order of `model.inputs`."""
    return [t._keras_history.operation.name for t in getattr(model, "inputs", None) or []]


def _checked(name: str, tensor: Any, x: Any) -> np.ndarray:
    array = arrays.numeric(name, x)
    if tensor is not None:
        arrays.fits(name, array, tuple(tensor.shape[1:]))
    arrays.finite(name, array)
    return array
