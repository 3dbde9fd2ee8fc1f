"""The gradients of a model's output with respect to its input, on every backend that has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import keras
import numpy as np
from keras import ops

from attention_zoo.capture.backend import compiled_gradients
from attention_zoo.capture.inference import (
    all_variables,
    fixed_batch_size,
    predict,
    preserved_state,
)
from attention_zoo.capture.inputs import check_built, check_inputs, pack_inputs
from attention_zoo.capture.outputs import output_index
from attention_zoo.core import arrays, checks
from attention_zoo.layers.traversal import all_layers
from attention_zoo.models.cache import ModelCache


def gradients(
    model: keras.Model,
    x: Any,
    target: Any = None,
    batch_size: int = 256,
    *,
    output: str | int | None = None,
) -> Any:
    """The gradients of one value of the output with respect to each number of the input (Baehrens
    et al., 2010, Journal of Machine Learning Research 11).

        g[n] = d f(x[n])[target] / d x[n]

    In inference mode, batch by batch, compiled once for each model and batch shape; the model is
    left as it is. Where the model has an output at every step, f is the sum over the steps. On
    padding that the model masks it is 0.

    Args:
        model: a built Keras model; it needs no attention.
        x: an array `(samples, ...)` of floats that fits the model's input, or several: see
            `attention_scores`.
        target: which of the values of the output, such as a class: an integer or integers
            `(samples,)`; by default the only one, or for each sample the largest, its predicted
            class.
        batch_size: how many samples go through at once.
        output: the name or number of the output that f is, of a model with several.

    Returns:
        An array of floats of the shape of x; for a model of several inputs a list of them, in the
        order of `model.inputs`, or of the sorted names where a subclassed model takes a
        dictionary.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: for an input of integers or that goes into an `Embedding`, which has no
            gradients; for an unknown target or output, and where a model has several outputs and
            no `output` is named; if the model is not built or x does not fit it.
        NotImplementedError: on a backend without gradients, such as NumPy.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> found = az.metrics.gradients(az.load("dense"), x)
    >>> found.shape, int(np.abs(found).mean(0).argmax())
    ((5, 32), 1)
    """
    checks.positive_int("batch_size", batch_size)
    x = float_inputs(model, x)
    index, chosen = chosen_values(model, x, target, output, batch_size)
    compiled = _compiled(model, x, index)
    inputs = keras.tree.flatten(x)
    result = [np.empty_like(array) for array in inputs]
    samples = len(chosen)
    # Few sizes of batch, since each is compiled: the last one is filled up with its last sample
    size = fixed_batch_size(model) or min(batch_size, 1 << (samples - 1).bit_length())
    for start in range(0, samples, size):
        rows = np.minimum(np.arange(start, start + size), samples - 1)
        part = compiled([array[rows] for array in inputs], chosen[rows])
        for whole, of_batch in zip(result, part, strict=True):
            whole[start : start + size] = of_batch[: samples - start]
    return result if keras.tree.is_nested(x) else result[0]


_COMPILED: ModelCache[Callable] = ModelCache()


def _compiled(model: keras.Model, x: Any, index: int) -> Callable:
    """Return the compiled function of an output: inputs and chosen values to their gradients."""
    structure = keras.tree.map_structure(lambda _: 0, x)
    # A reference that does not keep the model alive
    alive: Any = ref(model)

    def total(inputs: list[Any], chosen: Any) -> Any:
        given = pack_inputs(alive(), keras.tree.pack_sequence_as(structure, inputs))
        return _total(keras.tree.flatten(alive()(given, training=False))[index], chosen)

    def make() -> Callable:
        return compiled_gradients(total, lambda: all_variables(alive()))

    return _COMPILED.get(model, (index, repr(structure)), make)


def _total(outputs: Any, chosen: Any) -> Any:
    """Return the sum of the chosen outputs, whose gradients are those of each sample, since
    samples do not affect each other."""
    outputs = ops.cast(outputs, "float32")
    if len(outputs.shape) == 1:
        return ops.sum(outputs)
    weights = ops.one_hot(chosen, outputs.shape[-1])
    while len(weights.shape) < len(outputs.shape):
        weights = ops.expand_dims(weights, 1)
    return ops.sum(outputs * weights)


def float_inputs(model: Any, x: Any) -> Any:
    """Return x as `check_inputs` does, in floats; ValueError where there are no gradients."""
    check_built(model)
    checked = check_inputs(model, x)
    flat = keras.tree.flatten(checked)
    inputs = getattr(model, "inputs", None) or [None] * len(flat)
    tokens = _embedded(model)
    floats = []
    for tensor, array in zip(inputs, flat, strict=True):
        integers = array.dtype.kind != "f" if tensor is None else "float" not in tensor.dtype
        if integers or (tensor is not None and id(tensor) in tokens):
            name = "x" if tensor is None else tensor.name
            raise ValueError(
                f"A gradient needs an input of floats. The input {name!r} of the model "
                f"{model.name!r} is made of integers, such as tokens or classes. Received: "
                f"{array.dtype} {array.shape}"
            )
        floats.append(array.astype("float32"))
    return keras.tree.pack_sequence_as(checked, floats)


def _embedded(model: keras.Model) -> set[int]:
    """Return the ids of the inputs that an Embedding reads, integers whatever their dtype."""
    return {
        id(tensor)
        for layer in all_layers(model)
        if isinstance(layer, keras.layers.Embedding)
        for node in layer._inbound_nodes
        for tensor in node.input_tensors
    }


def chosen_values(
    model: keras.Model, x: Any, target: Any, output: str | int | None, batch_size: int = 256
) -> tuple[int, np.ndarray]:
    """Return which output is meant, and which of its values, by sample (and step, where the model
    has an output at each).

    Args:
        model, x, output, batch_size: as of `gradients`, checked.
        target: an integer, integers `(samples,)` or `(samples, steps)`, or None for the largest.

    Returns:
        The number of the output, and integers `(samples,)` or `(samples, steps)`.
    """
    samples = len(keras.tree.flatten(x)[0])
    outputs = getattr(model, "outputs", None)
    predictions = None
    if not outputs:
        first = keras.tree.map_structure(lambda array: array[:1], x)
        with preserved_state(model):
            predictions = model(pack_inputs(model, first), training=False)
        outputs = keras.tree.flatten(predictions)
    index = output_index(model, output, predictions)
    axes = len(outputs[index].shape)
    count = outputs[index].shape[-1] if axes > 1 else 1
    if target is None and count > 1:
        predicted = keras.tree.flatten(predict(model, x, batch_size))[index]
        return index, predicted.argmax(-1).astype("int32")
    targets = arrays.numeric("target", 0 if target is None else target)
    fits = targets.ndim < max(2, axes) and targets.shape[:1] in ((), (samples,))
    if targets.dtype.kind not in "iu" or not fits:
        raise ValueError(
            f"`target` must be None, an integer or an integer for each of the {samples} samples. "
            f"Received: {target!r}"
        )
    if targets.min() < 0 or targets.max() >= count:
        raise ValueError(
            f"`target` must be between 0 and {count - 1}: the model {model.name!r} has {count}. "
            f"Received: {targets.min() if targets.min() < 0 else targets.max()}"
        )
    return index, np.broadcast_to(targets, targets.shape or (samples,)).astype("int32")


def values_of(
    model: keras.Model, x: Any, index: int, chosen: np.ndarray, batch_size: int
) -> np.ndarray:
    """Return the chosen values of the output: `(samples,)`, float64, summed over steps."""
    predicted = keras.tree.flatten(predict(model, x, batch_size))[index].astype("float64")
    if predicted.ndim == 1:
        return predicted
    places = predicted.reshape(len(predicted), -1, predicted.shape[-1])
    at = chosen.reshape(len(chosen), -1, 1)
    return np.take_along_axis(places, np.broadcast_to(at, (*places.shape[:2], 1)), 2).sum((1, 2))


def one_input(model: Any, x: Any) -> np.ndarray:
    """Return x as `check_inputs` does; ValueError for a model of several inputs."""
    check_built(model)
    checked = check_inputs(model, x)
    if keras.tree.is_nested(checked):
        raise ValueError(
            f"This needs a model of one input. Received: {model.name!r} with {len(checked)}"
        )
    return checked
