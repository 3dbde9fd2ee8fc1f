"""The rows of the page of trust that ask about other scores."""

from __future__ import annotations

import numpy as np

from attention_zoo.capture.outputs import sample_metric, total_variation
from attention_zoo.capture.scores import capture_scores
from attention_zoo.metrics.adversarial import adversarial_attention
from attention_zoo.metrics.counterfactual import permutation_test, permuted, predict_each
from attention_zoo.metrics.divergence import divergence_over_seeds, jensen_shannon_divergence
from attention_zoo.trusting.claims import Finding
from attention_zoo.trusting.findings import compared, not_measured, told
from attention_zoo.trusting.page import AGAINST, FOR
from attention_zoo.trusting.subject import Subject

#: The tolerance of Jain and Wallace, in the unit of the answers.
_TOLERANCE = 0.01
_SMALLER_IS_BETTER = ("mae", "mse", "mean absolute error", "mean squared error", "loss", "rmse")

_UNIFORM = "The scores are about uniform, so that no others can be told from them."
_CONSTANT = "the model gives all samples the same answer"


def uniform_in_place(subject: Subject) -> list[Finding]:
    """How far the answers move, and how good they are, with uniform attention in the place of the
    model's, without training."""
    own = subject.own
    after = predict_each(subject.model, subject.x, own, own.uniform()[None], subject.index)[0]
    moved = total_variation(subject.answered, after) / subject.unit
    rows = [_change(subject, "uniform", "change of the answer, attending to all alike", moved)]
    if subject.y is not None:
        name, each = sample_metric(subject.y, subject.answered, subject.probabilities)
        uniform = sample_metric(subject.y, after, subject.probabilities)[1]
        # The question takes less for worse
        question = "error" if name in _SMALLER_IS_BETTER else "quality"
        rows.append(
            compared(
                question, f"{name}, attending to all alike", uniform, each, "as it is",
                blocked=_UNIFORM if subject.is_uniform else "", seed=subject.seed,
            )
        )  # fmt: skip
    return rows


def uniform_retrained(subject: Subject) -> Finding:
    """How good a model is that was trained with its attention frozen uniform."""
    if subject.retrained is None:
        return not_measured(
            "retrained", "trained with uniform attention",
            "it is the control that tells most. Train the same model with normalizer='uniform' "
            "and give its figure as retrained_uniform",
        )  # fmt: skip
    name, value, control = subject.retrained
    verdict = AGAINST if _as_good(name, value, control) else FOR
    name = {"mae": "mean absolute error", "mse": "mean squared error"}.get(name, name)
    return told(
        "retrained", f"{name}, trained with uniform attention", value, control,
        "trained with its own", verdict,
    )  # fmt: skip


def permutation(subject: Subject) -> Finding:
    """How far the answer moves when the scores change places."""
    moved = permutation_test(
        subject.model, subject.few, subject.own.name, permutations=32, seed=subject.seed,
        output=subject.output,
    )  # fmt: skip
    name = "change of the answer, scores permuted"
    return _change(subject, "permuted", name, moved / subject.unit)


def adversary(subject: Subject) -> Finding:
    """How far from its own scores the model can look and answer the same."""
    found = adversarial_attention(
        subject.model, subject.few, subject.own.name, tolerance=_TOLERANCE * subject.unit,
        rounds=10, seed=subject.seed, output=subject.output,
    )  # fmt: skip
    return compared(
        "adversary", "JSD of adversarial attention", found.divergence, found.control,
        "whatever the answer", reference="half of the control", seed=subject.seed,
    )  # fmt: skip


def seeds(subject: Subject) -> Finding:
    """How far the attention of models of other seeds is from this one's, and from each other's."""
    own = subject.own
    names = list(subject.look.scores)
    every = [subject.scores]
    for model in subject.others:
        scores = capture_scores(model, subject.x).scores
        name = own.name if own.name in scores else list(scores)[names.index(own.name)]
        every.append(scores[name])
    rng = np.random.default_rng(subject.seed)
    mixed = permuted(own.rows, own.visible, rng.random(own.rows.shape))
    chance = jensen_shannon_divergence(own.rows, mixed).mean(1)
    return compared(
        "seeds", f"JSD over {len(every)} seeds", divergence_over_seeds(every, own.axis), chance,
        "scores in random order", reference="half of the control", seed=subject.seed,
    )  # fmt: skip


def _change(subject: Subject, question: str, name: str, moved: np.ndarray) -> Finding:
    """The row of how far the answers move with other scores, beside how far samples differ."""
    between = subject.between[: len(moved)]
    if not np.nansum(between) > 0:
        return not_measured(question, name, _CONSTANT)
    return compared(
        question, name, moved, between, "between two samples", reference="a tenth of the control",
        blocked=_UNIFORM if subject.is_uniform else "", seed=subject.seed,
    )  # fmt: skip


def _as_good(name: str, value: float, control: float) -> bool:
    """Whether a figure is about as good as its control, by what the cards of presets ask."""
    if name in _SMALLER_IS_BETTER:
        return value <= control / 0.9
    return value >= control - 0.005
