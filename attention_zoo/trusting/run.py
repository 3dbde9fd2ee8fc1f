"""Can the attention of this model be believed?"""

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
from attention_zoo.trusting import input_tests, score_tests
from attention_zoo.trusting.claims import Finding, consistent
from attention_zoo.trusting.findings import not_measured
from attention_zoo.trusting.page import Trust
from attention_zoo.trusting.subject import Retrained, Subject

#: What is measured, in the order of the page: its name, its question if it fails, the function.
_MEASURES: tuple[tuple[str, str, Callable[[Subject], Any]], ...] = (
    ("uniform attention", "uniform", score_tests.uniform_in_place),
    ("trained with uniform attention", "retrained", score_tests.uniform_retrained),
    ("scores permuted", "permuted", score_tests.permutation),
    ("adversarial attention", "adversary", score_tests.adversary),
    ("divergence over seeds", "seeds", score_tests.seeds),
    ("Kendall tau", "leave-one-out", input_tests.agreements),
    ("comprehensiveness and sufficiency", "comprehensiveness", input_tests.erasures),
    ("interchange of the attended inputs", "interchange", input_tests.exchanges),
    ("weights drawn anew", "randomization", input_tests.randomization),
    ("conicity of the attended states", "conicity", input_tests.conicities),
    ("localisation", "mass", input_tests.localisation),
)


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
    retrained_uniform: Retrained | None = None,
    others: Sequence[keras.Model] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Trust:
    """Measure, in a dozen ways, how far the attention of a model can be believed.

    Each figure stands beside its control, with the 95 % bootstrap interval of their difference
    over the samples, a verdict and a sentence of what the two show and what they do not. Only an
    interval without zero is `"for"` or `"against"`; the rest is `"undecided"`. Where two rows
    contradict each other, the weaker measure is undecided and says by which row. There is no
    total: attention may lie where the answer is and yet not be needed, or be needed and yet not
    be the only account of the answer. What cannot be measured on this model says why. Changes of
    answers that are no probabilities are in units of their standard deviation over the samples.
    It takes some seconds on a small model.

    Args:
        model: a built model with attention layers, ours or Keras's own. It is left as it is.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        y: the labels, as integers or one-hot, or the quantities; without them the figures are
            of how far the answers move, not of how good they are.
        truth: 1 where the answer is, if that is known: the shape of the scores, or of their
            leading axes, those of the samples and at least one more.
        layer: the name of an attention layer; by default the first.
        samples: on how many samples, drawn from x, it is measured at most. Where a sample has
            very many scores or inputs, those of other weights and others in their place are
            asked for, and inputs left out, on fewer.
        seed: of that and all other draws.
        output: the name or number of the output that y and the page are about, of a model with
            several.
        retrained_uniform: `(name, value, control)`: a figure such as `"accuracy"` of the same
            model trained with `normalizer="uniform"`, and the same figure with its own attention.
        others: models of the same architecture trained with other seeds.
        progress: called with the name of what is measured next, how much is done, and of how
            much.

    Returns:
        A `Trust`: print it, or take `.rows`, `.to_frame()` or `.to_dict()`.

    Raises:
        ValueError: as `attention_scores`, for labels, a truth or a figure that do not fit, and
            where a model has several outputs and no `output` is named.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_feature").sample(50, split="test")
    >>> page = az.trust(az.load("dense"), x, y, truth=relevance,
    ...                 retrained_uniform=("accuracy", 1.0, 1.0))
    >>> print(page["accuracy, trained with uniform attention"].sentence)
    Trained with uniform attention the model answers as well: the task needs no attention. Where
    this model attends does not explain how one comes to the answer. Of figures that are given
    there is no interval.
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
    subject = _subject(model, x, y, truth, layer, samples, seed, output, retrained_uniform, others)
    findings: list[Finding] = []
    asked = [one for one in _MEASURES if others or one[2] is not score_tests.seeds]
    for number, (name, question, measure) in enumerate(asked):
        if progress is not None:
            progress(name, number, len(asked))
        try:
            found = measure(subject)
        except (ValueError, NotImplementedError) as error:
            # The inputs are checked: what is left is a measure that such a model does not have
            found = not_measured(question, name, str(error))
        findings += found if isinstance(found, list) else [found]
    rows = consistent(findings)
    names = output_names(model, subject.look.predictions)
    named = names[subject.index] if len(names) > 1 else None
    return Trust(model.name, subject.own.name, len(subject.answered), rows, named)


def _subject(
    model: keras.Model,
    x: Any,
    y: Any,
    truth: Any,
    layer: str | None,
    samples: int,
    seed: int,
    output: str | int | None,
    retrained: Any,
    others: Sequence[keras.Model],
) -> Subject:
    """All that the measures need, of samples that were drawn, checked."""
    x = check_inputs(model, x)
    total = len(keras.tree.flatten(x)[0])
    chosen = np.arange(total)
    if total > samples:
        chosen = np.sort(np.random.default_rng(seed).permutation(total)[:samples])
    few = keras.tree.map_structure(lambda array: array[chosen], x)
    look = capture_scores(model, few)
    own = distributions(look, layer)
    index = output_index(model, output, look.predictions)
    answered = output_values(look.predictions, index)
    if y is not None:
        probabilities = are_probabilities(model, answered, index)
        y = check_targets(_drawn("y", y, total, chosen), answered, probabilities)
    if truth is not None:
        truth = _drawn("truth", truth, total, chosen)
        matched(truth, look.scores[own.name], "truth")
    return Subject(
        model, few, look, own, output, index, answered, y, truth, tuple(others),
        _retrained(retrained), seed,
    )  # fmt: skip


def _drawn(name: str, values: Any, total: int, chosen: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    if values.shape[:1] != (total,):
        raise ValueError(
            f"`{name}` must have a value for each of the {total} samples. Received: {values.shape}"
        )
    return values[chosen]


def _retrained(given: Any) -> Retrained | None:
    """A name and two finite figures, or None; ValueError for anything else."""
    if given is None:
        return None
    fits = isinstance(given, (tuple, list)) and len(given) == 3 and isinstance(given[0], str)
    if not fits or not all(
        isinstance(v, (int, float, np.number)) and math.isfinite(v) for v in given[1:]
    ):
        raise ValueError(
            "`retrained_uniform` must be (name, value, control): a string and two finite numbers. "
            f"Received: {given!r}"
        )
    return given[0], float(given[1]), float(given[2])
