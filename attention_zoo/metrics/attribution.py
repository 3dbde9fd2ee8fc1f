"""How much each part of the input counts for the answer: methods that need no attention."""

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
    """The absolute value of the derivative at each cell (Simonyan, Vedaldi and Zisserman, 2014,
    arXiv:1312.6034): how fast the answer moves with it, not how much of it is due to it.

    Arguments, errors and result are those of `gradients`, for a model of one input.
    """
    return np.abs(gradients(model, one_input(model, x), target, batch_size, output=output))


def gradient_times_input(
    model: keras.Model, x: Any, target: Any = None, batch_size: int = 256,
    *, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """The derivative at each cell times its value (Shrikumar et al., 2016, arXiv:1605.01713).

    Of a linear model without a bias these sum to its output. Arguments, errors and result are
    those of `gradients`, for a model of one input.
    """
    x = float_inputs(model, one_input(model, x))
    return gradients(model, x, target, batch_size, output=output) * x


def integrated_gradients(
    model: keras.Model, x: Any, target: Any = None, *, baseline: Any = 0.0, steps: int = 32,
    mask: Any = None, batch_size: int = 256, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """Integrated gradients (Sundararajan, Taly and Yan, 2017, arXiv:1703.01365):

        (x - b) * integral from 0 to 1 of grad f(b + a (x - b)) da

    Completeness: the attributions of a sample sum to f(x) - f(b), up to the error of the
    quadrature, a Gauss-Legendre rule. A model that changes its answer in a small part of the way,
    as sure classifiers with sharp attention do, needs hundreds of steps: see `completeness_gap`.
    A cell that equals the baseline gets 0, so a value that means something should not be it.

    Args:
        model: a built Keras model of one input.
        x: an array `(samples, ...)` of floats that fits the model's input.
        target: which of the values: see `gradients`. The class predicted at x is kept along the
            way from the baseline.
        baseline: the input that stands for nothing, a number or an array that can be broadcast to
            x, such as `x.mean(0)`.
        steps: how many points of the way are evaluated.
        mask: booleans of x's leading axes, False on padding, which stays as it is on the way and
            gets 0.
        batch_size: how many samples go through at once.
        output: the name or number of the output that f is, of a model with several.

    Returns:
        An array of float32 of the shape of x.

    Example:

    >>> from attention_zoo.metrics.attribution import integrated_gradients
    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> parts = integrated_gradients(az.load("dense"), x, baseline=0.5)
    >>> parts.shape, int(np.abs(parts).mean(0).argmax())
    ((5, 32), 1)
    """
    checks.positive_int("steps", steps)
    x = float_inputs(model, one_input(model, x))
    visible = visible_cells(x, mask)
    start = np.where(visible, _broadcast("baseline", baseline, x), x)
    _, chosen = chosen_values(model, x, target, output, batch_size)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    total = np.zeros(x.shape)
    for at, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        point = (start + at * (x - start)).astype("float32")
        total += weight * gradients(model, point, chosen, batch_size, output=output)
    return ((x - start) * total).astype("float32")


def completeness_gap(
    model: keras.Model, x: Any, attribution: Any, target: Any = None, *, baseline: Any = 0.0,
    mask: Any = None, batch_size: int = 256, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """How far attributions are from complete: `|sum of them - (f(x) - f(b))|` of each sample,
    `(samples,)`. In units of the answer: .01 is little for a probability.

    Arguments are those of `integrated_gradients`, whose result `attribution` is.

    Example:

    >>> from attention_zoo.metrics.attribution import completeness_gap, integrated_gradients
    >>> model = az.load("lstm_after")
    >>> x = az.tasks.get("planted_step").sample(5, split="test").x
    >>> gap = completeness_gap(model, x, integrated_gradients(model, x))
    >>> gap.shape, bool(gap.max() < 0.01)
    ((5,), True)
    """
    x = float_inputs(model, one_input(model, x))
    found = arrays.numeric("attribution", attribution)
    if found.shape != x.shape:
        raise ValueError(
            f"`attribution` must have the shape of x {x.shape}. Received: {found.shape}"
        )
    start = np.where(visible_cells(x, mask), _broadcast("baseline", baseline, x), x)
    index, chosen = chosen_values(model, x, target, output, batch_size)
    here, there = (values_of(model, at, index, chosen, batch_size) for at in (x, start))
    return np.abs(found.reshape(len(x), -1).sum(1, dtype="float64") - (here - there))


def random_attribution(x: Any, seed: int = 0) -> np.ndarray:
    """Numbers that know nothing of model or data, uniform in [0, 1): the floor for any other."""
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
