"""Rank correlations over the last axis, of many rankings at once, and what they say of attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from attention_zoo.core.identity import by_identity

#: How many pairs of ranked values are held at once.
_PAIRS = 2**21


def kendall_tau(a: Any, b: Any, mask: Any = None) -> np.ndarray:
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

    >>> from attention_zoo.metrics import kendall_tau
    >>> kendall_tau([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.2, 0.2, 0.2]], [[3, 2, 1]] * 3)
    array([ 1., -1., nan])
    """
    a, b, seen = _rankings(a, b, mask)
    result = np.full(a.shape[:-1], np.nan)
    for rows, of_a, of_b in _orders(a, b, seen):
        agreed = np.einsum("rij,rij->r", of_a, of_b)
        untied = np.einsum("rij,rij->r", of_a, of_a) * np.einsum("rij,rij->r", of_b, of_b)
        result.reshape(-1)[rows] = _quotient(agreed, untied)
    return result


def spearman_rho(a: Any, b: Any, mask: Any = None) -> np.ndarray:
    """Spearman's rank correlation: Pearson's of the ranks, where tied values share the mean of
    theirs (Spearman, 1904, American Journal of Psychology 15).

    Arguments and result are those of `kendall_tau`, NaN included.

    Example:

    >>> from attention_zoo.metrics import spearman_rho
    >>> spearman_rho([[0.7, 0.2, 0.1, 0.0]], [[4, 3, 1, 2]]).round(3)
    array([0.8])
    """
    a, b, seen = _rankings(a, b, mask)
    result = np.full(a.shape[:-1], np.nan)
    for rows, of_a, of_b in _orders(a, b, seen):
        # How many are smaller less how many are larger: twice the rank, about its mean
        ranks_a, ranks_b = of_a.sum(2), of_b.sum(2)
        squares = (ranks_a**2).sum(1) * (ranks_b**2).sum(1)
        result.reshape(-1)[rows] = _quotient((ranks_a * ranks_b).sum(1), squares)
    return result


@by_identity
class Agreement(NamedTuple):
    """Kendall's tau-b of each sample, `(samples,)`; NaN where one of the two ranks nothing.

    Attributes:
        with_leave_one_out: of attention and the change of the answer without each input.
        with_gradients: of attention and the gradients.
        control: of those two, which is as much as attention can be asked for.
    """

    with_leave_one_out: np.ndarray
    with_gradients: np.ndarray
    control: np.ndarray


def agreement(attention: Any, leave_one_out: Any, gradients: Any, mask: Any = None) -> Agreement:
    """Kendall's tau of attention with leave-one-out and with gradients, and of those two (Jain
    and Wallace, 2019, arXiv:1902.10186, section 4.1).

    Neither of the two is the truth, and they need not agree with each other: attention that agrees
    with both as well as they do (the control) passes this test, and one that falls far below the
    control does not rank the inputs by their effect on the answer. Signs do not count for
    attention, which has none: give magnitudes.

    Args:
        attention: scores, `(samples, indices)`.
        leave_one_out: how far the answer moves without each index, `(samples, indices)`.
        gradients: how strongly the answer depends on each index, `(samples, indices)`.
        mask: booleans of that shape; what is False, such as padding, is not ranked.

    Returns:
        An `Agreement`.

    Raises:
        ValueError: for shapes that differ, or numbers that are not finite.

    Example:

    >>> from attention_zoo.metrics import agreement
    >>> agreement([[0.6, 0.3, 0.1]], [[0.5, 0.4, 0.0]], [[1.0, 3.0, 2.0]]).with_leave_one_out
    array([1.])
    """
    return Agreement(
        kendall_tau(attention, leave_one_out, mask),
        kendall_tau(attention, gradients, mask),
        kendall_tau(leave_one_out, gradients, mask),
    )


def _rankings(a: Any, b: Any, mask: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    seen = np.ones(a.shape, bool) if mask is None else np.asarray(mask, bool)
    if a.ndim == 0 or not a.shape == b.shape == seen.shape:
        raise ValueError(
            "Rankings and their mask must have one shape (..., indices). "
            f"Received: {a.shape}, {b.shape}, mask {None if mask is None else seen.shape}"
        )
    a, b = np.where(seen, a, 0.0), np.where(seen, b, 0.0)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("Rankings must be finite. Received: NaN or infinite values")
    return a, b, seen


def _orders(
    a: np.ndarray, b: np.ndarray, seen: np.ndarray
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """The signs of the differences of all pairs, of as many rankings as fit: -1, 0 or 1."""
    size = a.shape[-1]
    count = int(np.prod(a.shape[:-1]))
    a, b, seen = (array.reshape(count, size) for array in (a, b, seen))
    step = max(1, _PAIRS // max(1, size * size))
    for start in range(0, len(a), step):
        rows = slice(start, start + step)
        pairs = (seen[rows, :, None] & seen[rows, None, :]).astype("float64")
        yield rows, *(np.sign(v[rows, :, None] - v[rows, None, :]) * pairs for v in (a, b))


def _quotient(part: np.ndarray, squared: np.ndarray) -> np.ndarray:
    return np.divide(
        part, np.sqrt(squared), out=np.full(len(part), np.nan), where=squared > 0
    ).clip(-1, 1)
