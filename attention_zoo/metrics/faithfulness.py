"""Faithfulness: what the output loses without its highest-ranked parts, or with them alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.capture.inference import predict
from attention_zoo.capture.outputs import are_probabilities, output_index, output_values
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.metrics.input_gradients import one_input
from attention_zoo.metrics.perturbation import Ranking, over_variants, replacement_values, share

#: The shares that DeYoung et al. average over.
FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.5)


@by_identity
class Faithfulness(NamedTuple):
    """A metric of each sample, `(samples,)`, and its control.

    Attributes:
        scores: of the ranking that was given.
        random: of random rankings of the same parts, with the same values put in their place.
    """

    scores: np.ndarray
    random: np.ndarray


def comprehensiveness(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    *,
    fractions: float | Sequence[float] = FRACTIONS,
    replacement: str = "marginal",
    mask: ArrayLike | None = None,
    draws: int = 3,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Faithfulness:
    """What the prediction loses without its highest-ranked parts (DeYoung et al., 2020, ERASER,
    arXiv:1911.03429): high where they count.

        AOPC = mean over k of (p(x) - p(x without the top b_k))

    p is the probability of the class predicted on x; where the model's outputs are no
    probabilities it is minus their mean absolute distance from those on x; where it has an output
    at every step, the mean over the steps. With one fraction it is comprehensiveness itself, with
    several its area over the perturbation curve. (The sum in the paper has one term more, that of
    b = 0.)

    A perturbed sample is no longer like those that the model was trained on, and part of what it
    loses is owed to that: the random ranking says how much.

    Args:
        model: a built Keras model of one input; it needs no attention.
        x: an array `(samples, ...)` that fits the model's input, floats or tokens.
        scores: how much each part counts, attention or any other: the shape of x, or its leading
            axes, or with 1 for an axis whose cells go together. Chance decides between equals.
        fractions: the b_k, shares of each sample's parts, rounded up.
        replacement: `"marginal"`, drawn from the other samples at the same cell, `"mean"` or
            `"zero"`: see `replacement_values`.
        mask: booleans of x's leading axes, False on padding, which is no part.
        draws: how many draws of replacements and of random rankings are averaged over.
        seed: of the draws.
        batch_size: how many samples go through at once.
        output: the name or number of the output that is meant, of a model with several.

    Returns:
        A `Faithfulness`: `(samples,)` of the scores, and of random rankings.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: if the model is not built or has several inputs, x, the scores or the mask does
            not fit, for an unknown replacement or output, and as `replacement_values`.

    Example:

    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> lost = az.metrics.comprehensiveness(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(lost.scores.mean() > 0.3 > lost.random.mean())
    True
    """
    options = replacement, mask, draws, seed, batch_size, output
    return mean_over_fractions(model, x, scores, fractions, False, *options)


def sufficiency(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    *,
    fractions: float | Sequence[float] = FRACTIONS,
    replacement: str = "marginal",
    mask: ArrayLike | None = None,
    draws: int = 3,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Faithfulness:
    """What the prediction loses when only its highest-ranked parts are left (DeYoung et al., 2020,
    ERASER, arXiv:1911.03429): low where they are enough.

        AOPC = mean over k of (p(x) - p(only the top b_k of x))

    p is as in `comprehensiveness`.

    Args:
        model, x, scores, fractions, replacement: as in `comprehensiveness`.
        mask, draws, seed, batch_size, output: as in `comprehensiveness`.

    Returns:
        A `Faithfulness`: `(samples,)` of the scores, and of random rankings.

    Raises:
        TypeError, ValueError: as `comprehensiveness`.

    Example:

    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> lost = az.metrics.sufficiency(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(lost.scores.mean() < lost.random.mean())
    True
    """
    options = replacement, mask, draws, seed, batch_size, output
    return mean_over_fractions(model, x, scores, fractions, True, *options)


def mean_over_fractions(
    model: Any, x: Any, scores: Any, fractions: Any, *options: Any
) -> Faithfulness:
    """Return what is lost of the prediction, over the mean of the fractions."""
    shares = [fractions] if np.ndim(fractions) == 0 else list(fractions)
    for value in shares:
        share("fractions", value)
    if not shares:
        raise ValueError("`fractions` must name at least one share. Received: none")
    whole, *left = remaining_prediction(model, x, scores, shares, *options)
    return Faithfulness(*((whole[:, None] - v).mean(1) for v in left))


def remaining_prediction(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    fractions: Sequence[float] | np.ndarray,
    keep: bool,
    replacement: str,
    mask: ArrayLike | None,
    draws: int,
    seed: int,
    batch_size: int,
    output: str | int | None,
    raw: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return p of the whole samples, or the output of the predicted class as it is if `raw`, and
    `(samples, fractions)` of what each share leaves of it, by the scores and at random."""
    checks.positive_int("batch_size", batch_size)
    checks.positive_int("draws", draws)
    checks.seed("seed", seed)
    x = one_input(model, x)
    remaining, whole = _prediction(model, x, batch_size, output, raw)
    total = np.zeros((2, len(x), len(fractions)))
    jobs = [(by, number) for by in (0, 1) for number in range(len(fractions))]
    for state in np.random.SeedSequence(seed).generate_state(3 * draws).reshape(draws, 3):
        for_values, for_ties, for_chance = (int(number) for number in state)
        values = replacement_values(x, replacement, mask=mask, seed=for_values)
        chance = np.random.default_rng(for_chance).random(np.shape(scores))
        rankings = Ranking(x, scores, mask, for_ties), Ranking(x, chance, mask)
        perturbed = (_perturbed(x, values, rankings[by], fractions[n], keep) for by, n in jobs)
        for (by, n), left in zip(
            jobs, over_variants(remaining, perturbed, batch_size), strict=True
        ):
            total[by, :, n] += left
    by_scores, at_random = total / draws
    return whole, by_scores, at_random


def _perturbed(
    x: np.ndarray, values: np.ndarray, ranking: Ranking, fraction: float, keep: bool
) -> np.ndarray:
    top = ranking.top(fraction)
    return np.where(ranking.cells & ~top if keep else top, values, x)


def _prediction(
    model: keras.Model, x: np.ndarray, batch_size: int, output: str | int | None, raw: bool
) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """Return a function of variants of x, one after another, to how much of the prediction on x is
    left on them, `(variants, samples)`; and that of x itself, `(samples,)`."""
    predictions = predict(model, x, batch_size)
    index = output_index(model, output, predictions)
    first = output_values(predictions, index)
    probabilities = are_probabilities(model, first, index)
    chosen = first.argmax(-1)[None, ..., None]

    def left(predicted: np.ndarray) -> np.ndarray:
        predicted = predicted.reshape(-1, *first.shape)
        if raw and first.shape[-1] == 1:
            return np.where(first > 0.5 * probabilities, predicted, -predicted).mean((2, 3))
        if not probabilities and not raw:
            return -np.abs(predicted - first).mean((2, 3))
        if first.shape[-1] == 1:
            return np.where(first > 0.5, predicted, 1 - predicted).mean((2, 3))
        return np.take_along_axis(predicted, chosen, 3).mean((2, 3))

    def remaining(variants: np.ndarray) -> np.ndarray:
        return left(output_values(predict(model, variants, batch_size), index))

    return remaining, left(first)[0]
