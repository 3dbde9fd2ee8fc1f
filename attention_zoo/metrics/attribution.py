"""Attribution: how much each part of the input counts for the output, without attention."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

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
    model: keras.Model,
    x: Any,
    target: Any = None,
    batch_size: int = 256,
    *,
    output: str | int | None = None,
) -> np.ndarray:
    """The absolute value of the gradient at each cell (Simonyan, Vedaldi and Zisserman, 2014,
    arXiv:1312.6034): how fast the output moves with it, not how much of it is due to it.

    Args:
        model, x, target, batch_size, output: as in `gradients`, for a model of one input.

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
    model: keras.Model,
    x: Any,
    target: Any = None,
    batch_size: int = 256,
    *,
    output: str | int | None = None,
) -> np.ndarray:
    """The gradient at each cell times its value (Shrikumar et al., 2016, arXiv:1605.01713).

    Of a linear model without a bias these sum to its output.

    Args:
        model, x, target, batch_size, output: as in `gradients`, for a model of one input.

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
    model: keras.Model,
    x: Any,
    target: Any = None,
    *,
    baselines: ArrayLike = 0.0,
    n_steps: int = 32,
    return_convergence_delta: bool = False,
    mask: ArrayLike | None = None,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Any:
    """Integrated gradients (Sundararajan, Taly and Yan, 2017, arXiv:1703.01365):

        (x - b) * integral from 0 to 1 of grad f(b + a (x - b)) da

    Completeness: the attributions of a sample sum to f(x) - f(b), up to the error of the
    quadrature, a Gauss-Legendre rule. A model whose output changes in a small part of the path, as
    that of a confident classifier with sharp attention, needs hundreds of steps: see
    `convergence_delta`. A cell that equals the baseline gets 0, so the baseline should be no value
    that means something.

    Args:
        model, x, batch_size, output: as in `gradients`, for a model of one input.
        target: as in `gradients`; the class predicted at x stays the target along the path.
        baselines: b, the input that stands for nothing: a number or an array that can be
            broadcast to x, such as `x.mean(0)`.
        n_steps: how many points of the path are evaluated.
        return_convergence_delta: whether to return `convergence_delta` too.
        mask: booleans of x's leading axes, False on padding, which is the same in x and b and
            gets 0.

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
    start = np.where(visible_cells(x, mask), _broadcast(baselines, x), x)
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
    model: keras.Model,
    x: Any,
    attributions: ArrayLike,
    target: Any = None,
    *,
    baselines: ArrayLike = 0.0,
    mask: ArrayLike | None = None,
    batch_size: int = 256,
    output: str | int | None = None,
) -> np.ndarray:
    """How far attributions are from complete (Sundararajan, Taly and Yan, 2017, arXiv:1703.01365):

        delta = sum of the attributions - (f(x) - f(b))

    In the unit of the output: .01 is little for a probability.

    Args:
        model, x, target, batch_size, output: as in `gradients`, for a model of one input.
        attributions: an array of the shape of x, such as `integrated_gradients` returns.
        baselines, mask: as in `integrated_gradients`.

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
    start = np.where(visible_cells(x, mask), _broadcast(baselines, x), x)
    index, chosen = chosen_values(model, x, target, output, batch_size)
    here, there = (values_of(model, at, index, chosen, batch_size) for at in (x, start))
    return found.reshape(len(x), -1).sum(1, dtype="float64") - (here - there)


def random_attribution(x: ArrayLike, seed: int = 0) -> np.ndarray:
    """Random numbers, uniform in [0, 1): the floor of any other attribution (as in
    Ismail et al., 2020, arXiv:2010.13924).

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


def _broadcast(baselines: ArrayLike, x: np.ndarray) -> np.ndarray:
    array = arrays.numeric("baselines", baselines).astype("float32")
    arrays.finite("baselines", array)
    try:
        return np.broadcast_to(array, x.shape)
    except ValueError:
        raise ValueError(
            f"`baselines` must be a number or broadcast to the shape of x {x.shape}. "
            f"Received: {array.shape}"
        ) from None
