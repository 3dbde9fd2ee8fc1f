"""The gradient of a scalar with respect to a layer's variables, on whatever backend runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """Where JAX too computes in float64, which it does only when told to."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", False)


def gradients(layer: keras.layers.Layer, scalar: Callable[[], Any]) -> list[np.ndarray]:
    """d scalar() / d v for each trainable variable v of `layer`, which `scalar` calls."""
    variables = layer.trainable_variables
    backend = keras.backend.backend()
    if not variables:
        return []
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = scalar()
        found = tape.gradient(loss, [v.value for v in variables])
    elif backend == "torch":
        import torch

        values = [v.value for v in variables]
        found = torch.autograd.grad(scalar(), values, allow_unused=True)
    else:
        import jax

        def of(values: list[Any]) -> Any:
            mapping = list(zip(variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                return scalar()

        found = jax.jit(jax.grad(of))([v.value for v in variables])
    return [None if g is None else keras.ops.convert_to_numpy(g) for g in found]


def differences(layer: keras.layers.Layer, scalar: Callable[[], Any], step: float = 1e-6) -> list:
    """The same by central differences, in float64, along one seeded direction a variable."""
    rng = np.random.default_rng(0)
    result = []
    for variable in layer.trainable_variables:
        at = keras.ops.convert_to_numpy(variable).copy()
        direction = rng.normal(size=at.shape)
        sides = []
        for sign in (1, -1):
            variable.assign(at + sign * step * direction)
            sides.append(float(keras.ops.convert_to_numpy(scalar())))
        variable.assign(at)
        result.append((direction, (sides[0] - sides[1]) / (2 * step)))
    return result
