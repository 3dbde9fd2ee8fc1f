"""The figures of the page of trust that ask about other scores, and what is said of each."""

from __future__ import annotations

import numpy as np

from attention_zoo.explain.adversarial import adversarial_attention
from attention_zoo.explain.answers import quality, total_variation
from attention_zoo.explain.counterfactual import answers_with, permutation_test, permuted
from attention_zoo.explain.divergence import divergence_over_seeds, jensen_shannon_divergence
from attention_zoo.explain.trust_page import TrustRow
from attention_zoo.explain.trust_subject import Subject, mean
from attention_zoo.explain.watching import watch

JAIN = "Jain and Wallace, 2019, arXiv:1902.10186"
WIEGREFFE = "Wiegreffe and Pinter, 2019, arXiv:1908.04626"

#: The tolerance of Jain and Wallace, in the unit of the answers.
_TOLERANCE = 0.01
_SMALLER_IS_BETTER = ("mae", "mse", "mean absolute error", "mean squared error", "loss", "rmse")


def uniform_in_place(subject: Subject) -> TrustRow:
    """How good the answers are when the model attends to all alike, nothing trained anew."""
    own = subject.own
    rows = own.uniform()[None]
    after = answers_with(subject.model, subject.x, own, rows, subject.index)[0]
    if subject.y is None:
        name = "change of the answer, attending to all alike"
        value = float(total_variation(subject.answered, after).mean()) / subject.unit
        control, against = _between_samples(subject), "between two samples"
        sentence = (
            "Attending to all alike this model answers about the same: its answers do not hang on "
            "these scores."
            if value < 0.1 * control
            else "Attending to all alike this model answers otherwise: it relies on its scores. "
            "Whether the answers are worse, only labels tell."
        )
    else:
        name, each = quality(subject.y, subject.answered, subject.probabilities)
        alike = quality(subject.y, after, subject.probabilities)[1]
        value, control, against = float(alike.mean()), float(each.mean()), "as it is"
        if _as_good(name, value, control):
            sentence = (
                "Attending to all alike this model answers as well: its answers do not hang on "
                "these scores."
            )
        elif _by_chance(alike - each):
            sentence = (
                "Attending to all alike this model answers a little worse, by no more than chance "
                "may make of so few samples: more of them would tell."
            )
        else:
            sentence = (
                "Attending to all alike this model answers worse: it relies on its scores. Whether "
                "attention is needed at all, only a model trained without it tells."
            )
        name = f"{name}, attending to all alike"
    return TrustRow(name, value, control, against, sentence, WIEGREFFE)


def uniform_retrained(subject: Subject) -> TrustRow:
    """How good a model is that was trained with its attention frozen uniform."""
    if subject.retrained is None:
        return TrustRow(
            "trained with uniform attention", None, None, "",
            "Not measured. The control that tells most: train the same model with "
            "normalizer='uniform' and give its figure as retrained_uniform.", WIEGREFFE,
        )  # fmt: skip
    name, value, control = subject.retrained
    as_good = _as_good(name, value, control)
    name = {"mae": "mean absolute error", "mse": "mean squared error"}.get(name, name)
    sentence = (
        "Trained with its attention frozen uniform the model answers as well: the answer needs no "
        "attention, and where this model looks does not explain how one comes to it."
        if as_good
        else "Trained with its attention frozen uniform the model answers worse: attention does "
        "what the rest of the model cannot. That does not make each single score right."
    )
    return TrustRow(
        f"{name}, trained with uniform attention", value, control, "trained with its own",
        sentence, WIEGREFFE,
    )  # fmt: skip


def permutation(subject: Subject) -> TrustRow:
    """How far the answer moves when the scores change places."""
    found = permutation_test(
        subject.model, subject.few, subject.own.name, permutations=32, seed=subject.seed,
        output=subject.output,
    )  # fmt: skip
    value, control = float(found.mean()) / subject.unit, _between_samples(subject)
    sentence = (
        "With the scores in another order the answer is about the same: on which index they fall "
        "hardly matters."
        if value < 0.1 * control
        else "With the scores in another order the answer is another: on which index they fall "
        "matters to this model. That no other scores would do is not shown."
    )
    even = jensen_shannon_divergence(subject.own.rows, subject.own.uniform())
    if float(np.nanmean(even)) < 1e-4:
        sentence = "The scores are about all alike: their order tells nothing."
    return TrustRow(
        "change of the answer, scores permuted", value, control, "between two samples", sentence,
        JAIN,
    )  # fmt: skip


def adversary(subject: Subject) -> TrustRow:
    """How far from its own scores the model can look and answer the same."""
    found = adversarial_attention(
        subject.model, subject.few, subject.own.name, tolerance=_TOLERANCE * subject.unit,
        rounds=10, seed=subject.seed, output=subject.output,
    )  # fmt: skip
    value, control = float(found.divergence.mean()), float(found.control.mean())
    within = ".01" if subject.probabilities else ".01 of its standard deviation"
    sentence = (
        f"Scores that look elsewhere give the same answer, within {within}: the model's own are "
        "not the only account of it. That training could find such scores is not shown."
        if value > 0.5 * control
        else f"No scores were found that look far elsewhere and give the same answer, within "
        f"{within}. The search gives a lower bound: there may be some."
    )
    return TrustRow(
        "JSD of adversarial attention", value, control, "whatever the answer", sentence, JAIN
    )


def seeds(subject: Subject) -> TrustRow:
    """How far the attention of models of other seeds is from this one's, and from each other's."""
    own = subject.own
    names = list(subject.look.scores)
    every = [subject.scores]
    for model in subject.others:
        scores = watch(model, subject.x).scores
        name = own.name if own.name in scores else list(scores)[names.index(own.name)]
        every.append(scores[name])
    value = mean(divergence_over_seeds(every, own.axis))
    rng = np.random.default_rng(subject.seed)
    chance = jensen_shannon_divergence(
        own.rows, permuted(own.rows, own.visible, rng.random(own.rows.shape))
    )
    control = mean(chance)
    sentence = (
        "Models that differ in their seed look at the same: the scores tell of the data and the "
        "task, not of the run. They may all be wrong alike."
        if value is not None and control is not None and value < 0.5 * control
        else "Models that differ in their seed look elsewhere: the scores tell of the run as much "
        "as of the data."
    )
    return TrustRow(
        f"JSD over {len(every)} seeds", value, control, "scores in random order", sentence,
        WIEGREFFE,
    )  # fmt: skip


def _between_samples(subject: Subject) -> float:
    """How far the answers to two samples are apart: what a change is to be compared with."""
    others = np.roll(subject.answered, 1, axis=0)
    return float(total_variation(subject.answered, others).mean()) / subject.unit


def _as_good(name: str, value: float, control: float) -> bool:
    """Whether a figure is about as good as its control, by what the cards of presets ask."""
    if name in _SMALLER_IS_BETTER:
        return value <= control / 0.9
    return value >= control - 0.005


def _by_chance(differences: np.ndarray) -> bool:
    """Whether the mean of the samples' differences is within two of its standard errors."""
    if len(differences) < 2:
        return True
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return bool(abs(differences.mean()) <= 2 * error)
