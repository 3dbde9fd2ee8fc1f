"""The figures of the page of trust that ask about inputs, states, weights and the truth."""

from __future__ import annotations

import keras
import numpy as np

from attention_zoo.explain.agreeing import agreement
from attention_zoo.explain.attribution import gradient_times_input
from attention_zoo.explain.counterfactual import permuted
from attention_zoo.explain.erasure import comprehensiveness, sufficiency
from attention_zoo.explain.leaving_out import occlusion
from attention_zoo.explain.localisation import matched, pointing_game, relevance_mass_accuracy
from attention_zoo.explain.ranks import kendall_tau, spearman_rho
from attention_zoo.explain.sanity import parameter_randomization
from attention_zoo.explain.states import attended_states, conicity
from attention_zoo.explain.trust_page import TrustRow
from attention_zoo.explain.trust_rows import JAIN
from attention_zoo.explain.trust_subject import Subject, mean

DEYOUNG = "DeYoung et al., 2020, arXiv:1911.03429"
ADEBAYO = "Adebayo et al., 2018, arXiv:1810.03292"
MOHANKUMAR = "Mohankumar et al., 2020, arXiv:2004.14243"
ARRAS = "Arras, Osman and Samek, 2022, arXiv:2003.07258"
ZHANG = "Zhang et al., 2018, arXiv:1608.00507"

#: How many answers leave-one-out may ask for.
_MOST_ANSWERS = 30_000

#: Two rankings of one thing have a greater Kendall tau than this.
_ALIKE = 0.3


def agreements(subject: Subject) -> list[TrustRow]:
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
    most = mean(kendall_tau(rows, rows.argsort(-1, kind="stable").argsort(-1), visible))
    control = mean(found.control)
    return [
        agreement_row("leave-one-out", "does", mean(found.with_leave_one_out), control, most),
        agreement_row("gradients", "do", mean(found.with_gradients), control, most),
    ]


def agreement_row(
    other: str, does: str, value: float | None, control: float | None, most: float | None
) -> TrustRow:
    """What Kendall's tau with another ranking shows, beside its control and the most there is."""
    if value is None or control is None or most is None:
        value, control = None, None
        sentence = (
            "Not measured: the scores, the gradients or the answers without each input are all "
            "alike, as the gradients of answers that are certain."
        )
    else:
        # Below, tau is about what rankings of no relation have
        least = _ALIKE * min(1.0, most)
        if value > max(least, 0.7 * min(control, most)):
            sentence = (
                f"Attention ranks the inputs as {other} {does}. Neither is the truth: the control "
                "says how far two such rankings agree."
            )
        elif control > least:
            sentence = (
                f"Attention does not rank the inputs as {other} {does}. Neither is the truth: the "
                "control says how far two such rankings agree."
            )
        else:
            sentence = (
                "Leave-one-out and gradients hardly agree with each other, the control: what "
                "attention would have to agree with is not known here."
            )
        # Two rankings that tie at the same places can reach more
        if value <= most < 0.95:
            sentence += f" Many scores tie: with a ranking without ties tau is {most:.2f} at most."
    return TrustRow(
        f"Kendall tau with {other}", value, control, "leave-one-out with gradients", sentence, JAIN
    )


def erasures(subject: Subject) -> list[TrustRow]:
    """What the answer loses without the inputs that are attended to most, or with them alone."""
    part = subject.attended_part()
    scores, mask = subject.scores, None
    if part != "cell":
        scores = subject.own.rows.mean(1)
    if part == "step":
        mask = subject.mask
    if part == "feature":
        scores = scores[:, None, :]
    found = [
        measure(
            subject.model, subject.x, scores, mask=mask, seed=subject.seed, output=subject.output
        )
        for measure in (comprehensiveness, sufficiency)
    ]
    lost, alone = ((mean(f.scores) or 0.0, mean(f.random) or 0.0) for f in found)
    scale = subject.unit
    return [
        TrustRow(
            "comprehensiveness (AOPC)", lost[0] / scale, lost[1] / scale, "random ranking",
            "Without the inputs that are attended to most the answer loses more than without "
            "others: they count." if lost[0] > max(1.5 * lost[1], lost[1] + 0.01 * scale) else
            "Without the inputs that are attended to most the answer loses hardly more than "
            "without others.", DEYOUNG,
        ),
        TrustRow(
            "sufficiency (AOPC)", alone[0] / scale, alone[1] / scale, "random ranking",
            "With only the inputs that are attended to most the answer loses less than with "
            "others: they go far." if alone[0] < min(alone[1] / 1.5, alone[1] - 0.01 * scale) else
            "With only the inputs that are attended to most the answer loses hardly less than "
            "with others.", DEYOUNG,
        ),
    ]  # fmt: skip


def randomization(subject: Subject) -> TrustRow:
    """Whether the attention is another once the weights are drawn anew."""
    few = subject.few
    own = subject.own.take(slice(len(keras.tree.flatten(few)[0])))
    rho = parameter_randomization(subject.model, few, own.name, seed=subject.seed)["all"]
    keys = np.random.default_rng(subject.seed).random(own.rows.shape)
    mixed = permuted(own.rows, own.visible, keys)
    value, control = mean(rho), mean(spearman_rho(own.rows, mixed, own.visible))
    if value is None:
        sentence = "Not measured: the model or its copy attends to all alike, which ranks nothing."
    elif abs(value) > 0.5:
        sentence = (
            "With all weights drawn anew it ranks the inputs much as before: the picture shows the "
            "data or the architecture as much as what was learned."
        )
    else:
        sentence = (
            "With all weights drawn anew it looks elsewhere: the picture depends on what was "
            "learned. That is the least to be asked for, and makes it no explanation."
        )
    return TrustRow(
        "rank correlation, weights drawn anew", value, control, "scores in random order",
        sentence, ADEBAYO,
    )  # fmt: skip


def conicities(subject: Subject) -> TrustRow:
    """How much alike the states are that are attended to."""
    states = attended_states(subject.model, subject.x, subject.own.name)
    rng = np.random.default_rng(subject.seed)
    value = mean(conicity(*states))
    control = mean(conicity(rng.normal(size=states.vectors.shape), states.visible))
    sentence = (
        "The attended states point much the same way, so that their weighted mean may hardly turn "
        "with the scores. Whether the answer does, the scores in another order tell."
        if value is not None and value > 0.8
        else "The attended states differ: which of them is attended to can matter."
    )
    return TrustRow(
        "conicity of the attended states", value, control, "random vectors", sentence, MOHANKUMAR
    )


def localisation(subject: Subject) -> list[TrustRow]:
    """Whether attention lies where the answer is, where that is known."""
    if subject.truth is None:
        return []
    own = subject.own
    relevant = matched(subject.truth, subject.scores, "truth")
    uniform = own.as_scores(own.uniform())
    rows = []
    for name, measure, source in (
        ("relevance mass accuracy", relevance_mass_accuracy, ARRAS),
        ("pointing game", pointing_game, ZHANG),
    ):
        value, control = mean(measure(subject.scores, relevant)), mean(measure(uniform, relevant))
        found = value is not None and control is not None and value > 1.5 * control
        sentence = (
            "Attention lies where the answer is. That the model needs it there is not shown: see "
            "the controls with uniform attention."
            if found
            else "Attention does not lie where the answer is, or hardly more than by chance."
        )
        rows.append(TrustRow(name, value, control, "all alike", sentence, source))
    return rows
