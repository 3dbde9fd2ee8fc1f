"""Rank correlations over the last axis, of many rankings at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.core.identity import by_identity

# Not SciPy's kendalltau: not in the default install, and 100 ms for 200 rows of 20, here 0.4
#: How many pairs of ranked values are held at once.
_PAIRS = 2**21


def kendall_tau(a: ArrayLike, b: ArrayLike, mask: ArrayLike | None = None) -> np.ndarray:
    """Kendall's tau-b of two rankings (Kendall, 1945, Biometrika 33).

    ```
    tau_b = (C - D) / sqrt((n - ties in a) (n - ties in b))
    ```

    over the n pairs of indices, of which C are in the same order in both rankings and D in
    opposite orders; a pair that is tied in either is in neither.

    Args:
        a, b: numbers, `(..., indices)`, of one shape.
        mask: booleans of that shape; only what is True is ranked.

    Returns:
        `(...)`, float64 in [-1, 1]: 1 for the same order, about 0 for orders that have nothing to
        do with each other. NaN where a or b is constant or ranks fewer than two indices: what
        puts nothing before anything neither agrees nor disagrees with an order.

    Raises:
        ValueError: for shapes that differ, or numbers that are not finite.

    Example:

    >>> az.metrics.kendall_tau([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.2, 0.2, 0.2]], [[3, 2, 1]] * 3)
    array([ 1., -1., nan])
    """
    a, b, ranked = _rankings(a, b, mask)
    result = np.full(a.shape[:-1], np.nan)
    for rows, of_a, of_b in _orders(a, b, ranked):
        agreed = np.einsum("rij,rij->r", of_a, of_b)
        untied = np.einsum("rij,rij->r", of_a, of_a) * np.einsum("rij,rij->r", of_b, of_b)
        result.reshape(-1)[rows] = _quotient(agreed, untied)
    return result


def spearman_rho(a: ArrayLike, b: ArrayLike, mask: ArrayLike | None = None) -> np.ndarray:
    """Spearman's rank correlation: Pearson's of the ranks, where tied values share the mean of
    theirs (Spearman, 1904, American Journal of Psychology 15).

    Args:
        a, b, mask: as in `kendall_tau`.

    Returns:
        `(...)`, float64 in [-1, 1]; NaN where a or b is constant or ranks fewer than two indices.

    Raises:
        ValueError: for shapes that differ, or numbers that are not finite.

    Example:

    >>> az.metrics.spearman_rho([[0.7, 0.2, 0.1, 0.0]], [[4, 3, 1, 2]]).round(3)
    array([0.8])
    """
    a, b, ranked = _rankings(a, b, mask)
    a, b = _centered_ranks(a, ranked), _centered_ranks(b, ranked)
    return _quotient((a * b).sum(-1), (a**2).sum(-1) * (b**2).sum(-1))


def _centered_ranks(values: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """The ranks about their mean, ties sharing the mean of theirs; 0 for what is not ranked."""
    rows = np.where(ranked, values, np.inf)
    order = np.argsort(rows, axis=-1)
    rows = np.take_along_axis(rows, order, axis=-1)
    places = np.broadcast_to(np.arange(rows.shape[-1]), rows.shape)
    changes = rows[..., 1:] != rows[..., :-1]
    edge = np.ones((*rows.shape[:-1], 1), bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, changes], -1), places, 0), axis=-1)
    last = np.where(np.concatenate([changes, edge], -1), places, rows.shape[-1])
    last = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=-1)
    return np.where(ranked, ranks - (ranked.sum(-1, keepdims=True) - 1) / 2, 0.0)


@by_identity
class Agreement(NamedTuple):
    """Kendall's tau-b of each sample, `(samples,)`; NaN where one of the two ranks nothing.

    Attributes:
        with_leave_one_out: of attention and the change of the prediction without each input.
        with_gradients: of attention and the gradients.
        control: of those two, which is as much as attention can be asked for.
    """

    with_leave_one_out: np.ndarray
    with_gradients: np.ndarray
    control: np.ndarray


def agreement(
    attention: ArrayLike,
    leave_one_out: ArrayLike,
    gradients: ArrayLike,
    mask: ArrayLike | None = None,
) -> Agreement:
    """Kendall's tau of attention with leave-one-out and with gradients, and of those two (Jain
    and Wallace, 2019, arXiv:1902.10186, section 4.1).

    Neither of the two is the truth, and they need not agree with each other: attention that agrees
    with both as well as they do (the control) passes this test, and one that falls far below the
    control does not rank the inputs by their effect on the output. Signs do not count for
    attention, which has none: give magnitudes.

    Args:
        attention: scores, `(samples, indices)`.
        leave_one_out: how far the prediction moves without each index, `(samples, indices)`.
        gradients: how strongly the prediction depends on each index, `(samples, indices)`.
        mask: booleans of that shape; what is False, such as padding, is not ranked.

    Returns:
        An `Agreement`.

    Raises:
        ValueError: for shapes that differ, or numbers that are not finite.

    Example:

    >>> found = az.metrics.agreement([[0.6, 0.3, 0.1]], [[0.5, 0.4, 0.0]], [[1.0, 3.0, 2.0]])
    >>> found.with_leave_one_out
    array([1.])
    """
    return Agreement(
        kendall_tau(attention, leave_one_out, mask),
        kendall_tau(attention, gradients, mask),
        kendall_tau(leave_one_out, gradients, mask),
    )


def _rankings(
    a: ArrayLike, b: ArrayLike, mask: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    ranked = np.ones(a.shape, bool) if mask is None else np.asarray(mask, bool)
    if a.ndim == 0 or not a.shape == b.shape == ranked.shape:
        raise ValueError(
            "Rankings and their mask must have one shape (..., indices). "
            f"Received: {a.shape}, {b.shape}, mask {None if mask is None else ranked.shape}"
        )
    a, b = np.where(ranked, a, 0.0), np.where(ranked, b, 0.0)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("Rankings must be finite. Received: NaN or infinite values")
    return a, b, ranked


def _orders(
    a: np.ndarray, b: np.ndarray, ranked: np.ndarray
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """The signs of the differences of all pairs, of as many rankings as fit: -1, 0 or 1."""
    size = a.shape[-1]
    count = int(np.prod(a.shape[:-1]))
    a, b, ranked = (array.reshape(count, size) for array in (a, b, ranked))
    step = max(1, _PAIRS // max(1, size * size))
    for start in range(0, len(a), step):
        rows = slice(start, start + step)
        pairs = (ranked[rows, :, None] & ranked[rows, None, :]).astype("float64")
        yield rows, *(np.sign(v[rows, :, None] - v[rows, None, :]) * pairs for v in (a, b))


def _quotient(part: np.ndarray, squared: np.ndarray) -> np.ndarray:
    return np.divide(
        part, np.sqrt(squared), out=np.full(np.shape(part), np.nan), where=squared > 0
    ).clip(-1, 1)
