"""Occlusion: how far the output moves without a cell, a step or a feature."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.metrics.input_gradients import chosen_values, one_input, values_of
from attention_zoo.metrics.perturbation import over_variants, replacement_values, visible_cells

#: What is occluded at a time.
UNITS = ("cell", "step", "feature")


def occlusion(
    model: keras.Model,
    x: Any,
    target: Any = None,
    *,
    unit: str = "cell",
    replacement: str = "marginal",
    mask: ArrayLike | None = None,
    draws: int = 1,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> np.ndarray:
    """What the output loses when one part of the input is replaced:

        o[n, u] = f(x[n]) - f(x[n] with u replaced)

    Occlusion (Zeiler and Fergus, 2014, arXiv:1311.2901), or leave-one-out (Li, Monroe and
    Jurafsky, 2016, arXiv:1612.08220). Two parts that carry the same information are both missed:
    each makes up for the other.

    Args:
        model: a built Keras model of one input; it needs no attention.
        x: an array `(samples, ...)` that fits the model's input, floats or tokens.
        target: which of the values f is: see `gradients`. Where the model has an output at every
            step, f is the sum over the steps.
        unit: `"cell"`, each number of the input by itself; `"step"`, all features of a time step;
            `"feature"`, a feature at all steps. The three are one for a table or tokens.
        replacement: `"marginal"`, `"mean"` or `"zero"`: see `replacement_values`.
        mask: booleans of x's leading axes, False on padding, which is not replaced and gets 0.
        draws: how many replacements are drawn, each for the whole of x, and averaged over. Where
            values are few, such as 0 and 1, a draw often puts back what was there.
        seed: of the draws.
        batch_size: how many samples go through at once. Memory holds some batches, or the data
            once more where they are larger.
        output: the name or number of the output that f is, of a model with several.

    Returns:
        An array of float32: the shape of x for cells, `(samples, steps)` or `(samples, features)`.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: if the model is not built or has several inputs, x or the mask does not fit,
            for an unknown unit, replacement, target or output, and as `replacement_values`.

    Example:

    >>> x = az.tasks.get("planted_step").sample(50, split="test").x
    >>> lost = np.abs(az.metrics.occlusion(az.load("lstm_after"), x, unit="step"))
    >>> lost.shape, int(lost.mean(0).argmax())
    ((50, 20), 10)
    """
    checks.positive_int("batch_size", batch_size)
    if unit not in UNITS:
        raise one_of("unit", unit, UNITS)
    checks.positive_int("draws", draws)
    checks.seed("seed", seed)
    x = one_input(model, x)
    visible = visible_cells(x, mask)
    index, chosen = chosen_values(model, x, target, output, batch_size)
    whole = values_of(model, x, index, chosen, batch_size)
    axes = {"cell": tuple(range(1, x.ndim)), "step": (1,), "feature": (x.ndim - 1,)}[unit]
    shape = tuple(x.shape[axis] for axis in axes)

    def remaining(variants: np.ndarray) -> np.ndarray:
        targets = np.concatenate([chosen] * (len(variants) // len(x)))
        return values_of(model, variants, index, targets, batch_size).reshape(-1, len(x))

    def cells(at: tuple[int, ...]) -> tuple:
        return (..., *at) if unit == "feature" else (slice(None), *at)

    def without(at: tuple[int, ...], values: np.ndarray) -> np.ndarray:
        variant = x.copy()
        variant[cells(at)] = values[cells(at)]
        return variant

    lost = np.zeros((len(x), *shape))
    for number in np.random.SeedSequence(seed).generate_state(draws):
        values = replacement_values(x, replacement, mask=mask, seed=int(number))
        variants = (without(at, values) for at in np.ndindex(shape))
        left = over_variants(remaining, variants, batch_size)
        for at, value in zip(np.ndindex(shape), left, strict=True):
            lost[:, *at] += (whole - value) / draws
    others = tuple(axis for axis in range(1, x.ndim) if axis not in axes)
    return np.where(visible.any(others), lost, 0).astype("float32")
