"""Localization: metrics of attention where it is known which cells are relevant."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def matched(relevance: Any, scores: np.ndarray, name: str = "relevance") -> np.ndarray:
    """Return which cells of the scores are relevant, as booleans of the scores' shape.

    Relevance with fewer axes is spread over the scores' last ones; with more, a cell of the scores
    is relevant if any cell of it is. ValueError for any other shape, such as that of targets, one
    a sample.
    """
    relevance = np.asarray(relevance) > 0
    shared = min(scores.ndim, relevance.ndim)
    targets = relevance.ndim < 2 and scores.ndim > 1
    if targets or relevance.shape[:shared] != scores.shape[:shared]:
        raise ValueError(
            f"`{name}` must have the shape of the scores {scores.shape}, or of their leading "
            f"axes beyond the samples. Received: {relevance.shape}"
        )
    relevance = relevance.any(axis=tuple(range(shared, relevance.ndim)))
    extra = (1,) * (scores.ndim - relevance.ndim)
    return np.broadcast_to(relevance.reshape(relevance.shape + extra), scores.shape)


def by_cell(scores: ArrayLike, relevance: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return both as `(samples, cells)`: the scores in float64, the relevance as booleans."""
    scores = np.asarray(scores, dtype="float64")
    relevant = matched(relevance, scores)
    return scores.reshape(len(scores), -1), relevant.reshape(len(scores), -1)


def relevance_mass_accuracy(scores: ArrayLike, relevance: Any) -> np.ndarray:
    """Relevance mass accuracy, the attention on the relevant cells / all attention (Arras, Osman
    and Samek, 2022, arXiv:2003.07258).

    Args:
        scores: attention, `(samples, ...)`.
        relevance: more than 0 where the answer is, of the scores' shape or their leading axes'.

    Returns:
        `(samples,)` in [0, 1]; 0 for a sample that attends to nothing.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.relevance_mass_accuracy([[0.9, 0.1, 0.0]], [[1, 0, 0]])
    array([0.9])
    """
    weights, relevant = by_cell(scores, relevance)
    return _share((weights * relevant).sum(1), weights.sum(1), empty=0.0)


def relevance_rank_accuracy(scores: ArrayLike, relevance: Any) -> np.ndarray:
    """Relevance rank accuracy, the share of the top K cells that are relevant, K the number of
    relevant cells (Arras, Osman and Samek, 2022, arXiv:2003.07258).

    Where cells tie for the last of the K places, it is the mean over all ways to choose.

    Args:
        scores, relevance: as in `relevance_mass_accuracy`.

    Returns:
        `(samples,)` in [0, 1]; NaN for a sample without a relevant cell.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.relevance_rank_accuracy([[0.5, 0.4, 0.1]], [[1, 0, 1]])
    array([0.5])
    """
    weights, relevant = by_cell(scores, relevance)
    sizes = relevant.sum(1)
    rows = np.arange(len(weights))
    last = -np.sort(-weights, axis=1)[rows, np.maximum(sizes, 1) - 1][:, None]
    above, tied = weights > last, weights == last
    # Cells that tie for the last places are equally likely to be among the K
    left = (sizes - above.sum(1)) / tied.sum(1)
    return _share((above & relevant).sum(1) + left * (tied & relevant).sum(1), sizes, empty=np.nan)


def ndcg_at_n(scores: ArrayLike, relevance: Any) -> np.ndarray:
    """NDCG@n: the discounted cumulative gain of the n highest-scored cells, n the number of
    relevant cells, over that of a ranking with all relevant cells first (Järvelin and Kekäläinen,
    2002; for series Early et al., 2024, arXiv:2311.10049).

        sum over ranks r <= n of relevant[r] / log2(r + 1)   /   sum over r <= n of 1 / log2(r + 1)

    Where cells tie, it is the mean over all their orders.

    Args:
        scores: attention or contributions, `(samples, ...)`, of any sign.
        relevance: more than 0 where the answer is, of the scores' shape or their leading axes'.

    Returns:
        `(samples,)` in [0, 1]; NaN for a sample without a relevant cell.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.ndcg_at_n([[0.5, 0.1, 0.4]], [[1, 1, 0]]).round(3)
    array([0.613])
    """
    weights, relevant = by_cell(scores, relevance)
    order = np.argsort(-weights, axis=1, kind="stable")
    weights = np.take_along_axis(weights, order, 1)
    gain = np.take_along_axis(relevant.astype(float), order, 1)
    # Cells of one score share their gain
    first = np.pad(weights[:, 1:] != weights[:, :-1], [(0, 0), (1, 0)], constant_values=True)
    group = np.cumsum(first.ravel()) - 1
    gain = (np.bincount(group, gain.ravel()) / np.bincount(group))[group].reshape(gain.shape)
    ranks = np.arange(1, gain.shape[1] + 1)
    counted = (ranks <= relevant.sum(1)[:, None]) / np.log2(ranks + 1)
    return _share((gain * counted).sum(1), counted.sum(1), empty=np.nan)


def pointing_game(scores: ArrayLike, relevance: Any) -> np.ndarray:
    """The pointing game: 1 for each sample whose most attended cell is relevant, else 0 (Zhang et
    al., 2018, arXiv:1608.00507). Where cells tie, it is the share of them that is relevant.

    Args:
        scores, relevance: as in `relevance_mass_accuracy`.

    Returns:
        `(samples,)` in [0, 1]; 0 for a sample that attends to nothing.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.pointing_game([[0.5, 0.4, 0.1], [0.4, 0.4, 0.2]], [[1, 0, 0], [1, 0, 0]])
    array([1. , 0.5])
    """
    weights, relevant = by_cell(scores, relevance)
    most = (weights == weights.max(1, keepdims=True)) & (weights > 0)
    return _share((most & relevant).sum(1), most.sum(1), empty=0.0)


def true_positive_rate(scores: ArrayLike, relevance: Any) -> np.ndarray:
    """The true positive rate: the share of the relevant cells that are selected, {a > 0} (Yoon,
    Jordon and van der Schaar, 2019, INVASE, ICLR). Only a sparse normalizer selects; softmax
    selects all.

    Args:
        scores, relevance: as in `relevance_mass_accuracy`.

    Returns:
        `(samples,)` in [0, 1]; NaN for a sample without a relevant cell.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.true_positive_rate([[0.6, 0.4, 0.0]], [[1, 0, 1]])
    array([0.5])
    """
    weights, relevant = by_cell(scores, relevance)
    return _share(((weights > 0) & relevant).sum(1), relevant.sum(1), empty=np.nan)


def false_discovery_rate(scores: ArrayLike, relevance: Any) -> np.ndarray:
    """The false discovery rate: the share of the selected cells, {a > 0}, that are not relevant
    (Yoon, Jordon and van der Schaar, 2019, INVASE, ICLR).

    Args:
        scores, relevance: as in `relevance_mass_accuracy`.

    Returns:
        `(samples,)` in [0, 1]; 0 for a sample that selects nothing.

    Raises:
        ValueError: if the relevance does not fit the scores.

    Example:

    >>> az.metrics.false_discovery_rate([[0.6, 0.4, 0.0]], [[1, 0, 1]])
    array([0.5])
    """
    weights, relevant = by_cell(scores, relevance)
    selected = weights > 0
    return _share((selected & ~relevant).sum(1), selected.sum(1), empty=0.0)


def _share(part: np.ndarray, whole: np.ndarray, empty: float) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), empty), where=whole > 0)
