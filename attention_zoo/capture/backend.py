"""All that differs between Keras's backends when a model is run, or gradients are taken of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
from keras import ops


def preserved_generator() -> AbstractContextManager[Any]:
    """After the block, later draws are as if it had not been run: torch's data loader draws from
    the global generator even to go in order."""
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    return torch.random.fork_rng(devices=[])


def loses_variables_on_error() -> bool:
    """Return True if a `predict` that fails leaves a model without its variables: on JAX, Keras
    takes them out of a model that predicts."""
    return keras.backend.backend() == "jax"


def compiled_gradients(
    function: Callable[[list[Any], Any], Any], variables: Callable[[], list[keras.Variable]]
) -> Callable[[list[np.ndarray], np.ndarray], list[np.ndarray]]:
    """The gradients of a function with respect to its inputs.

    Args:
        function: `(list of float tensors, an integer tensor) -> a scalar`. What it writes into
            variables is dropped.
        variables: returns the variables that it reads.

    Returns:
        A function of arrays in their place, which returns an array of gradients for each input.

    Raises:
        NotImplementedError: on a backend without gradients.
    """
    backend = keras.backend.backend()
    if backend not in _GRADIENTS:
        raise NotImplementedError(
            f"The Keras backend {backend!r} has no gradients. Those that have: "
            f"{', '.join(sorted(_GRADIENTS))}."
        )
    return _GRADIENTS[backend](function, variables)


def _jax(function: Callable, variables: Callable) -> Callable:
    import jax

    def stateless(inputs: Any, state: Any, given: Any) -> Any:
        mapping = list(zip(variables(), state, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return function(inputs, given)

    compiled = jax.jit(jax.grad(stateless))
    return lambda inputs, given: [
        np.asarray(one) for one in compiled(inputs, [v.value for v in variables()], given)
    ]


def _tensorflow(function: Callable, variables: Callable) -> Callable:
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)
    def compiled(inputs: Any, given: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            with keras.StatelessScope():
                total = function(inputs, given)
        return tape.gradient(total, inputs, unconnected_gradients="zero")

    return lambda inputs, given: [
        one.numpy() for one in compiled([tf.constant(x) for x in inputs], tf.constant(given))
    ]


def _torch(function: Callable, variables: Callable) -> Callable:
    import torch

    def gradients(inputs: Any, given: Any) -> list[np.ndarray]:
        tensors = [ops.convert_to_tensor(x).detach().requires_grad_() for x in inputs]
        # cuDNN has no gradients of a recurrent layer in inference mode, and torch none through
        # states that are written in place
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            with keras.StatelessScope():
                total = function(tensors, ops.convert_to_tensor(given))
            found = torch.autograd.grad(total, tensors, allow_unused=True)
        return [
            np.zeros(x.shape, x.dtype) if one is None else ops.convert_to_numpy(one)
            for x, one in zip(inputs, found, strict=True)
        ]

    return gradients


_GRADIENTS = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
