"""Attribution: how much each part of the input counts for the output, without attention."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.core import arrays, checks
from attention_zoo.metrics.input_gradients import (
    chosen_values,
    float_inputs,
    gradients,
    one_input,
    values_of,
)
from attention_zoo.metrics.perturbation import visible_cells


def saliency(
    model: keras.Model, x: Any, target: Any = None, batch_size: int = 256,
    *, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """The absolute value of the gradient at each cell (Simonyan, Vedaldi and Zisserman, 2014,
    arXiv:1312.6034): how fast the output moves with it, not how much of it is due to it.

    Args:
        model: a built Keras model of one input; it needs no attention.
        x: an array `(samples, ...)` of floats that fits the model's input.
        target: which of the values of the output: see `gradients`.
        batch_size: how many samples go through at once.
        output: the name or number of the output that is meant, of a model with several.

    Returns:
        An array of float32 of the shape of x.

    Raises:
        TypeError, ValueError, NotImplementedError: as `gradients`.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> found = az.metrics.saliency(az.load("dense"), x)
    >>> found.shape, bool((found >= 0).all())
    ((5, 32), True)
    """
    return np.abs(gradients(model, one_input(model, x), target, batch_size, output=output))


def gradient_times_input(
    model: keras.Model, x: Any, target: Any = None, batch_size: int = 256,
    *, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """The gradient at each cell times its value (Shrikumar et al., 2016, arXiv:1605.01713).

    Of a linear model without a bias these sum to its output.

    Args:
        model: a built Keras model of one input; it needs no attention.
        x: an array `(samples, ...)` of floats that fits the model's input.
        target: which of the values of the output: see `gradients`.
        batch_size: how many samples go through at once.
        output: the name or number of the output that is meant, of a model with several.

    Returns:
        An array of float32 of the shape of x.

    Raises:
        TypeError, ValueError, NotImplementedError: as `gradients`.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> az.metrics.gradient_times_input(az.load("dense"), x).shape
    (5, 32)
    """
    x = float_inputs(model, one_input(model, x))
    return gradients(model, x, target, batch_size, output=output) * x


def integrated_gradients(
    model: keras.Model, x: Any, target: Any = None, *, baselines: Any = 0.0,
    n_steps: int = 32, return_convergence_delta: bool = False, mask: Any = None,
    batch_size: int = 256, output: str | int | None = None,
) -> Any:  # fmt: skip
    """Integrated gradients (Sundararajan, Taly and Yan, 2017, arXiv:1703.01365):

        (x - b) * integral from 0 to 1 of grad f(b + a (x - b)) da

    Completeness: the attributions of a sample sum to f(x) - f(b), up to the error of the
    quadrature, a Gauss-Legendre rule. A model whose output changes in a small part of the way, as
    that of sure classifiers with sharp attention, needs hundreds of steps: see
    `convergence_delta`. A cell that equals the baseline gets 0, so a value that means something
    should not be it.

    Args:
        model: a built Keras model of one input; it needs no attention.
        x: an array `(samples, ...)` of floats that fits the model's input.
        target: which of the values: see `gradients`. The class predicted at x is kept along the
            way from the baseline.
        baselines: the input that stands for nothing, b: a number or an array that can be
            broadcast to x, such as `x.mean(0)`.
        n_steps: how many points of the way are evaluated.
        return_convergence_delta: whether to return `convergence_delta` too.
        mask: booleans of x's leading axes, False on padding, which stays as it is on the way and
            gets 0.
        batch_size: how many samples go through at once.
        output: the name or number of the output that f is, of a model with several.

    Returns:
        An array of float32 of the shape of x; with `return_convergence_delta` a pair of it and an
        array `(samples,)`.

    Raises:
        TypeError, ValueError, NotImplementedError: as `gradients`, and ValueError for baselines or
            a mask that do not fit x.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> parts = az.metrics.integrated_gradients(az.load("dense"), x, baselines=0.5)
    >>> parts.shape, int(np.abs(parts).mean(0).argmax())
    ((5, 32), 1)
    """
    checks.positive_int("n_steps", n_steps)
    checks.boolean("return_convergence_delta", return_convergence_delta)
    x = float_inputs(model, one_input(model, x))
    visible = visible_cells(x, mask)
    start = np.where(visible, _broadcast("baselines", baselines, x), x)
    _, chosen = chosen_values(model, x, target, output, batch_size)
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    total = np.zeros(x.shape)
    for at, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        point = (start + at * (x - start)).astype("float32")
        total += weight * gradients(model, point, chosen, batch_size, output=output)
    found = ((x - start) * total).astype("float32")
    if not return_convergence_delta:
        return found
    return found, convergence_delta(
        model, x, found, chosen, baselines=start, batch_size=batch_size, output=output
    )


def convergence_delta(
    model: keras.Model, x: Any, attributions: Any, target: Any = None, *, baselines: Any = 0.0,
    mask: Any = None, batch_size: int = 256, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """How far attributions are from complete (Sundararajan, Taly and Yan, 2017, arXiv:1703.01365):

        delta = sum of the attributions - (f(x) - f(b))

    In the unit of the output: .01 is little for a probability.

    Args:
        model: a built Keras model of one input.
        x: an array `(samples, ...)` of floats that fits the model's input.
        attributions: an array of its shape, such as `integrated_gradients` returns.
        target: which of the values f is: see `gradients`.
        baselines: b, a number or an array that can be broadcast to x.
        mask: booleans of x's leading axes, False on padding, which is the same in x and b.
        batch_size: how many samples go through at once.
        output: the name or number of the output that f is, of a model with several.

    Returns:
        `(samples,)`, float64.

    Raises:
        TypeError, ValueError: as `gradients`, and ValueError for attributions, baselines or a mask
            that do not fit x.

    Example:

    >>> model = az.load("lstm_after")
    >>> x = az.tasks.get("planted_step").sample(5, split="test").x
    >>> delta = az.metrics.convergence_delta(model, x, az.metrics.integrated_gradients(model, x))
    >>> delta.shape, bool(np.abs(delta).max() < 0.01)
    ((5,), True)
    """
    x = float_inputs(model, one_input(model, x))
    found = arrays.numeric("attributions", attributions)
    if found.shape != x.shape:
        raise ValueError(
            f"`attributions` must have the shape of x {x.shape}. Received: {found.shape}"
        )
    start = np.where(visible_cells(x, mask), _broadcast("baselines", baselines, x), x)
    index, chosen = chosen_values(model, x, target, output, batch_size)
    here, there = (values_of(model, at, index, chosen, batch_size) for at in (x, start))
    return found.reshape(len(x), -1).sum(1, dtype="float64") - (here - there)


def random_attribution(x: Any, seed: int = 0) -> np.ndarray:
    """Numbers that know nothing of model or data, uniform in [0, 1): the floor of any other
    attribution (as in Ismail et al., 2020, arXiv:2010.13924).

    Args:
        x: an array of numbers.
        seed: of the draw.

    Returns:
        An array of float32 of the shape of x.

    Raises:
        ValueError: if x is no array of numbers, or the seed no integer of at least 0.

    Example:

    >>> az.metrics.random_attribution([[1.0, 2.0]]).shape
    (1, 2)
    """
    checks.seed("seed", seed)
    shape = arrays.numeric("x", x).shape
    return np.random.default_rng(seed).random(shape).astype("float32")


def _broadcast(name: str, value: Any, x: np.ndarray) -> np.ndarray:
    array = arrays.numeric(name, value).astype("float32")
    arrays.finite(name, array)
    try:
        return np.broadcast_to(array, x.shape)
    except ValueError:
        raise ValueError(
            f"`{name}` must be a number or broadcast to the shape of x {x.shape}. "
            f"Received: {array.shape}"
        ) from None
