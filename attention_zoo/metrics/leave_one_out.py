"""Occlusion: how far the output moves without a cell, a step or a feature."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.metrics.input_gradients import chosen_values, one_input, values_of
from attention_zoo.metrics.perturbation import replacement_values, visible_cells

#: What is occluded at a time.
UNITS = ("cell", "step", "feature")

#: How many batches are made at once.
_BATCHES = 16


def occlusion(
    model: keras.Model, x: Any, target: Any = None, *, unit: str = "cell",
    replacement: str = "marginal", mask: Any = None, draws: int = 1, seed: int = 0,
    batch_size: int = 256, output: str | int | None = None,
) -> np.ndarray:  # fmt: skip
    """What the output loses when one part of the input is replaced:

        o[n, u] = f(x[n]) - f(x[n] with u replaced)

    Occlusion (Zeiler and Fergus, 2014, arXiv:1311.2901), or leave-one-out (Li, Monroe and
    Jurafsky, 2016, arXiv:1612.08220). Two parts that tell the same are both missed: each makes up
    for the other.

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
    axis = x.ndim - 1 if unit == "feature" else 1
    rows = _by_unit(x, unit, axis)
    found = np.zeros(rows.shape[:2])
    at_once = max(1, _BATCHES * batch_size // len(x))
    for number in np.random.SeedSequence(seed).generate_state(draws):
        values = replacement_values(x, replacement, mask=mask, seed=int(number))
        others = _by_unit(values, unit, axis)
        for first in range(0, rows.shape[1], at_once):
            some = np.arange(first, min(first + at_once, rows.shape[1]))
            part = np.repeat(rows[None], len(some), axis=0)
            part[np.arange(len(some)), :, some] = np.swapaxes(others[:, some], 0, 1)
            part = _as_samples(part, x.shape, unit, axis)
            asked = np.tile(chosen, (len(some), *(1 for _ in chosen.shape[1:])))
            left = values_of(model, part, index, asked, batch_size).reshape(len(some), len(x))
            found[:, some] += (whole - left).T / draws
    found = np.where(_by_unit(visible, unit, axis).any(2), found, 0).astype("float32")
    return found.reshape(x.shape) if unit == "cell" else found


def _by_unit(x: np.ndarray, unit: str, axis: int) -> np.ndarray:
    """`(samples, units, cells of a unit)`."""
    if unit == "cell":
        return x.reshape(len(x), -1, 1)
    moved = np.moveaxis(x, axis, 1)
    return moved.reshape(*moved.shape[:2], -1)


def _as_samples(rows: np.ndarray, shape: tuple[int, ...], unit: str, axis: int) -> np.ndarray:
    """The inverse of `_by_unit`, of many copies of x in front of each other."""
    if unit == "cell":
        return rows.reshape(-1, *shape[1:])
    others = [size for i, size in enumerate(shape) if i not in (0, axis)]
    return np.moveaxis(rows.reshape(-1, shape[axis], *others), 1, axis)
