"""Precision and recall of scores over all thresholds, where it is known what is relevant."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.metrics.localization import by_cell


def auprc(scores: ArrayLike, relevance: Any) -> float:
    """The area under the precision-recall curve of the cells of all samples together, as average
    precision: the sum over thresholds of (R_k - R_{k-1}) P_k (Davis and Goadrich, 2006).

    It asks whether relevant cells are attended to more than others, not how much more; cells of
    equal score share a threshold. A random ranking has the share of relevant cells.

    Args:
        scores: attention or magnitudes of an attribution, `(samples, ...)`.
        relevance: more than 0 where the answer is, of the scores' shape or their leading axes'.

    Returns:
        One number in [0, 1]; NaN where no cell is relevant.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.auprc([[0.7, 0.2, 0.1]], [[1, 0, 1]])
    0.8333333333333333
    """
    # Not scikit-learn's average_precision_score: slower here, and not in the default install
    _, precision, recall = _curve(*by_cell(scores, relevance))
    return float((np.diff(recall, prepend=0) * precision).sum())


def area_under_precision(scores: ArrayLike, relevance: Any) -> float:
    """The area under the precision of {score >= t} over the thresholds t, as Crabbé and van der
    Schaar, 2021 (Dynamask, arXiv:2106.05303) compute it.

    The scores of each sample are scaled to 0 for its least and 1 for its greatest, the cells of all
    samples are taken together, and the precision at each score that occurs is integrated by the
    trapezoidal rule. (Ismail et al., 2020, arXiv:2010.13924, integrate a precision weighted by the
    scores over the share of cells that is kept.) Unlike AUPRC it tells how high the scores of
    relevant cells are, not their order alone. A sample whose scores are all equal counts as 0
    throughout.

    Args:
        scores, relevance: as in `auprc`.

    Returns:
        One number in [0, 1]; NaN where no cell is relevant.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> round(az.metrics.area_under_precision([[0.8, 0.4, 0.0]], [[1, 0, 0]]), 4)
    0.5833
    """
    thresholds, precision, _ = _scaled_curve(scores, relevance)
    return _area(precision, thresholds)


def area_under_recall(scores: ArrayLike, relevance: Any) -> float:
    """The area under the recall of {score >= t} over the thresholds t, computed as
    `area_under_precision` (Crabbé and van der Schaar, 2021, arXiv:2106.05303).

    Args:
        scores, relevance: as in `auprc`.

    Returns:
        One number in [0, 1], 1 only where all relevant cells have the greatest score of their
        sample; NaN where no cell is relevant.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.area_under_recall([[1.0, 0.5, 0.0]], [[1, 1, 0]])
    0.875
    """
    thresholds, _, recall = _scaled_curve(scores, relevance)
    return _area(recall, thresholds)


def _scaled_curve(scores: ArrayLike, relevance: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    weights, relevant = by_cell(scores, relevance)
    least = weights.min(1, keepdims=True)
    width = weights.max(1, keepdims=True) - least
    scaled = np.divide(weights - least, width, out=np.zeros_like(weights), where=width > 0)
    return _curve(scaled, relevant)


def _curve(weights: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the thresholds, from the highest down, and the precision and recall at each; NaN
    where no cell is relevant."""
    order = np.argsort(-weights, axis=None, kind="stable")
    ranked = weights.ravel()[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(relevant.ravel()[order])[last]
    if hits[-1] == 0:
        hits = np.full(hits.shape, np.nan)
    return ranked[last], hits / (last + 1), hits / hits[-1]


def _area(values: np.ndarray, thresholds: np.ndarray) -> float:
    """Return the area under values at falling thresholds, by the trapezoidal rule."""
    if np.isnan(values).any():
        return float("nan")
    return float((-np.diff(thresholds) * (values[1:] + values[:-1])).sum() / 2)
