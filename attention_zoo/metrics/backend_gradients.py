"""The compiled derivative of a model, a small adapter for each backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import numpy as np
from keras import ops

from attention_zoo import models
from attention_zoo.capture.inputs import arranged
from attention_zoo.capture.running import every_variable


def _total(outputs: Any, chosen: Any) -> Any:
    """The sum of the chosen outputs: samples do not touch each other, so it is each one's own."""
    outputs = ops.cast(outputs, "float32")
    if len(outputs.shape) == 1:
        return ops.sum(outputs)
    weights = ops.one_hot(chosen, outputs.shape[-1])
    while len(weights.shape) < len(outputs.shape):
        weights = ops.expand_dims(weights, 1)
    return ops.sum(outputs * weights)


def _jax(model: Callable[[], keras.Model], answered: Callable) -> Callable:
    import jax

    def total(inputs: Any, state: Any, chosen: Any) -> Any:
        mapping = list(zip(every_variable(model()), state, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return _total(answered(model(), inputs), chosen)

    slope = jax.jit(jax.grad(total))

    def slopes_of(inputs: Any, chosen: Any) -> Any:
        return slope(inputs, [v.value for v in every_variable(model())], chosen)

    return slopes_of


def _tensorflow(model: Callable[[], keras.Model], answered: Callable) -> Callable:
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)
    def slopes_of(inputs: Any, chosen: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            outputs = _stateless(answered, model(), inputs)
            total = _total(outputs, chosen)
        return tape.gradient(total, inputs, unconnected_gradients="zero")

    return lambda inputs, chosen: [
        slope.numpy() for slope in slopes_of([tf.constant(x) for x in inputs], tf.constant(chosen))
    ]


def _torch(model: Callable[[], keras.Model], answered: Callable) -> Callable:
    import torch

    def slopes_of(inputs: Any, chosen: Any) -> Any:
        tensors = [ops.convert_to_tensor(x).detach().requires_grad_() for x in inputs]
        # cuDNN has no derivative of a recurrent layer in inference mode
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            outputs = _stateless(answered, model(), tensors)
            total = _total(outputs, ops.convert_to_tensor(chosen))
            slopes = torch.autograd.grad(total, tensors, allow_unused=True)
        return [
            np.zeros(x.shape, x.dtype) if slope is None else ops.convert_to_numpy(slope)
            for x, slope in zip(inputs, slopes, strict=True)
        ]

    return slopes_of


def _stateless(answered: Callable, model: keras.Model, inputs: list[Any]) -> Any:
    """The answer, with what the model would note of it let go: torch has no derivative through
    states that are written in place."""
    with keras.StatelessScope():
        return answered(model, inputs)


_ADAPTERS: dict[str, Callable[[Callable[[], keras.Model], Callable], Callable]] = {
    "jax": _jax,
    "tensorflow": _tensorflow,
    "torch": _torch,
}

#: The compiled derivative of each model that is alive, and the graph and constants that it was
#: made of.
_COMPILED: WeakKeyDictionary[keras.Model, tuple[Callable, tuple[Any, ...]]] = WeakKeyDictionary()


def derivative(model: keras.Model, x: Any, index: int) -> Callable:
    """The compiled function `(list of inputs, chosen values) -> list of gradients` of one output.

    Args:
        model: a built model.
        x: its inputs as `check_inputs` returns them, whose structure the list is given back.
        index: the number of the output.

    Returns:
        The function. Inputs and gradients are of one shape, the values are as `chosen_values`
        returns them.

    Raises:
        NotImplementedError: on a backend without gradients.
    """
    backend = keras.backend.backend()
    if backend not in _ADAPTERS:
        raise NotImplementedError(
            f"The Keras backend {backend!r} has no gradients. Those that have: "
            f"{', '.join(sorted(_ADAPTERS))}."
        )
    graph = model.outputs[0] if getattr(model, "outputs", None) else None
    structure = keras.tree.map_structure(lambda _: 0, x)
    made_of = graph, (models.constants(model), index, repr(structure))
    known, of = _COMPILED.get(model, (None, (None, None)))
    if known is None or of[0] is not graph or of[1] != made_of[1]:
        # By a reference that does not keep the model alive
        known = _ADAPTERS[backend](_alive(ref(model)), _one_output(structure, index))
        _COMPILED[model] = known, made_of
    return known


def _one_output(structure: Any, index: int) -> Callable:
    """What runs a model on a list of its inputs, to that one of its outputs."""

    def answered(model: keras.Model, inputs: list[Any]) -> Any:
        given = arranged(model, keras.tree.pack_sequence_as(structure, inputs))
        return keras.tree.flatten(model(given, training=False))[index]

    return answered


def _alive(reference: ref[keras.Model]) -> Callable[[], keras.Model]:
    def model() -> keras.Model:
        found = reference()
        if found is None:
            raise ReferenceError("The model is gone.")
        return found

    return model
