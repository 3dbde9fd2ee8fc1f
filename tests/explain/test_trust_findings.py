"""From figures of samples to verdicts: only an interval without zero decides."""

import numpy as np
import pytest

from attention_zoo.trusting.findings import FEWEST, compared
from attention_zoo.trusting.input_tests import agreement_row


def spread(mean, size=40):
    """Figures of samples with that mean, which differ by some tenths."""
    noise = np.random.default_rng(0).normal(size=size) / 5
    return mean + noise - noise.mean()


@pytest.mark.parametrize(
    ("value", "control", "most", "verdict", "said"),
    [
        (0.80, 0.70, 1.00, "for", "ranks the inputs as gradients do"),
        (0.20, 0.70, 1.00, "against", "does not rank the inputs"),
        # Half of the control is between them, and so are both intervals
        (0.26, 0.58, 1.00, "undecided", "On 40 samples this could not be told apart from half"),
        (0.296, 0.58, 1.00, "undecided", "On 40 samples this could not be told apart from half"),
        # Two rankings that do not agree with each other judge no third one by disagreeing with it
        (0.13, 0.01, 1.00, "undecided", "could not be told to agree with each other"),
        (-0.50, -0.40, 1.00, "undecided", "could not be told to agree with each other"),
        (0.60, 0.13, 1.00, "for", "ranks the inputs as gradients do"),
        # Scores that tie can hardly agree more
        (0.18, 0.90, 0.20, "for", "ranks the inputs as gradients do"),
    ],
)
def test_what_two_rankings_are_said_to_show(value, control, most, verdict, said):
    # Independent figures: the order of one of them is turned round
    row = agreement_row("gradients", spread(value), spread(control)[::-1], np.full(40, most)).row
    assert row.value == pytest.approx(value)
    assert (row.verdict, said in row.sentence) == (verdict, True)
    assert (row.low <= 0 <= row.high) or verdict != "undecided" or "agree with each" in said
    assert ("less where scores tie" in row.against) == (most < 0.95)


def test_rankings_of_nothing_are_not_measured():
    nothing = np.full(40, np.nan)
    row = agreement_row("gradients", nothing, nothing, nothing).row
    assert (row.value, row.verdict) == (None, "not measured")
    assert "are all equal" in row.sentence


@pytest.mark.parametrize(
    ("question", "difference", "verdict"),
    [
        # More speaks for it
        ("comprehensiveness", 0.3, "for"),
        ("comprehensiveness", -0.3, "against"),
        ("comprehensiveness", 0.01, "undecided"),
        # Less speaks for it
        ("sufficiency", -0.3, "for"),
        ("sufficiency", 0.3, "against"),
        ("sufficiency", -0.01, "undecided"),
        # Of answers less is worse, of errors more
        ("quality", -0.3, "for"),
        ("error", 0.3, "for"),
    ],
)
def test_an_interval_without_zero_decides(question, difference, verdict):
    row = compared(question, "figure", spread(0.5 + difference), np.full(40, 0.5), "chance").row
    assert row.verdict == verdict
    assert row.low < difference < row.high
    assert (row.low <= 0 <= row.high) == (verdict == "undecided")
    assert (row.value, row.control) == (pytest.approx(0.5 + difference), 0.5)


@pytest.mark.parametrize(
    ("reference", "less"),
    [
        ("the control", 0.4),
        ("a quarter of the answer", 0.25),
        ("a tenth of the control", 0.04),
        ("half of the control", 0.2),
        ("two thirds of the control", 0.4 / 1.5),
        ("one and a half times the control", 0.6),
        ("half way from the control to 1", 0.7),
    ],
)
def test_the_interval_is_that_of_the_difference_from_the_reference(reference, less):
    values = np.full(FEWEST, 0.9)
    row = compared("mass", "figure", values, np.full(FEWEST, 0.4), "chance", reference=reference)
    assert (row.row.low, row.row.high) == (pytest.approx(0.9 - less),) * 2
    assert row.row.verdict == "for"
    words = row.row.interval
    assert reference in words or (reference == "the control" and words.startswith("difference"))


def test_samples_without_a_figure_do_not_count():
    values, controls = spread(0.8), np.full(40, 0.5)
    values[:7], controls[7:11] = np.nan, np.nan
    row = compared("mass", "figure", values, controls, "chance").row
    assert row.value == pytest.approx(values[11:].mean())
    few = compared("mass", "figure", values[: 11 + FEWEST - 1], controls[: 11 + FEWEST - 1], "").row
    assert (few.low, few.high, few.verdict) == (None, None, "undecided")
    assert (
        few.sentence == f"{FEWEST - 1} samples are too few for an interval: {FEWEST} are the least."
    )
    none = compared("mass", "figure", values[:7], controls[:7], "chance").row
    assert (none.value, none.verdict) == (None, "not measured")


def test_figures_that_are_equal_and_figures_that_decide_nothing():
    equal = compared("quality", "accuracy", np.ones(31), np.ones(31), "as it is").row
    assert (equal.verdict, equal.low, equal.high) == ("undecided", 0, 0)
    assert equal.sentence == "It equals the control on all 31 samples."
    blocked = compared("mass", "m", np.ones(31), np.zeros(31), "", blocked="It is blocked.")
    assert (blocked.row.verdict, blocked.row.sentence) == ("undecided", "It is blocked.")
    assert blocked.said is None
