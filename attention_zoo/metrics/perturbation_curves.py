"""Curves of faithfulness: the prediction while more and more of the input is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.metrics.faithfulness import (
    Faithfulness,
    mean_over_fractions,
    remaining_prediction,
)

#: The shares that Early et al. average over: 5 %, 10 %, ... 50 %.
REMOVED = tuple(k / 20 for k in range(1, 11))


@by_identity
class Curve(NamedTuple):
    """The output while more and more of each sample is deleted, or inserted.

    Attributes:
        fractions: of the parts, from 0 to 1, `(points,)`.
        scores: how much of the prediction is left, `(samples, points)`, by the ranking.
        random: the same by random rankings.
    """

    fractions: np.ndarray
    scores: np.ndarray
    random: np.ndarray

    @property
    def auc(self) -> Faithfulness:
        """The area under each sample's curve, by the trapezoidal rule."""
        widths = np.diff(self.fractions)
        scores, random = (
            (widths * (v[:, 1:] + v[:, :-1])).sum(1) / 2 for v in (self.scores, self.random)
        )
        return Faithfulness(scores, random)


def deletion(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    *,
    points: int = 11,
    replacement: str = "marginal",
    mask: ArrayLike | None = None,
    draws: int = 3,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Curve:
    """The prediction while the parts are replaced, the highest-ranked first (Petsiuk, Das and
    Saenko, 2018, RISE, arXiv:1806.07421); `deletion(...).auc` is low where the first ones count.

    Args:
        model, x, scores, replacement, mask: as in `comprehensiveness`.
        points: how many shares of the parts, evenly from 0 to 1.
        draws, seed, batch_size, output: as in `comprehensiveness`.

    Returns:
        A `Curve` of p as `comprehensiveness` defines it, with that of random rankings.

    Raises:
        TypeError, ValueError: as `comprehensiveness`, and ValueError for fewer than 2 points.

    Example:

    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> curve = az.metrics.deletion(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(curve.auc.scores.mean() < curve.auc.random.mean())
    True
    """
    at = _grid(points)
    options = replacement, mask, draws, seed, batch_size, output
    return Curve(at, *remaining_prediction(model, x, scores, at, False, *options)[1:])


def insertion(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    *,
    points: int = 11,
    replacement: str = "marginal",
    mask: ArrayLike | None = None,
    draws: int = 3,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Curve:
    """The prediction while the parts are put back, the highest-ranked first (Petsiuk, Das and
    Saenko, 2018, RISE, arXiv:1806.07421); `insertion(...).auc` is high where the first ones
    suffice.

    Args:
        model, x, scores, points, replacement: as in `deletion`.
        mask, draws, seed, batch_size, output: as in `deletion`.

    Returns:
        A `Curve` of p as `comprehensiveness` defines it, with that of random rankings.

    Raises:
        TypeError, ValueError: as `comprehensiveness`, and ValueError for fewer than 2 points.

    Example:

    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> curve = az.metrics.insertion(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(curve.auc.scores.mean() > curve.auc.random.mean())
    True
    """
    at = _grid(points)
    options = replacement, mask, draws, seed, batch_size, output
    return Curve(at, *remaining_prediction(model, x, scores, at, True, *options)[1:])


def _grid(points: int) -> np.ndarray:
    checks.positive_int("points", points)
    if points < 2:
        raise ValueError(f"`points` must be at least 2: nothing and all. Received: points={points}")
    return np.linspace(0, 1, points)


def aopcr(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    *,
    fractions: float | Sequence[float] = REMOVED,
    replacement: str = "mean",
    mask: ArrayLike | None = None,
    draws: int = 3,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> np.ndarray:
    """What the output of the predicted class loses without its highest-ranked parts, beyond what
    it loses without random ones (Early et al., 2024, arXiv:2311.10049; AOPC is that of Samek et
    al., 2017, arXiv:1509.06321).

        AOPCR = AOPC(scores) - AOPC(random),   AOPC = mean over k of (z(x) - z(x without top b_k))

    z is the output of the class that is predicted on x as the model returns it: for logits, as in
    the paper, give the model without its softmax. Of a single output, z is the output, or minus it
    where the other class is predicted.

    Args:
        model: a built Keras model of one input; it needs no attention.
        x: an array `(samples, ...)` that fits the model's input, floats or tokens.
        scores: how much each part counts, as in `comprehensiveness`; of contributions those to the
            predicted class.
        fractions: the b_k, shares of each sample's parts, rounded up.
        replacement, mask, draws, seed, batch_size, output: as in `comprehensiveness`.

    Returns:
        `(samples,)`: high where the highest-ranked parts carry the output.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `comprehensiveness`.

    Example:

    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> found = az.metrics.aopcr(model, x, az.attention_scores(model, x)["attention"])
    >>> found.shape, bool(found.mean() > 0)
    ((200,), True)
    """
    options = replacement, mask, draws, seed, batch_size, output
    found = mean_over_fractions(model, x, scores, fractions, False, *options, True)
    return found.scores - found.random
