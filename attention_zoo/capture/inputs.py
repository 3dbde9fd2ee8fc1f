"""Checks of a model, and of the data that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from attention_zoo.core import arrays
from attention_zoo.layers.attention_decoder import AttentionDecoder
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.keras_hooks import KERAS_LAYERS
from attention_zoo.layers.traversal import all_layers

_ATTENTION = (AttentionLayer, *KERAS_LAYERS)


def has_attention(model: keras.Model) -> bool:
    """Whether any layer in the model, however deep, is an attention layer."""
    return any(isinstance(la, _ATTENTION) for la in all_layers(model, include_self=False))


def check_built(model: Any) -> None:
    """Raise TypeError for what is no model, ValueError for one that is not built."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a keras.Model. Received: {type(model).__name__}")
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} is not built yet: call it once, or give it an Input."
        )


def check_model(model: Any) -> None:
    """What `check_built` raises, and ValueError for a model without attention, or from which no
    scores can be captured."""
    check_built(model)
    layers = all_layers(model, include_self=False)
    if not has_attention(model):
        raise ValueError(
            f"The model {model.name!r} has no attention layer. Its layers are: "
            f"{', '.join(f'{layer.name} ({type(layer).__name__})' for layer in layers)}"
        )
    for loop in layers:
        if not isinstance(loop, (keras.layers.RNN, AttentionDecoder)):
            continue
        inside = [layer for layer in all_layers(loop.cell) if isinstance(layer, _ATTENTION)]
        if inside:
            raise ValueError(
                f"The attention layer {inside[0].name!r} is called inside the cell of "
                f"{loop.name!r}, once a step of its loop, from where no scores get out. Attend "
                "before or after the recurrent layer, or take an AttentionDecoder, which attends "
                "to a memory at each step."
            )


def check_inputs(model: keras.Model, x: Any) -> Any:
    """`x` as samples that the model can take, paired with its inputs as `model.predict` pairs them.

    Args:
        model: a functional, Sequential or subclassed model.
        x: an array; or several, in a list or tuple in the order of the inputs, or in a dictionary
            by their names. What a subclassed model takes is passed on in the structure it has.

    Returns:
        One array for a model of one input; else arrays in the structure that the model was made
        with, so that what was checked can be checked again.

    Raises:
        ValueError: says what the model expects, where Keras would refuse x, where x has further
            inputs that Keras would pair with others, or its numbers do not fit.
    """
    tensors = getattr(model, "inputs", None)
    if not tensors:
        return _of_subclassed(x)
    structure, names = _structure(model), input_names(model)
    if isinstance(x, Mapping):
        given = _by_name(x, structure, names)
    elif isinstance(x, (list, tuple)) and (len(tensors) > 1 or _holds_arrays(x)):
        given = _in_order(x, structure, names)
    elif len(tensors) == 1:
        given = [x]
    else:
        raise ValueError(f"`x` must be a list of the inputs {names}. Received: {type(x).__name__}")
    if len(tensors) == 1:
        return _checked("x", tensors[0], given[0])
    found = [_checked(f"x, {n}", t, v) for n, t, v in zip(names, tensors, given, strict=True)]
    _same_length(found)
    return keras.tree.pack_sequence_as(structure, found)


def pack_inputs(model: Any, inputs: Any) -> Any:
    """What `check_inputs` returned, or tensors, in the structure that the model was made with: of
    another one Keras warns."""
    structure = _structure(model)
    if structure is None or not keras.tree.is_nested(structure):
        return inputs
    return keras.tree.pack_sequence_as(structure, keras.tree.flatten(inputs))


def does_not_fit(model: keras.Model, x: Any) -> str:
    """The error for an `x` that did not pass through a model whose inputs Keras does not know."""
    built = (model.get_build_config() or {}).get("input_shape")
    first = f", which was built with {built}" if built else ""
    return (
        f"`x` does not fit the model {model.name!r}{first}; its own error is above. "
        f"Received: {keras.tree.map_structure(np.shape, x)}"
    )


