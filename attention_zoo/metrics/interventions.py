"""Interchange interventions: does the prediction of another sample come along with its inputs?"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import ArrayLike

from attention_zoo.capture.inference import predict
from attention_zoo.capture.outputs import output_index, output_values, total_variation
from attention_zoo.core import arrays, checks
from attention_zoo.core.identity import by_identity
from attention_zoo.metrics.input_gradients import one_input
from attention_zoo.metrics.perturbation import Ranking, over_variants, share

#: With how many other samples a prediction is compared.
_OTHERS = 64


@by_identity
class Interchange(NamedTuple):
    """How much of a sample's prediction moves with some of its inputs.

    Attributes:
        scores: of the highest-scored parts, `(samples,)`: the mean is about 1 where the whole
            prediction goes with them, and about 0 where none of it does.
        random: of as many random parts, with their neighbors if the others have theirs.
    """

    scores: np.ndarray
    random: np.ndarray


def interchange(
    model: keras.Model,
    x: Any,
    scores: ArrayLike,
    *,
    mass: float = 0.9,
    neighbors: int = 0,
    mask: ArrayLike | None = None,
    draws: int = 12,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> Interchange:
    """Whether the prediction of another sample comes along with its highest-scored parts: an
    interchange intervention (Geiger, Lu, Icard and Potts, 2021, arXiv:2106.02997) on the inputs.

    ```
    h = x[i] with the parts S of x[j],    S = the top parts of x[i] and those of x[j]
    moved = E |f(h) - f(x[k])| - E |f(h) - f(x[j])|,    k any other sample
    result = moved / E |f(x[i]) - f(x[k])|
    ```

    All that is replaced comes from one real sample, so that the parts fit each other (values of
    the joint distribution, not of the marginals), and the question is not whether the prediction
    changes, but whether it becomes that of the other sample. A model that predicts from elsewhere
    and only notices that its input was touched loses its prediction in `comprehensiveness`; here it
    gets 0, whatever it predicts then: parts that do not tell x[j]'s prediction cannot bring it
    along.

    It does not show by which way the parts act on the output: a model may use the parts that it
    attends to without its attention.

    Args:
        model, scores, batch_size, output: as in `comprehensiveness`; the scores are at least 0.
        x: an array `(samples, ...)` that fits the model's input, floats or tokens; two or more.
        mass: the top parts are the fewest that hold this share of a sample's scores.
        neighbors: how many steps on each side of the top parts go with them, along the axis after
            the samples: a state after a recurrent layer tells of the steps before it, and a step
            may have its meaning from the one beside it.
        mask: booleans of x's leading axes, False on padding; what is padding in either sample is
            not replaced.
        draws: with how many other samples each is paired.
        seed: of the draws.

    Returns:
        An `Interchange`. The value of a sample is its part of the mean, as the one that is changed
        and as the one that is taken from; where all predictions are equal it is NaN.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `comprehensiveness`, for scores below 0 and for fewer than two samples.

    Example:

    >>> model = az.load("dense")
    >>> x = az.tasks.get("planted_feature").sample(200, split="test").x
    >>> moved = az.metrics.interchange(model, x, az.attention_scores(model, x)["attention"])
    >>> bool(moved.scores.mean() > 0.9 and moved.random.mean() < 0.2)
    True
    """
    share("mass", mass)
    checks.positive_int("batch_size", batch_size)
    checks.positive_int("draws", draws)
    checks.natural("neighbors", neighbors)
    checks.seed("seed", seed)
    x = one_input(model, x)
    if len(x) < 2:
        raise ValueError(
            f"`x` must have at least 2 samples, to exchange inputs. Received: {len(x)}"
        )
    rng = np.random.default_rng(seed)
    ranking = Ranking(x, scores, mask, int(rng.integers(2**31)))
    top = _top(ranking, arrays.numeric("scores", scores), mass)
    predictions = predict(model, x, batch_size)
    index = output_index(model, output, predictions)
    own = output_values(predictions, index)
    others = rng.permutation(np.arange(1, len(x)))[:_OTHERS]
    apart = np.mean([total_variation(own, np.roll(own, n, axis=0)) for n in others])
    if not apart > 0:
        return Interchange(np.full(len(x), np.nan), np.full(len(x), np.nan))
    donors = [_cycle(len(x), rng) for _ in range(draws)]
    moved, compared = np.zeros((2, 2, draws, len(x)))
    jobs = [(by, draw) for draw in range(draws) for by in (0, 1)]

    def mixed(by: int, draw: int) -> np.ndarray:
        taken = _parts(ranking, top, donors[draw], neighbors, rng if by else None)
        cells = ranking.cells_of(taken) & ranking.cells[donors[draw]]
        return np.where(cells, x[donors[draw]], x)

    def predicted(variants: np.ndarray) -> np.ndarray:
        values = output_values(predict(model, variants, batch_size), index)
        return values.reshape(-1, *own.shape)

    after = over_variants(predicted, (mixed(*job) for job in jobs), batch_size)
    for (by, draw), values in zip(jobs, after, strict=True):
        away = [total_variation(values, np.roll(own, n, axis=0)) / apart for n in others]
        near = total_variation(values, own[donors[draw]]) / apart
        moved[by, draw] = np.mean(away, axis=0) - near
        back = [np.roll(off, -n) for off, n in zip(away, others, strict=True)]
        compared[by, draw] = np.mean(back, axis=0)
    return Interchange(*(_by_sample(*both, donors) for both in zip(moved, compared, strict=True)))


def _top(ranking: Ranking, scores: np.ndarray, mass: float) -> np.ndarray:
    """The fewest parts that hold this share of each sample's scores, `(samples, parts)`."""
    rows = np.where(ranking.parts, scores.reshape(ranking.parts.shape), 0).astype("float64")
    if (rows < 0).any():
        raise ValueError(f"`scores` must be at least 0. Received: {rows.min():g}")
    ordered = np.zeros(rows.shape)
    np.put_along_axis(ordered, ranking.place.astype("int64"), rows, axis=1)
    # What is held before each part, in their order
    before = np.cumsum(ordered, axis=1) - ordered
    needed = (before < mass * rows.sum(1, keepdims=True) * (1 - 1e-6)).sum(1)
    return (ranking.place < needed[:, None]) & ranking.parts


