"""Counterfactual attention: predictions with permuted or uniform scores."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.capture.inputs import check_inputs
from attention_zoo.capture.intervention import predict_with_scores
from attention_zoo.capture.outputs import output_index, output_values, total_variation
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import checks
from attention_zoo.metrics.distributions import Distributions, distributions

#: How many samples, and how many scores, go through the model at once.
_ROWS, _CELLS = 1024, 2**22


def predict_each(
    model: keras.Model, x: Any, of: Distributions, rows: np.ndarray, index: int
) -> np.ndarray:
    """Return the predictions with each of several sets of rows in the place of a layer's own.

    Args:
        model: a built model.
        x: its samples, as `check_inputs` returns them.
        of: the distributions of the layer's own scores.
        rows: distributions, `(sets, samples, rows, indices)`.
        index: the number of the output.

    Returns:
        `(sets, samples, places, values)`, as `output_values` returns them for each set.
    """
    samples = len(of.rows)
    at_once = max(1, min(_ROWS // samples, _CELLS // max(1, of.rows.size)))
    tiled = keras.tree.map_structure(lambda array: np.concatenate([array] * at_once), x)
    found = []
    for start in range(0, len(rows), at_once):
        # Always as many, the last one again where there are fewer: one shape is compiled once
        part = rows[np.minimum(np.arange(start, start + at_once), len(rows) - 1)]
        scores = of.as_scores(part)
        scores = scores.reshape(-1, *scores.shape[2:])
        size = min(len(scores), _ROWS)
        predictions = predict_with_scores(model, tiled, {of.name: scores}, batch_size=size)
        values = output_values(predictions, index)
        found.append(values.reshape(at_once, samples, *values.shape[1:])[: len(rows) - start])
    return np.concatenate(found)


def permutation_test(
    model: keras.Model,
    x: Any,
    layer: str | None = None,
    *,
    permutations: int = 100,
    seed: int = 0,
    batch_size: int = 256,
    output: str | int | None = None,
) -> np.ndarray:
    """How far the prediction moves when the scores change places: the median over random
    permutations of the total variation distance of the predictions (Jain and Wallace, 2019,
    arXiv:1902.10186, section 4.2.1, algorithm 2).

    ```
    change[i] = median over permutations of TVD(f(x[i], permuted scores), f(x[i]))
    TVD(p, q) = sum over classes |p - q| / 2
    ```

    Scores are permuted among the indices that the mask leaves, each distribution for itself; all
    else in the model is as it is. Where scores that are far from uniform can be permuted and the
    prediction stays, it does not depend on them. The reverse does not hold: a model that was
    trained with its scores may need them where they are, and another, trained without, may predict
    as well.

    Args:
        model: a built model with attention layers of this package or Keras's own.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        layer: the name of an attention layer; by default the first.
        permutations: how many are drawn for each sample.
        seed: of the draws.
        batch_size: how many samples go through at once when the scores are read.
        output: the name or number of the output that is meant, of a model with several.

    Returns:
        `(samples,)`. For an output that is one number, such as the probability of the second of
        two classes or a quantity, the distance is the difference; for several that are no
        probabilities, half the sum of the differences.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `attention_scores` and `predict_with_scores`, and where a model has several
            outputs and no `output` is named.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(20, split="test").x
    >>> az.metrics.permutation_test(az.load("dense"), x, permutations=5).shape
    (20,)
    """
    checks.positive_int("permutations", permutations)
    checks.natural("seed", seed)
    captured = capture_scores(model, x, batch_size)
    own, index = distributions(captured, layer), output_index(model, output, captured.predictions)
    inputs, before = check_inputs(model, x), output_values(captured.predictions, index)
    rng = np.random.default_rng(seed)
    found = []
    for some in own.portions(permutations):
        few = own.take(some)
        # Sample after sample, so that how many are held at once changes no draw
        keys = np.swapaxes(rng.random((len(few.rows), permutations, *few.rows.shape[1:])), 0, 1)
        rows = permuted(few.rows, few.visible, keys)
        after = predict_each(model, part_of(inputs, some), few, rows, index)
        found.append(np.median(total_variation(before[some], after), axis=0))
    return np.concatenate(found)


def part_of(x: Any, samples: slice) -> Any:
    """Some of the samples, of one input or several."""
    return keras.tree.map_structure(lambda array: array[samples], x)


def permuted(rows: np.ndarray, visible: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Each row with what is visible of it in the order of random keys between 0 and 1, of the
    rows' shape or with a leading axis of several orders."""
    rows, visible = np.broadcast_to(rows, keys.shape), np.broadcast_to(visible, keys.shape)
    # The visible places in order, then the others; and what comes into them
    places = np.argsort(~visible, axis=-1, kind="stable")
    taken = np.argsort(np.where(visible, keys, 2.0), axis=-1, kind="stable")
    result = np.empty(keys.shape)
    np.put_along_axis(result, places, np.take_along_axis(rows, taken, axis=-1), axis=-1)
    return result


def predict_uniform(
    model: keras.Model, x: Any, layer: str | None = None, *, batch_size: int = 256
) -> Any:
    """The model's predictions with uniform attention over the visible positions; all else is as it
    is, and nothing is trained again.

    It is the quick half of the uniform control of Wiegreffe and Pinter (2019, arXiv:1908.04626,
    section 3.2). A prediction that stays as good does not depend on the scores. One that gets worse
    says only that this model is used to them: to know whether attention is needed, train the same
    model with `normalizer="uniform"`, as the cards of the presets do.

    Args:
        model, x, layer, batch_size: as in `permutation_test`.

    Returns:
        The model's outputs, as from `predict`.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `attention_scores`, and for a layer whose scores cannot be replaced.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(20, split="test").x
    >>> az.metrics.predict_uniform(az.load("dense"), x).shape
    (20, 1)
    """
    own = distributions(capture_scores(model, x, batch_size), layer)
    scores = own.as_scores(own.uniform())
    return predict_with_scores(model, x, {own.name: scores}, batch_size=batch_size)