def input_names(model: Any) -> list[str]:
    """What the inputs are called in a dictionary, in the order of `model.inputs`."""
    structure = _structure(model)
    if _is_flat(structure, Mapping):
        return sorted(structure)
    return [t._keras_history.operation.name for t in getattr(model, "inputs", None) or []]


def _structure(model: Any) -> Any:
    """The inputs as the model was made with them; None where Keras does not know them."""
    if not getattr(model, "inputs", None):
        return None
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _is_flat(structure: Any, kind: Any) -> bool:
    """Whether a structure is of that kind, and nothing in it is nested."""
    return isinstance(structure, kind) and not any(
        keras.tree.is_nested(structure[key] if isinstance(structure, Mapping) else key)
        for key in structure
    )


def _by_name(x: Mapping, structure: Any, names: list[str]) -> list[Any]:
    """The arrays of a dictionary in the order of the inputs."""
    if keras.tree.is_nested(structure) and not _is_flat(structure, (Mapping, list, tuple)):
        return _of_structure(x, structure)
    # Where the model was made of a dictionary, Keras pairs what is too much with other inputs
    exact = isinstance(structure, Mapping)
    if not set(names) <= set(x) or (exact and len(x) > len(names)):
        raise ValueError(f"`x` must have the inputs {names}. Received: {list(x)}")
    return [x[name] for name in names]


def _in_order(x: Any, structure: Any, names: list[str]) -> list[Any]:
    """The arrays of a list in the order of the inputs."""
    if isinstance(structure, Mapping) and list(structure) != sorted(structure):
        raise ValueError(
            f"`x` must be a dictionary of the inputs {list(structure)}: the model was made with "
            f"one, which has no order that a list could follow. Received: {type(x).__name__}"
        )
    if any(isinstance(value, Mapping) or _holds_arrays(value) for value in x):
        return _of_structure(x, structure)
    if len(x) != len(names):
        hint = " Samples in a list go in as one array: np.stack(x)." if len(names) == 1 else ""
        raise ValueError(
            f"`x` must be a list of the inputs {names}.{hint} Received: {len(x)} arrays"
        )
    return list(x)


def _of_structure(x: Any, structure: Any) -> list[Any]:
    """The arrays of nested lists and dictionaries, which must be those of the model's inputs."""
    try:
        keras.tree.assert_same_structure(
            keras.tree.lists_to_tuples(x), keras.tree.lists_to_tuples(structure)
        )
    except (ValueError, TypeError):
        wanted = keras.tree.map_structure(lambda t: t._keras_history.operation.name, structure)
        received = keras.tree.map_structure(np.shape, x)
        raise ValueError(
            f"`x` must have the structure of the model's inputs, {wanted}. "
            f"Received: shapes {received}"
        ) from None
    return keras.tree.flatten(x)


def _of_subclassed(x: Any) -> Any:
    """x in arrays and no more: what such a model takes is not known before it is tried."""
    if not isinstance(x, Mapping) and not _holds_arrays(x):
        return _checked("x", None, x)
    found = keras.tree.map_structure(lambda value: _checked("x", None, value), x)
    _same_length(keras.tree.flatten(found))
    return found


def _holds_arrays(x: Any) -> bool:
    """Whether a list is one of arrays, and not itself the rows of one."""
    return isinstance(x, (list, tuple)) and any(
        len(getattr(value, "shape", ())) > 0 or isinstance(value, Mapping) or _holds_arrays(value)
        for value in x
    )


def _same_length(found: list[np.ndarray]) -> None:
    if len({len(array) for array in found}) > 1:
        raise ValueError(
            f"`x` must have as many samples in each input. Received: {[len(a) for a in found]}"
        )


def _checked(name: str, tensor: Any, x: Any) -> np.ndarray:
    array = arrays.numeric(name, x)
    if tensor is not None:
        arrays.fits(name, array, tuple(tensor.shape[1:]))
    arrays.finite(name, array)
    return array
