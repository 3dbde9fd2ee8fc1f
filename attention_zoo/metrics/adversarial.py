"""Adversarial attention: the most different scores with the same prediction."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.capture.inputs import check_inputs
from attention_zoo.capture.outputs import output_index, output_values, total_variation
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.metrics.counterfactual import part_of, permuted, predict_each
from attention_zoo.metrics.distributions import Distributions, distributions
from attention_zoo.metrics.divergence import jensen_shannon_divergence


@by_identity
class Adversary(NamedTuple):
    """The result of `adversarial_attention`.

    Attributes:
        divergence: of the adversarial from the observed scores, `(samples,)`, at most log 2 = .693.
        control: the divergence of the most different scores that were tried, whatever the
            prediction.
        change: how far the prediction moves, `(samples,)`, at most the tolerance.
        scores: the adversarial scores, of the shape of the layer's.
    """

    divergence: np.ndarray
    control: np.ndarray
    change: np.ndarray
    scores: np.ndarray


def adversarial_attention(
    model: keras.Model,
    x: Any,
    layer: str | None = None,
    *,
    tolerance: float = 0.01,
    rounds: int = 20,
    candidates: int = 32,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Adversary:
    """The scores farthest from those observed at which the prediction is the same (Jain and
    Wallace, 2019, arXiv:1902.10186, section 4.2.2).

    ```
    maximize JSD(scores, observed)    where TVD(f(x, scores), f(x)) <= tolerance
    ```

    Where other scores give the same prediction, the observed ones are not the only account of it.
    That they exist does not show that training could find them (Wiegreffe and Pinter, 2019,
    arXiv:1908.04626).

    Jain and Wallace ascend the gradient. This is a search without one, the same on all backends.
    The first round tries scores that are all on one index, uniform, the observed ones in
    another order, or few at random. Every later round mixes the best so far with such others in
    random shares, and good ones with those of the first round in the shares at which the
    prediction, were it linear in the scores, would not move. The result is what is farthest from
    the observed scores and holds the tolerance. The model has predicted with it, so that the
    divergence is a lower bound of the largest.

    Args:
        model, x, layer, batch_size, output: as in `permutation_test`.
        tolerance: how far the prediction may move, as `permutation_test` measures it. Theirs is .01
            for probabilities of classes; other quantities have other scales.
        rounds: how many rounds.
        candidates: how many scores are tried in each round, for each sample.
        seed: of the draws.

    Returns:
        An `Adversary`. The divergence of a layer of several distributions a sample, such as
        heads or queries, is their mean.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `attention_scores` and `predict_with_scores`, for a tolerance that is not
            greater than 0, and where a model has several outputs and no `output` is named.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> found = az.metrics.adversarial_attention(az.load("dense"), x, rounds=2)
    >>> found.scores.shape, bool((found.change <= 0.01).all())
    ((5, 32), True)
    """
    checks.positive("tolerance", tolerance)
    checks.positive_int("rounds", rounds)
    checks.positive_int("candidates", candidates)
    checks.natural("seed", seed)
    captured = capture_scores(model, x, batch_size)
    own = distributions(captured, layer)
    index = output_index(model, output, captured.predictions)
    inputs, before = check_inputs(model, x), output_values(captured.predictions, index)
    options = index, tolerance, rounds, candidates, np.random.default_rng(seed)
    parts = [
        _search(model, part_of(inputs, some), own.take(some), before[some], *options)
        for some in own.portions(candidates)
    ]
    return Adversary(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _search(
    model: keras.Model,
    inputs: Any,
    own: Distributions,
    before: np.ndarray,
    index: int,
    tolerance: float,
    rounds: int,
    candidates: int,
    rng: np.random.Generator,
) -> Adversary:
    """Return the result of `adversarial_attention` for some of the samples."""
    samples = np.arange(len(own.rows))
    best = own.rows
    divergence, control, change = np.zeros((3, len(samples)))
    somewhere = own.visible.any(1)
    order = np.argsort(np.where(somewhere, rng.random(somewhere.shape), 2.0), axis=1)
    first: Any = None
    near: Any = None
    for number in range(rounds):
        if number == 0:
            tried = _others(own, order, 0, candidates, rng)
        else:
            half = candidates - candidates // 2
            others = _others(own, order, number * half, half, rng)
            mixed = best + rng.random((half, len(samples), 1, 1)) * (others - best)
            tried = np.concatenate([mixed, _balanced(near, first, candidates - half, rng)])
        after = predict_each(model, inputs, own, tried, index)
        moved, apart = total_variation(before, after), _divergence(own, tried)
        control = np.maximum(control, apart.max(0))
        chosen = np.where(moved <= tolerance, apart, -1.0).argmax(0)
        farther = (moved[chosen, samples] <= tolerance) & (apart[chosen, samples] > divergence)
        best = np.where(farther[:, None, None], tried[chosen, samples], best)
        divergence = np.where(farther, apart[chosen, samples], divergence)
        change = np.where(farther, moved[chosen, samples], change)
        worth = apart / np.maximum(1, moved / tolerance)
        latest = _Tried(tried, (after - before).reshape(*moved.shape, -1), worth)
        first = latest if first is None else first
        near = _nearest(latest if near is None else near, latest)
    return Adversary(divergence, control, change, own.as_scores(best).astype("float32"))


def _others(
    own: Distributions, order: np.ndarray, start: int, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return distributions over what is visible, `(count, samples, rows, indices)`: in turn all on
    the next index in `order`, in another order, few at random; the first is uniform."""
    some = own.visible & (own.sums > 0)
    rows = [own.uniform()]
    while len(rows) < count:
        index = order[:, (start + len(rows)) // 3 % order.shape[1], None, None]
        one = np.zeros(some.shape)
        np.put_along_axis(one, np.broadcast_to(index, (*some.shape[:2], 1)), 1.0, axis=-1)
        rows += [
            one,
            permuted(own.rows, own.visible, rng.random(own.rows.shape)),
            rng.gamma(0.2, size=some.shape),
        ]
    stacked = np.stack(rows[:count]) * some
    sums = stacked.sum(-1, keepdims=True)
    # A row that cannot see its index stays as it was
    return np.divide(stacked, sums, out=np.tile(own.rows, (count, 1, 1, 1)), where=sums > 0)


@by_identity
class _Tried(NamedTuple):
    """Rows that were tried, `(tried, samples, ...)`: how the prediction moves with them,
    and how good they are: far from the observed ones at a small move."""

    rows: np.ndarray
    moves: np.ndarray
    worth: np.ndarray


def _nearest(old: _Tried, new: _Tried) -> _Tried:
    """Return the best of both, as many as there are of the new."""
    both = [np.concatenate(parts) for parts in zip(old, new, strict=True)]
    best = np.argsort(-both[2], axis=0, kind="stable")[: len(new.rows)]
    return _Tried(*(part[best, np.arange(part.shape[1])] for part in both))


def _balanced(near: _Tried, first: _Tried, count: int, rng: np.random.Generator) -> np.ndarray:
    """Mixtures of one of the best and one of the first round, in the shares at which their moves
    would cancel if they were linear."""
    samples = np.arange(near.rows.shape[1])
    one, other = (rng.integers(len(t.rows), size=(count, len(samples))) for t in (near, first))
    move = near.moves[one, samples]
    apart = first.moves[other, samples] - move
    squared = (apart**2).sum(-1)
    share = -(move * apart).sum(-1)
    share = np.divide(share, squared, out=np.zeros_like(share), where=squared > 0).clip(0, 1)
    start, end = near.rows[one, samples], first.rows[other, samples]
    return start + share[..., None, None] * (end - start)


def _divergence(own: Distributions, tried: np.ndarray) -> np.ndarray:
    """The mean over the rows that attend to anything, `(sets, samples)`."""
    apart = jensen_shannon_divergence(tried, np.broadcast_to(own.rows, tried.shape))
    some = own.sums[..., 0] > 0
    return (apart * some).sum(-1) / np.maximum(some.sum(-1), 1)
