"""Divergences between distributions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

#: The largest Jensen-Shannon divergence there is, that of distributions that share nothing.
LARGEST = float(np.log(2))


def jensen_shannon_divergence(p: Any, q: Any, axis: int = -1) -> np.ndarray:
    """The Jensen-Shannon divergence, in nats (Lin, 1991, IEEE Transactions on Information Theory
    37).

    ```
    JSD(p, q) = KL(p || m) / 2 + KL(q || m) / 2,    m = (p + q) / 2
    ```

    Args:
        p, q: weights of at least 0, of one shape; each is divided by its sum over `axis`.
        axis: the axis that is a distribution.

    Returns:
        The divergences, without that axis: 0 where p and q are equal, log 2 = .693 where they
        share nothing. Two fully masked rows, all 0, are equal; NaN where only one of them is.

    Raises:
        ValueError: for shapes that differ, and weights that are negative or not finite.

    Example:

    >>> az.metrics.jensen_shannon_divergence([[0.5, 0.5], [1, 0]], [[0.5, 0.5], [0, 1]]).round(3)
    array([0.   , 0.693])
    """
    p, q = np.asarray(p, "float64"), np.asarray(q, "float64")
    if p.ndim == 0 or p.shape != q.shape:
        raise ValueError(f"`p` and `q` must have one shape. Received: {p.shape} and {q.shape}")
    for name, weights in (("p", p), ("q", q)):
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(f"`{name}` must be finite and at least 0. Received: {weights.min()}")
    sums = p.sum(axis), q.sum(axis)
    p, q = (_over(weights, weights.sum(axis, keepdims=True)) for weights in (p, q))
    # Not SciPy's jensenshannon: as fast here, and the default install has no SciPy
    middle = (p + q) / 2
    result = (_entropies(middle) - (_entropies(p) + _entropies(q)) / 2).sum(axis)
    result = np.where((sums[0] > 0) != (sums[1] > 0), np.nan, result)
    return np.clip(result, 0.0, LARGEST)


def divergence_over_seeds(scores: Sequence[Any], axis: int = -1) -> np.ndarray:
    """The mean Jensen-Shannon divergence of the attention of models that differ in their seed,
    over all pairs of them (Wiegreffe and Pinter, 2019, arXiv:1908.04626, section 4).

    Models with the same predictions and other attention show that the predictions do not fix the
    attention; such scores tell of a run rather than of the data.

    Args:
        scores: those of two or more models on the same samples, each `(samples, ...)`.
        axis: the attended axis.

    Returns:
        `(samples,)`: the mean over the pairs, and over the axes that are not attended.

    Raises:
        ValueError: for fewer than two models, scores of different shapes, and scores that are
            negative or not finite.

    Example:

    >>> az.metrics.divergence_over_seeds([[[0.9, 0.1]], [[0.9, 0.1]], [[0.1, 0.9]]]).round(3)
    array([0.245])
    """
    if len(scores) < 2:
        raise ValueError(f"`scores` must be those of at least 2 models. Received: {len(scores)}")
    pairs = [jensen_shannon_divergence(a, b, axis) for a, b in itertools.combinations(scores, 2)]
    every = np.stack(pairs, axis=1)
    return every.reshape(len(every), -1).mean(1)


def _entropies(p: np.ndarray) -> np.ndarray:
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)
    return -p * logs


def _over(weights: np.ndarray, sums: np.ndarray) -> np.ndarray:
    return np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
