"""Precision and recall of scores over all thresholds, against a truth that is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_zoo.metrics.localization import _rows


def area_under_precision(scores: Any, relevance: Any) -> float:
    """AUP: the area under the precision of {score >= t} over the thresholds t.

    As Crabbé and van der Schaar, 2021 (Dynamask, arXiv:2106.05303) compute it: the scores of each
    sample are scaled to 0 for its least and 1 for its greatest, the cells of all samples are taken
    together, and the precision at each score that occurs is integrated by the trapezoidal rule.
    (Ismail et al., 2020, arXiv:2010.13924, integrate a precision weighted by the scores over the
    share of cells that is kept.) Unlike AUPRC it tells how high the scores of relevant cells are,
    not their order alone.

    Args:
        scores: attention or magnitudes of an attribution, `(samples, ...)`. A sample whose scores
            are all equal counts as 0 throughout.
        relevance: more than 0 where the answer is, of the scores' shape or their leading axes'.

    Returns:
        One number in [0, 1]; NaN where no cell is relevant.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> round(az.metrics.area_under_precision([[0.8, 0.4, 0.0]], [[1, 0, 0]]), 4)
    0.5833
    """
    return _areas(scores, relevance)[0]


def area_under_recall(scores: Any, relevance: Any) -> float:
    """AUR: the area under the recall of {score >= t} over the thresholds t, computed as
    `area_under_precision` (Crabbé and van der Schaar, 2021, arXiv:2106.05303).

    Args:
        scores: attention or magnitudes of an attribution, `(samples, ...)`.
        relevance: more than 0 where the answer is, of the scores' shape or their leading axes'.

    Returns:
        One number in [0, 1], 1 only where all relevant cells have the greatest score of their
        sample; NaN where no cell is relevant.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.area_under_recall([[1.0, 0.5, 0.0]], [[1, 1, 0]])
    0.875
    """
    return _areas(scores, relevance)[1]


def _areas(scores: Any, relevance: Any) -> tuple[float, float]:
    weights, relevant = _rows(scores, relevance)
    least = weights.min(1, keepdims=True)
    width = weights.max(1, keepdims=True) - least
    weights = np.divide(weights - least, width, out=np.zeros_like(weights), where=width > 0)
    order = np.argsort(-weights, axis=None, kind="stable")
    ranked, found = weights.ravel()[order], relevant.ravel()[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(found)[last]
    if hits[-1] == 0:
        return float("nan"), float("nan")
    widths = -np.diff(ranked[last])
    precision, recall = (
        float((widths * (values[1:] + values[:-1])).sum() / 2)
        for values in (hits / (last + 1), hits / hits[-1])
    )
    return precision, recall
