"""Temporal saliency rescaling: which steps count, and then which features at these steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.metrics.attribution import saliency
from attention_zoo.metrics.input_gradients import chosen_values, one_input
from attention_zoo.metrics.perturbation import (
    BATCHES,
    replacement_values,
    share,
    visible_cells,
)

#: What is occluded to measure a feature: that feature at all steps, or one cell.
VARIANTS = ("feature", "cell")


def temporal_saliency_rescaling(
    model: keras.Model,
    x: Any,
    target: Any = None,
    *,
    method: Callable[..., Any] = saliency,
    variant: str = "cell",
    quantile: float = 0.55,
    floor: float = 0.1,
    replacement: str = "zero",
    mask: Any = None,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> np.ndarray:
    """Temporal saliency rescaling (Ismail et al., 2020, arXiv:2010.13924, algorithm 1):

        time[t] = sum |R(x) - R(x without step t)|
        feature[t, i] = sum |R(x) - R(x without feature i)|     where time[t] is large
        TSR[t, i] = time[t] * feature[t, i]

    R is any attribution, asked of the class predicted on x; the sums go over all cells; both
    factors are scaled to 0 for the least and 1 for the greatest, over the steps and over the
    features of a step.

    Two variants are in use, and papers seldom say which. In the pseudocode x is without feature i
    at all steps: `variant="feature"`, for steps + features attributions, and the result of each
    sample is a product of one vector over time and one over features. In the authors' program it
    is without feature i at step t alone: `variant="cell"`, for steps * features of them.

    Args:
        model: a built Keras model of one input `(samples, steps, features)`.
        x: an array of floats that fits it.
        target, output, batch_size: as in `gradients`, and as R is called with them.
        method: R, a function `(model, x, target, batch_size=...)` of this package.
        variant: `"cell"` or `"feature"`.
        quantile: a step of which more of the others count than this share is asked for its
            features. 0 asks all but the least.
        floor: what a feature counts at the other steps.
        replacement: what takes the place of what is occluded: `"zero"`, as in the pseudocode,
            `"mean"` or `"marginal"`.
        mask: booleans of x's leading axes, False on padding, which stays and gets 0.
        seed: of the draw, for `"marginal"`.

    Returns:
        An array of float32 of the shape of x.

    Raises:
        TypeError, ValueError, NotImplementedError: as `method`; ValueError for an x that is not
            `(samples, steps, features)`, an unknown variant, and a quantile or floor that is not
            in [0, 1].

    Example:

    >>> model, x = az.load("lstm_after"), az.tasks.get("planted_step").sample(5, split="test").x
    >>> az.metrics.temporal_saliency_rescaling(model, x, variant="feature").shape
    (5, 20, 2)
    """
    checks.positive_int("batch_size", batch_size)
    if variant not in VARIANTS:
        raise one_of("variant", variant, VARIANTS)
    share("quantile", quantile)
    share("floor", floor)
    x = one_input(model, x)
    if x.ndim != 3:
        raise ValueError(f"`x` must be (samples, steps, features). Received: {x.shape}")
    visible = visible_cells(x, mask)
    values = replacement_values(x, replacement, mask=mask, seed=seed)
    _, chosen = chosen_values(model, x, target, output, batch_size)
    options: dict[str, Any] = {"batch_size": batch_size}
    if output is not None:
        options["output"] = output
    whole = np.asarray(method(model, x, chosen, **options), "float64")

    def moved(sample: np.ndarray, occluded: Callable[[slice], np.ndarray]) -> np.ndarray:
        """How far R moves, for each of many copies of samples without some of their cells."""
        found = np.empty(len(sample))
        for start in range(0, len(sample), BATCHES * batch_size):
            some = slice(start, start + BATCHES * batch_size)
            of = sample[some]
            part = np.where(occluded(some), values[of], x[of])
            now = method(model, part, chosen[of], **options)
            found[some] = np.abs(whole[of] - now).sum((1, 2))
        return found

    samples, steps, features = x.shape
    at_step, at_feature = np.arange(steps)[:, None], np.arange(features)
    sample, step = (axis.ravel() for axis in np.indices((samples, steps)))
    time = moved(sample, lambda some: at_step == step[some, None, None]).reshape(samples, steps)
    time = _scaled(time)
    asked = time > np.quantile(time, quantile, axis=1, keepdims=True)
    if variant == "feature":
        sample, feature = (axis.ravel() for axis in np.indices((samples, features)))
        found = moved(sample, lambda some: at_feature == feature[some, None, None])
        counts = np.where(asked[..., None], _scaled(found.reshape(samples, 1, features)), floor)
    else:
        sample, step, feature = np.nonzero(np.broadcast_to(asked[..., None], x.shape))
        found = moved(
            sample,
            lambda some: (
                (at_step == step[some, None, None]) & (at_feature == feature[some, None, None])
            ),
        )
        counts = np.full(x.shape, floor)
        counts[asked] = _scaled(found.reshape(-1, features))
    return np.where(visible, time[..., None] * counts, 0).astype("float32")


def _scaled(values: np.ndarray) -> np.ndarray:
    """The least of each row as 0 and the greatest as 1; a row of equal values as 0."""
    values = values - values.min(-1, keepdims=True)
    most = values.max(-1, keepdims=True)
    return np.divide(values, most, out=np.zeros_like(values), where=most > 0)
