"""What is measured for the page of trust: values of the samples beside those of a control."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.capture.outputs import total_variation
from attention_zoo.capture.scores import capture_scores
from attention_zoo.metrics.adversarial import adversarial_attention
from attention_zoo.metrics.counterfactual import permutation_test, permuted
from attention_zoo.metrics.distributions import Distributions
from attention_zoo.metrics.divergence import divergence_over_seeds, jensen_shannon_divergence
from attention_zoo.metrics.interventions import interchange
from attention_zoo.metrics.localization import matched
from attention_zoo.metrics.randomization import parameter_randomization
from attention_zoo.metrics.rank_correlation import spearman_rho
from attention_zoo.metrics.states import attended_states, conicity
from attention_zoo.trusting.page import AGAINST, FOR
from attention_zoo.trusting.subject import Subject
from attention_zoo.trusting.verdicts import Measured, interval

#: Each prediction is compared with those of so many other samples.
_OTHERS = 16
#: The share of the attention that the attended inputs hold.
MASS = 0.9
#: The tolerance of Jain and Wallace, in units of the predictions.
TOLERANCE = 0.01
_SMALLER_IS_BETTER = ("mae", "mse", "mean absolute error", "mean squared error", "loss", "rmse")


def performance(subject: Subject) -> Measured:
    """The metric of the predictions with uniform attention, beside that of the model."""
    metric, control = subject.metric_of(subject.predicted)
    value = subject.metric_of(subject.with_uniform)[1]
    changes = {"name": f"{metric}, uniform attention", "larger": metric in _SMALLER_IS_BETTER}
    return Measured(value, control, subject.uniform_already, changes=changes)


def uniform(subject: Subject) -> Measured:
    """How far uniform attention changes the predictions."""
    return _change(subject, total_variation(subject.predicted, subject.with_uniform))


def contributions(subject: Subject) -> Measured:
    """How far the prediction that follows from the sum of the contributions is from the model's."""
    added = subject.contributions
    if added is None:
        raise ValueError("the model does not add up its steps")
    head, parts = added
    answer = keras.ops.convert_to_numpy(head.answer(parts.sum(1, dtype="float64")))
    return _change(subject, total_variation(answer[:, None], subject.predicted), decides=True)


def permutation(subject: Subject) -> Measured:
    """How far permuted scores change the predictions."""
    changes = permutation_test(
        subject.model,
        subject.few,
        subject.layer.name,
        permutations=32,
        seed=subject.seed,
        output=subject.output,
    )
    return _change(subject, changes)


def _change(subject: Subject, changes: np.ndarray, decides: bool = False) -> Measured:
    """Changes of the predictions beside how far the predictions of two samples differ."""
    predicted = subject.predicted
    shifts = np.random.default_rng(subject.seed).permutation(np.arange(1, len(predicted)))
    others = [total_variation(predicted, np.roll(predicted, n, 0)) for n in shifts[:_OTHERS]]
    between = (np.mean(others, 0) if others else np.zeros(len(predicted)))[: len(changes)]
    if not between.sum() > 0:
        raise ValueError("the model predicts the same for all samples")
    why = "" if decides else subject.uniform_already
    return Measured(changes / subject.unit, between / subject.unit, why)


def adversary(subject: Subject) -> Measured:
    """How far from its scores the model can attend and predict the same."""
    found = adversarial_attention(
        subject.model,
        subject.few,
        subject.layer.name,
        tolerance=TOLERANCE * subject.unit,
        rounds=10,
        seed=subject.seed,
        output=subject.output,
    )
    return Measured(found.divergence, found.control)


def retrained(subject: Subject) -> Measured:
    """The given metric of a model that was trained with uniform attention."""
    if subject.retrained is None:
        raise ValueError(
            "train the same model with normalizer='uniform' and pass its metric as "
            "retrained_uniform. This control tells most"
        )
    metric, value, control = subject.retrained
    smaller = metric in _SMALLER_IS_BETTER
    # As the cards of presets judge it
    as_good = value <= control / 0.9 if smaller else value >= control - 0.005
    metric = {"mae": "mean absolute error", "mse": "mean squared error"}.get(metric, metric)
    return Measured(
        [value],
        [control],
        verdict=AGAINST if as_good else FOR,
        changes={"name": f"{metric}, trained with uniform attention"},
    )