def _parts(
    ranking: Ranking,
    top: np.ndarray,
    donors: np.ndarray,
    neighbors: int,
    rng: np.random.Generator | None,
) -> np.ndarray:
    """The top parts of each sample and of its donor that both have; with a generator, as many
    random ones."""
    both = ranking.parts & ranking.parts[donors]
    taken = (top | top[donors]) & both
    if rng is not None:
        keys = np.where(both, rng.random(both.shape), 2.0)
        taken = (keys.argsort(axis=1).argsort(axis=1) < taken.sum(1)[:, None]) & both
    steps = taken.reshape(len(taken), ranking.shape[1], -1)
    wide = steps.copy()
    for off in range(1, min(neighbors, steps.shape[1] - 1) + 1):
        wide[:, off:] |= steps[:, :-off]
        wide[:, :-off] |= steps[:, off:]
    return wide.reshape(taken.shape) & both


def _cycle(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Another sample for each, so that each is taken once."""
    order = rng.permutation(samples)
    donors = np.empty(samples, "int64")
    donors[order] = np.roll(order, 1)
    return donors


def _by_sample(moved: np.ndarray, compared: np.ndarray, donors: list[np.ndarray]) -> np.ndarray:
    """What each sample adds to the mean, as the one changed, the one taken from and one that is
    compared with: their spread is that of the mean over other samples, which that of pairs is
    not."""
    taken_from = np.zeros(moved.shape)
    for draw, donor in enumerate(donors):
        taken_from[draw, donor] = moved[draw]
    parts = (moved, taken_from, compared)
    return sum(part.mean(0) - part.mean() for part in parts) + moved.mean()
