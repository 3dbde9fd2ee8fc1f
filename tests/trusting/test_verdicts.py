"""From values of samples to verdicts: only an interval without zero decides."""

import numpy as np
import pytest

from attention_zoo.trusting.measures import agreement_of
from attention_zoo.trusting.tests import TESTS
from attention_zoo.trusting.verdicts import FEWEST, Measured, decide


def row_of(test, values, controls, inconclusive="", **changes):
    return decide(TESTS[test], Measured(values, controls, inconclusive, changes=changes)).row


def spread(mean, size=40):
    """Values of samples with that mean, which differ by some tenths."""
    noise = np.random.default_rng(0).normal(size=size) / 5
    return mean + noise - noise.mean()


@pytest.mark.parametrize(
    ("value", "control", "most", "verdict", "said"),
    [
        (0.80, 0.70, 1.00, "for", "ranks the inputs as gradients do"),
        (0.20, 0.70, 1.00, "against", "does not rank the inputs"),
        # Half of the control is between them, and so are both intervals
        (
            0.26,
            0.58,
            1.00,
            "undecided",
            "On 40 samples the difference from half the control may be chance",
        ),
        (
            0.296,
            0.58,
            1.00,
            "undecided",
            "On 40 samples the difference from half the control may be chance",
        ),
        # Two rankings that do not agree with each other judge no third one by disagreeing with it
        (0.13, 0.01, 1.00, "undecided", "do not clearly agree with each other"),
        (-0.50, -0.40, 1.00, "undecided", "do not clearly agree with each other"),
        (0.60, 0.13, 1.00, "for", "ranks the inputs as gradients do"),
        # Scores that tie can hardly agree more
        (0.18, 0.90, 0.20, "for", "ranks the inputs as gradients do"),
    ],
)
def test_what_two_rankings_are_said_to_show(value, control, most, verdict, said):
    # Independent values: the order of one of them is turned round
    found = agreement_of(spread(value), spread(control)[::-1], np.full(40, most))
    row = decide(TESTS["gradients"], found).row
    assert row.value == pytest.approx(value)
    assert (row.verdict, said in row.sentence) == (verdict, True)
    assert (row.low <= 0 <= row.high) or verdict != "undecided" or "agree with each" in said
    assert ("limited by ties" in row.control_name) == (most < 0.95)


def test_rankings_of_nothing_are_not_measured():
    nothing = np.full(40, np.nan)
    with pytest.raises(ValueError, match="are all equal"):
        agreement_of(nothing, nothing, nothing)


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
        ("performance", -0.3, "for"),
    ],
)
def test_an_interval_without_zero_decides(question, difference, verdict):
    row = row_of(question, spread(0.5 + difference), np.full(40, 0.5), reference="the control")
    assert row.verdict == verdict
    assert row.low < difference < row.high
    assert (row.low <= 0 <= row.high) == (verdict == "undecided")
    assert (row.value, row.control) == (pytest.approx(0.5 + difference), 0.5)


@pytest.mark.parametrize(
    ("reference", "less"),
    [
        ("the control", 0.4),
        ("0.25", 0.25),
        ("a tenth of the control", 0.04),
        ("half the control", 0.2),
        ("two thirds of the control", 0.4 / 1.5),
        ("1.5 times the control", 0.6),
        ("the midpoint of the control and 1", 0.7),
    ],
)
def test_the_interval_is_that_of_the_difference_from_the_reference(reference, less):
    values = np.full(FEWEST, 0.9)
    row = row_of("mass", values, np.full(FEWEST, 0.4), reference=reference)
    assert (row.low, row.high) == (pytest.approx(0.9 - less),) * 2
    assert row.verdict == "for"
    words = row.interval
    assert reference in words or (reference == "the control" and words.startswith("difference"))


def test_samples_without_a_value_do_not_count():
    values, controls = spread(0.8), np.full(40, 0.5)
    values[:7], controls[7:11] = np.nan, np.nan
    row = row_of("mass", values, controls)
    assert row.value == pytest.approx(values[11:].mean())
    few = row_of("mass", values[: 11 + FEWEST - 1], controls[: 11 + FEWEST - 1])
    assert (few.low, few.high, few.verdict) == (None, None, "undecided")
    assert few.sentence == (
        f"{FEWEST - 1} samples are too few for an interval, which takes {FEWEST}."
    )
    none = row_of("mass", values[:7], controls[:7])
    assert (none.value, none.verdict) == (None, "not measured")


def test_values_that_are_equal_and_values_that_decide_nothing():
    equal = row_of("performance", np.ones(31), np.ones(31))
    assert (equal.verdict, equal.low, equal.high) == ("undecided", 0, 0)
    assert equal.sentence == "The value equals the control on all 31 samples."
    found = decide(TESTS["mass"], Measured(np.ones(31), np.zeros(31), "It decides nothing."))
    assert (found.row.verdict, found.row.sentence) == ("undecided", "It decides nothing.")
    assert found.words is None


@pytest.mark.parametrize(("larger", "verdict"), [(False, "for"), (True, "against")])
def test_of_accuracies_less_is_worse_and_of_errors_more(larger, verdict):
    row = row_of("performance", spread(0.2), np.full(40, 0.5), larger=larger)
    assert row.verdict == verdict


def test_single_values_keep_their_verdict_and_have_no_interval():
    row = decide(TESTS["retrained"], Measured([0.5], [0.9], verdict="for")).row
    assert (row.value, row.control, row.verdict, row.interval) == (0.5, 0.9, "for", "")
    assert "predicts worse" in row.sentence
