"""What happens to the answer when the parts that count are taken away, or left alone?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.capture.inference import predict
from attention_zoo.capture.outputs import are_probabilities, output_index, output_values
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.metrics.input_gradients import one_input
from attention_zoo.metrics.perturbation import Ranking, replacement_values, share

#: The shares that DeYoung et al. average over.
FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.5)

#: How many batches are made at once.
_BATCHES = 16


@by_identity
class Erasure(NamedTuple):
    """A measure of each sample, `(samples,)`, and its control.

    Attributes:
        scores: of the ranking that was given.
        random: of random rankings of the same parts, with the same values put in their place.
    """

    scores: np.ndarray
    random: np.ndarray


@by_identity
class Curve(NamedTuple):
    """The answer while more and more of each sample is erased, or shown.

    Attributes:
        fractions: of the parts, from 0 to 1, `(points,)`.
        scores: how much of the answer is left, `(samples, points)`, by the given ranking.
        random: the same by random rankings.
    """

    fractions: np.ndarray
    scores: np.ndarray
    random: np.ndarray

    @property
    def auc(self) -> Erasure:
        """The area under each sample's curve, by the trapezoidal rule."""
        widths = np.diff(self.fractions)
        scores, random = (
            (widths * (v[:, 1:] + v[:, :-1])).sum(1) / 2 for v in (self.scores, self.random)
        )
        return Erasure(scores, random)


def comprehensiveness(
    model: keras.Model, x: Any, scores: Any, *, fractions: float | Sequence[float] = FRACTIONS,
    replacement: str = "marginal", mask: Any = None, draws: int = 3, seed: int = 0,
    batch_size: int = 256, output: str | int | None = None,
) -> Erasure:  # fmt: skip
    """What the answer loses without its highest-ranked parts (DeYoung et al., 2020, ERASER,
    arXiv:1911.03429): high where they count.

        AOPC = mean over k of (p(x) - p(x without the top b_k))

    p is the probability of the class predicted on x; where the model's outputs are no
    probabilities it is minus their mean absolute distance from those on x; where it answers at
    every step, the mean over the steps. With one fraction it is comprehensiveness itself, with
    several its area over the perturbation curve. (The sum in the paper has one term more, that of
    b = 0.)

    An erased sample is no longer like those that the model was trained on, and part of what it
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
        output: the name or number of the output that is asked about, of a model with several.

    Returns:
        An `Erasure`: `(samples,)` of the scores, and of random rankings.

    Example:

    >>> from attention_zoo.metrics.faithfulness import comprehensiveness
    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> lost = comprehensiveness(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(lost.scores.mean() > 0.3 > lost.random.mean())
    True
    """
    options = replacement, mask, draws, seed, batch_size, output
    return _aopc(model, x, scores, fractions, False, *options)


def sufficiency(
    model: keras.Model, x: Any, scores: Any, *, fractions: float | Sequence[float] = FRACTIONS,
    replacement: str = "marginal", mask: Any = None, draws: int = 3, seed: int = 0,
    batch_size: int = 256, output: str | int | None = None,
) -> Erasure:  # fmt: skip
    """What the answer loses when only its highest-ranked parts are left (DeYoung et al., 2020,
    ERASER, arXiv:1911.03429): low where they are enough.

        AOPC = mean over k of (p(x) - p(only the top b_k of x))

    Arguments and result are those of `comprehensiveness`.
    """
    options = replacement, mask, draws, seed, batch_size, output
    return _aopc(model, x, scores, fractions, True, *options)


def deletion(
    model: keras.Model, x: Any, scores: Any, *, points: int = 11, replacement: str = "marginal",
    mask: Any = None, draws: int = 3, seed: int = 0, batch_size: int = 256,
    output: str | int | None = None,
) -> Curve:  # fmt: skip
    """The answer while the parts are erased, the highest-ranked first (Petsiuk, Das and Saenko,
    2018, RISE, arXiv:1806.07421); `deletion(...).auc` is low where the first ones count.

    Args:
        points: how many shares of the parts, evenly from 0 to 1.
        model, x, scores, replacement, mask, draws, seed, batch_size, output: see
            `comprehensiveness`.

    Returns:
        A `Curve` of p as `comprehensiveness` defines it, with that of random rankings.

    Example:

    >>> from attention_zoo.metrics.faithfulness import deletion
    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> curve = deletion(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(curve.auc.scores.mean() < curve.auc.random.mean())
    True
    """
    at = _grid(points)
    options = replacement, mask, draws, seed, batch_size, output
    return Curve(at, *_answered(model, x, scores, at, False, *options)[1:])


