"""Perturbation: samples with other values in the place of some of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.core import arrays, checks
from attention_zoo.core.registry import one_of

#: What takes the place of a value: one of other samples at the same cell, their mean, or 0.
REPLACEMENTS = ("marginal", "mean", "zero")

#: How many cells are drawn or ranked at once, which bounds the memory beside the data.
_CELLS = 2_000_000

#: How many batches of perturbed samples are made at once.
BATCHES = 16


def replacement_values(
    x: ArrayLike, replacement: str = "marginal", *, mask: ArrayLike | None = None, seed: int = 0
) -> np.ndarray:
    """A value to put in the place of each of x, as an array of its shape. Values drawn from the
    marginal keep each cell likely (as in Covert, Lundberg and Lee, 2021, arXiv:2011.14878).

    Args:
        x: numbers, `(samples, ...)`.
        replacement: `"marginal"`, for each cell the value that another sample has there, drawn
            for each cell separately: it is likely by itself, but fits nothing else. `"mean"` is
            the mean of the samples at that cell; `"zero"` is 0, which means something to many
            models.
        mask: booleans of x's leading axes, False on padding, whose values are never put anywhere
            and stay as they are.
        seed: of the draw.

    Returns:
        An array of the shape and dtype of x.

    Raises:
        ValueError: for an unknown replacement, a mask that does not fit, a single sample to draw
            from, or the mean of integers, such as tokens.

    Example:

    >>> az.metrics.replacement_values([[1.0, 2.0], [3.0, 4.0]], "mean")
    array([[2., 3.],
           [2., 3.]], dtype=float32)
    """
    x = arrays.numeric("x", x)
    if replacement not in REPLACEMENTS:
        raise one_of("replacement", replacement, REPLACEMENTS)
    visible = visible_cells(x, mask)
    checks.seed("seed", seed)
    if replacement == "zero":
        return np.where(visible, np.zeros((), x.dtype), x)
    if replacement == "mean":
        if x.dtype.kind != "f":
            raise ValueError(f"replacement='mean' needs an `x` of floats. Received: {x.dtype}")
        total = np.where(visible, x, 0).sum(0, dtype="float64")
        mean = total / np.maximum(visible.sum(0), 1)
        return np.where(visible, mean.astype(x.dtype), x)
    if len(x) < 2:
        raise ValueError(
            "replacement='marginal' draws from the other samples of `x`: at least 2 are needed. "
            f"Received: {len(x)}"
        )
    columns, shown = x.reshape(len(x), -1), visible.reshape(len(x), -1)
    rng = np.random.default_rng(seed)
    values = np.empty_like(columns)
    at_once = max(1, _CELLS // len(x))
    for start in range(0, columns.shape[1], at_once):
        some = slice(start, start + at_once)
        values[:, some] = _from_others(columns[:, some], shown[:, some], rng)
    values = values.reshape(x.shape)
    alone = visible & (visible.sum(0) == 1)
    if alone.any():
        # A step that no other sample reaches: a value of that feature from any step
        width = x.shape[-1] if x.ndim > 2 else 1
        by_feature, real = x.reshape(-1, width), visible.reshape(-1, width)
        drawn = [
            rng.choice(by_feature[real[:, f], f])
            for f in (np.nonzero(alone)[-1] if width > 1 else [0] * int(alone.sum()))
        ]
        values[alone] = np.asarray(drawn, x.dtype)
    return np.where(visible, values, x)


def _from_others(x: np.ndarray, visible: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each cell of `(samples, cells)` that of another sample that is visible there."""
    pick = (rng.random(x.shape) * (visible.sum(0) - 1)).astype("int64")
    # The place of the sample itself among the samples that are visible there is left out
    pick += pick >= np.cumsum(visible, axis=0) - 1
    order = np.argsort(~visible, axis=0, kind="stable")
    donors = np.take_along_axis(order, np.minimum(pick, len(x) - 1), axis=0)
    return np.take_along_axis(x, donors, axis=0)


def visible_cells(x: np.ndarray, mask: ArrayLike | None) -> np.ndarray:
    """A mask of x's leading axes as booleans of its shape; all True without one."""
    if mask is None:
        return np.broadcast_to(True, x.shape)
    mask = np.asarray(mask)
    if mask.dtype.kind not in "biu" or mask.shape != x.shape[: mask.ndim] or mask.ndim == 0:
        raise ValueError(
            f"`mask` must be booleans of the shape of x {x.shape}, or of its leading axes. "
            f"Received: {mask.dtype} {mask.shape}"
        )
    return np.broadcast_to(mask.astype(bool)[(...,) + (None,) * (x.ndim - mask.ndim)], x.shape)


