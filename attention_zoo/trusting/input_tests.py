"""The rows of the page of trust that ask about inputs, states, weights and the truth."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.metrics.attribution import gradient_times_input
from attention_zoo.metrics.counterfactual import permuted
from attention_zoo.metrics.faithfulness import comprehensiveness, sufficiency
from attention_zoo.metrics.interventions import interchange
from attention_zoo.metrics.leave_one_out import occlusion
from attention_zoo.metrics.localization import matched, pointing_game, relevance_mass_accuracy
from attention_zoo.metrics.randomization import parameter_randomization
from attention_zoo.metrics.rank_correlation import agreement, kendall_tau, spearman_rho
from attention_zoo.metrics.states import attended_states, conicity
from attention_zoo.trusting.claims import Finding
from attention_zoo.trusting.findings import compared, not_measured
from attention_zoo.trusting.page import FOR
from attention_zoo.trusting.subject import Subject

#: How many answers leave-one-out may ask for.
_MOST_ANSWERS = 30_000

#: The share of the attention that the attended inputs hold.
_MASS = 0.9


def agreements(subject: Subject) -> list[Finding]:
    """Whether attention ranks the inputs as leaving them out and gradients do."""
    part = subject.attended_part()
    parts = {"cell": subject.x[0].size, "step": subject.x.shape[1], "feature": subject.x.shape[-1]}
    some = slice(max(1, _MOST_ANSWERS // parts[part]))
    x, own = subject.x[some], subject.own
    mask = subject.mask[some] if part == "step" and subject.mask is not None else None
    erased = occlusion(
        subject.model, x, unit=part, mask=mask, seed=subject.seed, output=subject.output
    )
    slopes = gradient_times_input(subject.model, x, output=subject.output)
    rows: np.ndarray = own.rows[some]
    visible: np.ndarray = own.visible[some]
    if part == "cell":
        erased, slopes = (
            np.moveaxis(v, own.axis, -1).reshape(rows.shape) for v in (erased, slopes)
        )
    else:
        rows, visible = rows.mean(1), np.asarray(visible.any(axis=1))
        slopes = slopes.sum(tuple(range(2, x.ndim)) if part == "step" else 1)
    found = agreement(rows, np.abs(erased), np.abs(slopes), visible)
    # Scores that tie, such as zeros, keep tau below 1 whatever they are compared with
    most = kendall_tau(rows, rows.argsort(-1, kind="stable").argsort(-1), visible)
    return [
        agreement_row("leave-one-out", found.with_leave_one_out, found.control, most, subject.seed),
        agreement_row("gradients", found.with_gradients, found.control, most, subject.seed),
    ]


def agreement_row(other: str, tau: Any, control: Any, most: Any, seed: int = 0) -> Finding:
    """What Kendall's tau with another ranking shows, beside how far leave-one-out and gradients
    agree, of which half is asked for; `(samples,)` each, `most` the largest there can be."""
    tau, control, most = (np.asarray(v, "float64") for v in (tau, control, most))
    name, against = f"Kendall tau with {other}", "leave-one-out with gradients"
    if np.isnan(tau + control + most).all():
        return not_measured(
            other, name,
            "the scores, the gradients or the answers without each input are all equal, as the "
            "gradients of answers that are certain",
        )  # fmt: skip
    if float(np.nanmean(most)) < 0.95:
        against += ", less where scores tie"
    controls = np.minimum(control, most)
    # Two rankings that do not agree with each other judge no third one
    yardstick = compared(other, name, control, np.zeros(control.shape), "", seed=seed)
    unknown = (
        "Leave-one-out and gradients could not be told to agree with each other: what attention "
        "would have to agree with is not known here."
    )
    return compared(
        other, name, tau, controls, against, reference="half of the control",
        blocked="" if yardstick.row.verdict == FOR else unknown, seed=seed,
    )  # fmt: skip


def _ranked(subject: Subject) -> tuple[np.ndarray, np.ndarray | None]:
    """The scores by the part of the input that they are about, and which steps are no padding."""
    part = subject.attended_part()
    if part == "cell":
        return subject.scores, None
    scores = subject.own.rows.mean(1)
    if part == "feature":
        return scores[:, None, :], None
    return scores, subject.mask


def erasures(subject: Subject) -> list[Finding]:
    """What the answer loses without the inputs that are attended to most, or with them alone."""
    scores, mask = _ranked(subject)
    rows = []
    for question, measure, reference in (
        ("comprehensiveness", comprehensiveness, "one and a half times the control"),
        ("sufficiency", sufficiency, "two thirds of the control"),
    ):
        found = measure(
            subject.model, subject.x, scores, mask=mask, seed=subject.seed, output=subject.output
        )
        rows.append(
            compared(
                question, f"{question} (AOPC)", found.scores / subject.unit,
                found.random / subject.unit, "random ranking", reference=reference,
                seed=subject.seed,
            )
        )  # fmt: skip
    return rows


def exchanges(subject: Subject) -> Finding:
    """Whether the answer of another sample comes along with its attended inputs; where it does
    not with the attended steps alone, with those next to them."""
    scores, mask = _ranked(subject)
    name = f"interchange of the inputs with {_MASS:.0%} of the attention"
    steps = subject.look.attended[subject.own.name] in ("step", "key")
    for neighbors, against in (
        (0, "random inputs, as many"),
        (1, "random inputs, as many, all with those next to them"),
    ):
        found = interchange(
            subject.model, subject.x, scores, mass=_MASS, neighbors=neighbors, mask=mask,
            seed=subject.seed, output=subject.output,
        )  # fmt: skip
        if np.isnan(found.scores).all():
            return not_measured("interchange", name, "the model gives all samples the same answer")
        much = float(found.random.mean()) > 0.25
        row = compared(
            "interchange", name, found.scores, found.random, against,
            reference="the control" if much else "a quarter of the answer", seed=subject.seed,
        )  # fmt: skip
        if row.row.verdict == FOR or not steps:
            break
    return row


def randomization(subject: Subject) -> Finding:
    """Whether the attention is another once the weights are initialized again."""
    few = subject.few
    own = subject.own.take(slice(len(keras.tree.flatten(few)[0])))
    rho = parameter_randomization(subject.model, few, own.name, seed=subject.seed)["all"]
    keys = np.random.default_rng(subject.seed).random(own.rows.shape)
    mixed = spearman_rho(own.rows, permuted(own.rows, own.visible, keys), own.visible)
    name = "rank correlation, weights drawn anew"
    if np.isnan(rho).all():
        return not_measured(
            "randomization", name,
            "the model or its copy attends to all equally, which ranks nothing",
        )  # fmt: skip
    # The opposite order tells as much of the data as the same
    sign = -1 if np.nanmean(rho) < 0 else 1
    return compared(
        "randomization", name, sign * rho, _over_rows(mixed), "scores in random order",
        reference="half way from the control to 1", seed=subject.seed,
    )  # fmt: skip


def conicities(subject: Subject) -> Finding:
    """How similar the states are that are attended to."""
    states = attended_states(subject.model, subject.x, subject.own.name)
    rng = np.random.default_rng(subject.seed)
    random = conicity(rng.normal(size=states.vectors.shape), states.visible)
    return compared(
        "conicity", "conicity of the attended states", conicity(*states), random,
        "random vectors", reference="half way from the control to 1", seed=subject.seed,
    )  # fmt: skip


def localisation(subject: Subject) -> list[Finding]:
    """Whether attention lies where the answer is, where that is known."""
    if subject.truth is None:
        return []
    own = subject.own
    relevant = matched(subject.truth, subject.scores, "truth")
    uniform = own.as_scores(own.uniform())
    rows = []
    for question, name, measure in (
        ("mass", "relevance mass accuracy", relevance_mass_accuracy),
        ("pointing", "pointing game", pointing_game),
    ):
        control = measure(uniform, relevant)
        large = float(np.nanmean(control)) > 0.5
        rows.append(
            compared(
                question, name, measure(subject.scores, relevant), control, "all alike",
                reference="half way from the control to 1" if large
                else "one and a half times the control", seed=subject.seed,
            )
        )  # fmt: skip
    return rows


def _over_rows(values: np.ndarray) -> np.ndarray:
    """The mean over each sample's rows of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(1)
    return np.divide(total, known.sum(1), out=np.full(len(values), np.nan), where=known.any(1))
