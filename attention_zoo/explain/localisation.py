"""Does attention lie where the answer is? Measures for tasks whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np


def _rows(scores: Any, relevance: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as (samples, cells) in float64; the relevance is spread over the scores' last axes."""
    scores = np.asarray(scores, dtype="float64")
    relevance = np.asarray(relevance, dtype="float64")
    if relevance.shape != scores.shape[: relevance.ndim]:
        raise ValueError(
            f"`relevance` must have the shape of the scores {scores.shape}, or of their leading "
            f"axes. Received: {relevance.shape}"
        )
    extra = (1,) * (scores.ndim - relevance.ndim)
    relevance = np.broadcast_to(relevance.reshape(relevance.shape + extra), scores.shape)
    return scores.reshape(len(scores), -1), relevance.reshape(len(scores), -1) > 0


def relevance_mass_accuracy(scores: Any, relevance: Any) -> np.ndarray:
    """RMA: attention on the relevant cells / all attention (Arras, Osman and Samek, 2022,
    arXiv:2003.07258).

    Args:
        scores: attention, `(samples, ...)`.
        relevance: more than 0 where the answer is, of the scores' shape or their leading axes'.

    Returns:
        One value in [0, 1] a sample; 0 for a sample that attends to nothing.

    Example:

    >>> from attention_zoo.explain import relevance_mass_accuracy
    >>> relevance_mass_accuracy([[0.9, 0.1, 0.0]], [[1, 0, 0]])
    array([0.9])
    """
    weights, relevant = _rows(scores, relevance)
    total = weights.sum(1)
    return np.divide((weights * relevant).sum(1), total, out=np.zeros_like(total), where=total != 0)


def relevance_rank_accuracy(scores: Any, relevance: Any) -> np.ndarray:
    """RRA: the share of the top K cells that are relevant, K the number of relevant cells
    (Arras, Osman and Samek, 2022, arXiv:2003.07258); NaN for a sample without any.

    Arguments and result are those of `relevance_mass_accuracy`.
    """
    weights, relevant = _rows(scores, relevance)
    order = np.argsort(-weights, axis=1, kind="stable")
    hits = np.cumsum(np.take_along_axis(relevant, order, 1), axis=1)
    sizes = relevant.sum(1)
    top = hits[np.arange(len(hits)), np.maximum(sizes, 1) - 1]
    return np.divide(top, sizes, out=np.full(len(hits), np.nan), where=sizes > 0)


def pointing_game(scores: Any, relevance: Any) -> np.ndarray:
    """1 for each sample whose most attended cell is relevant, else 0 (Zhang et al., 2018,
    arXiv:1608.00507).

    Arguments are those of `relevance_mass_accuracy`.
    """
    weights, relevant = _rows(scores, relevance)
    return relevant[np.arange(len(weights)), weights.argmax(1)].astype("float64")