def over_variants(
    function: Callable[[np.ndarray], np.ndarray], variants: Iterable[np.ndarray], batch_size: int
) -> Iterator[np.ndarray]:
    """Yield the value of a function on each variant of the samples.

    The function is called on some batches of variants at a time, concatenated, and returns an
    array whose first axis is the variants.
    """
    waiting: list[np.ndarray] = []
    for variant in variants:
        waiting.append(variant)
        if (len(waiting) + 1) * len(variant) > BATCHES * batch_size:
            yield from function(np.concatenate(waiting))
            waiting = []
    if waiting:
        yield from function(np.concatenate(waiting))


class Ranking:
    """The order in which the parts of each sample are replaced, the highest score first.

    Args:
        x: the samples, `(samples, ...)`.
        scores: how much each part counts, `(samples, ...)`: the shape of x, or its leading axes
            (a score a step replaces the whole step), or with 1 for an axis whose cells go
            together (`(samples, 1, features)`).
        mask: booleans of x's leading axes, False on padding, which is no part.
        seed: decides between parts of equal scores.
    """

    def __init__(
        self, x: np.ndarray, scores: ArrayLike, mask: ArrayLike | None = None, seed: int = 0
    ):
        scores = arrays.numeric("scores", scores)
        arrays.finite("scores", scores)
        checks.seed("seed", seed)
        leading = x.shape[: scores.ndim]
        fits = scores.ndim > 1 and scores.ndim <= x.ndim and len(scores) == len(x)
        if not fits or any(a not in (1, b) for a, b in zip(scores.shape, leading, strict=True)):
            raise ValueError(
                f"`scores` must have the shape of x {x.shape}, its leading axes, or 1 for an axis "
                f"whose cells go together. Received: {scores.shape}"
            )
        self.cells = visible_cells(x, mask)
        self.shape = scores.shape
        gone = tuple(
            i for i, size in enumerate(x.shape) if i >= scores.ndim or scores.shape[i] < size
        )
        #: Which parts there are, `(samples, parts)`.
        self.parts = parts = self.cells.any(axis=gone).reshape(len(x), -1)
        rows = scores.reshape(len(x), -1)
        rng = np.random.default_rng(seed)
        self.place = np.empty(rows.shape, "int32")
        at_once = max(1, _CELLS // rows.shape[1])
        for start in range(0, len(x), at_once):
            some = slice(start, start + at_once)
            keys = np.where(parts[some], -rows[some].astype("float64"), np.inf)
            order = np.lexsort((rng.random(keys.shape), keys), axis=-1)
            np.put_along_axis(self.place[some], order, np.arange(keys.shape[1])[None], axis=1)
        self.sizes = parts.sum(1)

    def top(self, fraction: float) -> np.ndarray:
        """The cells of the highest fraction of each sample's parts, rounded up: booleans of the
        shape of x."""
        count = np.ceil(fraction * self.sizes - 1e-9)
        return self.cells_of(self.place < count[:, None])

    def cells_of(self, parts: np.ndarray) -> np.ndarray:
        """The cells of some parts, booleans of the shape of x; `parts` is `(samples, parts)`."""
        chosen = parts.reshape(self.shape)
        axes = (None,) * (self.cells.ndim - chosen.ndim)
        return chosen[(..., *axes)] & self.cells


def perturb(
    x: ArrayLike,
    scores: ArrayLike,
    fraction: float,
    *,
    keep: bool = False,
    replacement: str = "marginal",
    mask: ArrayLike | None = None,
    seed: int = 0,
) -> np.ndarray:
    """x with the highest-scored fraction of each sample replaced, or all but that fraction, as the
    metrics of faithfulness do (DeYoung et al., 2020, arXiv:1911.03429).

    Args:
        x: numbers, `(samples, ...)`.
        scores: how much each part of a sample counts: the shape of x, or its leading axes (a
            score a step replaces whole steps), or with 1 for an axis whose cells go together.
            Ties are broken at random.
        fraction: of the parts of each sample, between 0 and 1, rounded up.
        keep: whether to replace all the others instead.
        replacement: `"marginal"`, `"mean"` or `"zero"`: see `replacement_values`. A zero can
            tell a model that was trained without zeros what was there, so it is not the default.
        mask: booleans of x's leading axes, False on padding, which is never touched.
        seed: of the draw.

    Returns:
        A new array of the shape of x.

    Raises:
        ValueError: for scores or a mask that do not fit x, a fraction that is not in [0, 1], and as
            `replacement_values`.

    Example:

    >>> az.metrics.perturb([[1.0, 2.0, 3.0]], [[0.1, 0.9, 0.5]], 0.3, replacement="zero")
    array([[1., 0., 3.]], dtype=float32)
    """
    x = arrays.numeric("x", x)
    share("fraction", fraction)
    chosen = Ranking(x, scores, mask, seed).top(fraction)
    values = replacement_values(x, replacement, mask=mask, seed=seed)
    return np.where(~chosen if keep else chosen, values, x)


def share(name: str, value: Any) -> None:
    """Refuse anything but a number in [0, 1]."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number in [0, 1]. Received: {name}={value!r}")
