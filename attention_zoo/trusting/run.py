"""`trust`: how far the attention of a model can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.inputs import check_inputs, check_model
from attention_zoo.capture.outputs import (
    are_probabilities,
    check_targets,
    output_index,
    output_names,
    output_values,
)
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import checks
from attention_zoo.metrics.distributions import distributions
from attention_zoo.metrics.localization import matched
from attention_zoo.models.classes import class_codes, class_names
from attention_zoo.trusting.page import Trust
from attention_zoo.trusting.subject import Subject
from attention_zoo.trusting.tests import TESTS
from attention_zoo.trusting.verdicts import consistent, decide, not_measured


def trust(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    truth: Any = None,
    layer: str | None = None,
    samples: int = 200,
    seed: int = 0,
    output: str | int | None = None,
    retrained_uniform: tuple[str, float, float] | None = None,
    others: Sequence[keras.Model] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Trust:
    """Test in a dozen ways how far the attention of a model can be trusted.

    Each test gives one row: a value beside that of a control, the 95 % bootstrap interval of their
    difference over the samples, a verdict, and a sentence on what this shows and what it does not.
    The verdict is `"for"` or `"against"` the attention only if the interval excludes zero, and
    `"undecided"` otherwise. The strongest evidence stands first; a weaker row that contradicts it
    becomes undecided and names the stronger one. There is no total score: attention may lie on
    the relevant inputs without being needed, or be needed without being the only explanation. A
    test that the model does not allow says why. Changes of predictions that are not probabilities
    are in units of their standard deviation over the samples. A small model takes seconds.

    Args:
        model: a built model with attention layers of this package or of Keras. It is not changed.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        y: targets: the labels that the model was trained on, integers or one-hot classes, or
            quantities. Without y no test uses a metric of the predictions, only their changes.
        truth: 1 on the relevant inputs, if they are known: the shape of the scores, or of their
            leading axes, those of the samples and at least one more.
        layer: the name of an attention layer; by default the first.
        samples: the largest number of samples, drawn from x. Samples with very many scores or
            inputs are fewer in the tests that need many predictions.
        seed: the seed of that draw and of all others.
        output: the name or number of the output to test, of a model with several.
        retrained_uniform: `(metric, value, control)`: a metric such as `"accuracy"` of the same
            model trained with `normalizer="uniform"`, and of the model trained with attention.
        others: models of the same architecture trained with other seeds.
        progress: `progress(name, done, total)` is called before each test.

    Returns:
        A `Trust`, to print, or to use by its `rows`, `to_frame()` and `to_dict()`.

    Raises:
        ValueError: as `attention_scores`; for y, truth or metrics that do not fit; for a model
            with several outputs where `output` is missing.
        TypeError: for others that are no list of models.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_feature").sample(50, split="test")
    >>> page = az.trust(az.load("dense"), x, y, truth=relevance,
    ...                 retrained_uniform=("accuracy", 1.0, 1.0))
    >>> row = page["accuracy, trained with uniform attention"]
    >>> row.verdict
    'against'
    >>> row.sentence[:86]
    'Trained with uniform attention the model predicts as well: the task needs no attention'
    """
    checks.positive_int("samples", samples)
    checks.natural("seed", seed)
    check_model(model)
    if not isinstance(others, (list, tuple)):
        raise TypeError(
            f"`others` must be a list of models. Received: others={type(others).__name__}"
        )
    for other in others:
        check_model(other)
    x = check_inputs(model, x)
    total = len(keras.tree.flatten(x)[0])
    chosen = np.arange(total)
    if total > samples:
        chosen = np.sort(np.random.default_rng(seed).permutation(total)[:samples])
    x = keras.tree.map_structure(lambda array: array[chosen], x)
    look = capture_scores(model, x)
    scores = distributions(look, layer)
    index = output_index(model, output, look.predictions)
    predicted = output_values(look.predictions, index)
    if y is not None:
        probabilities = are_probabilities(model, predicted, index)
        y = class_codes(_drawn("y", y, total, chosen), class_names(model))
        y = check_targets(y, predicted, probabilities)
    if truth is not None:
        truth = _drawn("truth", truth, total, chosen)
    subject = Subject(
        model,
        x,
        look,
        scores,
        output,
        index,
        predicted,
        y,
        truth,
        tuple(others) or None,
        _retrained(retrained_uniform),
        seed,
    )
    if truth is not None:
        matched(truth, subject.shown.scores[scores.name], "truth")
    asked = [
        test
        for test in TESTS.values()
        if not test.needs or getattr(subject, test.needs) is not None
    ]
    findings = []
    for number, test in enumerate(asked):
        if progress is not None:
            progress(test.name, number, len(asked))
        try:
            findings.append(decide(test, test.measure(subject), seed))
        except (ValueError, NotImplementedError) as error:
            # The inputs are checked: what is left is a test that such a model does not allow
            findings.append(not_measured(test, str(error)))
    names = output_names(model, look.predictions)
    named = names[index] if len(names) > 1 else None
    return Trust(model.name, scores.name, len(predicted), consistent(findings), named)


def _drawn(name: str, values: Any, total: int, chosen: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    if values.shape[:1] != (total,):
        raise ValueError(
            f"`{name}` must have a value for each of the {total} samples. Received: {values.shape}"
        )
    return values[chosen]


def _retrained(given: Any) -> tuple[str, float, float] | None:
    if given is None:
        return None
    fits = isinstance(given, (tuple, list)) and len(given) == 3 and isinstance(given[0], str)
    if not fits or not all(
        isinstance(v, (int, float, np.number)) and math.isfinite(v) for v in given[1:]
    ):
        raise ValueError(
            "`retrained_uniform` must be (metric, value, control): a string and two finite "
            f"numbers. Received: {given!r}"
        )
    return given[0], float(given[1]), float(given[2])