def insertion(
    model: keras.Model, x: Any, scores: Any, *, points: int = 11, replacement: str = "marginal",
    mask: Any = None, draws: int = 3, seed: int = 0, batch_size: int = 256,
    output: str | int | None = None,
) -> Curve:  # fmt: skip
    """The answer while the parts are put back, the highest-ranked first (Petsiuk, Das and Saenko,
    2018, RISE, arXiv:1806.07421); `insertion(...).auc` is high where the first ones suffice.

    Arguments and result are those of `deletion`.
    """
    at = _grid(points)
    options = replacement, mask, draws, seed, batch_size, output
    return Curve(at, *_answered(model, x, scores, at, True, *options)[1:])


def _grid(points: int) -> np.ndarray:
    checks.positive_int("points", points)
    if points < 2:
        raise ValueError(f"`points` must be at least 2: nothing and all. Received: points={points}")
    return np.linspace(0, 1, points)


def _aopc(model: Any, x: Any, scores: Any, fractions: Any, *options: Any) -> Erasure:
    shares = [fractions] if np.ndim(fractions) == 0 else list(fractions)
    for value in shares:
        share("fractions", value)
    if not shares:
        raise ValueError("`fractions` must name at least one share. Received: none")
    whole, *left = _answered(model, x, scores, shares, *options)
    return Erasure(*((whole[:, None] - v).mean(1) for v in left))


def _answered(
    model: Any, x: Any, scores: Any, fractions: Any, keep: bool, replacement: str, mask: Any,
    draws: int, seed: int, batch_size: int, output: str | int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """p of the whole samples, and `(samples, fractions)` of what each share leaves of it, by the
    scores and at random."""
    checks.positive_int("batch_size", batch_size)
    checks.positive_int("draws", draws)
    checks.seed("seed", seed)
    x = one_input(model, x)
    answer, whole = _answer(model, x, batch_size, output)
    found = np.zeros((2, len(x), len(fractions)))
    at_once = max(1, _BATCHES * batch_size // len(x))
    for state in np.random.SeedSequence(seed).generate_state(3 * draws).reshape(draws, 3):
        for_values, for_ties, for_chance = (int(number) for number in state)
        values = replacement_values(x, replacement, mask=mask, seed=for_values)
        chance = np.random.default_rng(for_chance).random(np.shape(scores))
        rankings = Ranking(x, scores, mask, for_ties), Ranking(x, chance, mask)
        jobs = [(by, number) for by in (0, 1) for number in range(len(fractions))]
        for first in range(0, len(jobs), at_once):
            some = jobs[first : first + at_once]
            erased = []
            for by, number in some:
                top = rankings[by].top(fractions[number])
                erased.append(np.where(rankings[by].cells & ~top if keep else top, values, x))
            for (by, number), left in zip(some, answer(np.concatenate(erased)), strict=True):
                found[by, :, number] += left / draws
    return whole, found[0], found[1]


def _answer(
    model: keras.Model, x: np.ndarray, batch_size: int, output: str | int | None
) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """What tells how much of the answer on x is left on other samples, some copies of x after
    each other: `(copies, samples)`; and that of x itself, `(samples,)`."""
    predictions = predict(model, x, batch_size)
    index = output_index(model, output, predictions)
    first = output_values(predictions, index)
    probabilities = are_probabilities(model, first, index)
    chosen = first.argmax(-1)[None, ..., None]

    def left(answered: np.ndarray) -> np.ndarray:
        answered = answered.reshape(-1, *first.shape)
        if not probabilities:
            return -np.abs(answered - first).mean((2, 3))
        if first.shape[-1] == 1:
            return np.where(first > 0.5, answered, 1 - answered).mean((2, 3))
        return np.take_along_axis(answered, chosen, 3).mean((2, 3))

    def answer(copies: np.ndarray) -> np.ndarray:
        return left(output_values(predict(model, copies, batch_size), index))

    return answer, left(first)[0]