def interchanged(subject: Subject) -> Measured:
    """How far the prediction follows the attended inputs of another sample; where the attended
    steps alone do not bring it, together with their neighbors."""
    scores, mask = subject.ranking
    steps = subject.shown.attended[subject.layer.name] in ("step", "key")
    for neighbors in (0, 1) if steps else (0,):
        found = interchange(
            subject.model,
            subject.x,
            scores,
            mass=MASS,
            neighbors=neighbors,
            mask=mask,
            seed=subject.seed,
            output=subject.output,
        )
        if np.isnan(found.scores).all():
            raise ValueError("the model predicts the same for all samples")
        changes = {"reference": "the control" if float(found.random.mean()) > 0.25 else "0.25"}
        if neighbors:
            changes["control"] = "as many random inputs, both with their neighbors"
        apart = interval(found.scores, found.random, changes["reference"], subject.seed)
        if apart is not None and apart[0] > 0:
            break
    return Measured(found.scores, found.random, changes=changes)


def faithfulness(measure: Any, subject: Subject) -> Measured:
    """Comprehensiveness or sufficiency of the attended inputs, beside a random ranking."""
    scores, mask = subject.ranking
    found = measure(
        subject.model, subject.x, scores, mask=mask, seed=subject.seed, output=subject.output
    )
    return Measured(found.scores / subject.unit, found.random / subject.unit)


def rank_agreement(which: str, subject: Subject) -> Measured:
    """Kendall's tau of attention with leave-one-out or gradients."""
    found, most = subject.agreement
    return agreement_of(getattr(found, which), found.control, most, subject.seed)


def agreement_of(tau: Any, control: Any, most: Any, seed: int = 0) -> Measured:
    """Kendall's tau beside that of leave-one-out with gradients, or beside `most`, the largest
    that ties allow; `(samples,)` each."""
    tau, control, most = (np.asarray(v, "float64") for v in (tau, control, most))
    if np.isnan(tau + control + most).all():
        raise ValueError(
            "the scores, the gradients or the predictions without each input are all equal. "
            "Gradients are, where the predictions are certain"
        )
    changes = {}
    if float(np.nanmean(most)) < 0.95:
        changes["control"] = "leave-one-out with gradients, limited by ties"
    # Two rankings that disagree cannot judge a third one
    apart = interval(control, np.zeros(control.shape), seed=seed)
    unknown = (
        "Leave-one-out and gradients do not clearly agree with each other: no ranking is known "
        "that attention should agree with."
    )
    agree = apart is not None and apart[0] > 0
    return Measured(tau, np.minimum(control, most), "" if agree else unknown, changes=changes)


def seeds(subject: Subject) -> Measured:
    """How far the attention of models trained with other seeds is from this one's and each
    other's."""
    name, names = subject.layer.name, list(subject.look.scores)
    scores = [subject.scores]
    for model in subject.others or ():
        theirs = capture_scores(model, subject.x).scores
        scores.append(theirs[name if name in theirs else list(theirs)[names.index(name)]])
    shuffled = _shuffled(subject.layer, subject.seed)
    chance = jensen_shannon_divergence(subject.layer.rows, shuffled).mean(1)
    values = divergence_over_seeds(scores, subject.layer.axis)
    return Measured(values, chance, changes={"name": f"JSD over {len(scores)} seeds"})


def randomization(subject: Subject) -> Measured:
    """How far attention ranks the inputs as before once all weights are randomized."""
    layer = subject.layer.take(slice(len(keras.tree.flatten(subject.few)[0])))
    rho = parameter_randomization(subject.model, subject.few, layer.name, seed=subject.seed)["all"]
    if np.isnan(rho).all():
        raise ValueError("the attention of the model or of its copy is uniform and ranks nothing")
    chance = spearman_rho(layer.rows, _shuffled(layer, subject.seed), layer.visible)
    known = ~np.isnan(chance)
    total = np.where(known, chance, 0).sum(1)
    chance = np.divide(total, known.sum(1), out=np.full(len(chance), np.nan), where=known.any(1))
    # The opposite order tells as much of the data as the same
    return Measured(-rho if np.nanmean(rho) < 0 else rho, chance)


def _shuffled(layer: Distributions, seed: int) -> np.ndarray:
    """The visible scores in random order."""
    keys = np.random.default_rng(seed).random(layer.rows.shape)
    return permuted(layer.rows, layer.visible, keys)


def conicities(subject: Subject) -> Measured:
    """How similar the directions of the attended states are."""
    states = attended_states(subject.model, subject.x, subject.layer.name)
    vectors = np.random.default_rng(subject.seed).normal(size=states.vectors.shape)
    return Measured(conicity(*states), conicity(vectors, states.visible))


def localization(measure: Any, subject: Subject) -> Measured:
    """How much attention lies on the relevant cells, beside uniform attention."""
    scores = subject.shown.scores[subject.layer.name]
    relevant = matched(subject.truth, scores, "truth")
    control = measure(subject.placed.as_scores(subject.placed.uniform()), relevant)
    large = float(np.nanmean(control)) > 0.5
    reference = "the midpoint of the control and 1" if large else "1.5 times the control"
    return Measured(measure(scores, relevant), control, changes={"reference": reference})
