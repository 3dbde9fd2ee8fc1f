"""No two sentences of a page of trust contradict each other, whatever the verdicts are."""

import dataclasses
import itertools
import random
import re

import pytest

from attention_zoo.trusting.tests import TESTS
from attention_zoo.trusting.verdicts import (
    IMPLIED,
    Finding,
    Measured,
    consistent,
    decide,
    implications,
    not_measured,
)

#: Sentences that no page may hold both of, written without a look at what the rows claim.
NEEDED = "model does not need these scores"
FALL = "predictions depend on where the scores fall"
NO_FALL = "predictions do not depend on where the scores fall"
NO_OTHERS = r"no distant scores .* 0\.01\. This is"
NOT_CARRIED = "attended inputs do not carry the prediction"
CONTRADICTIONS = [
    (NEEDED, "model needs these scores"),
    (NEEDED, FALL),
    (NEEDED, "model depends on these scores"),
    (NEEDED, "attention does what the rest of the model cannot"),
    (NEEDED, NO_OTHERS),
    (NO_FALL, FALL),
    (NO_FALL, NO_OTHERS),
    ("mean hardly changes with the scores", FALL),
    (NOT_CARRIED, "attended inputs carry the prediction"),
    (NOT_CARRIED, "attended inputs are enough"),
    (NOT_CARRIED, "model needs the attended inputs"),
    (NOT_CARRIED, r"Attention ranks the inputs as leave-one-out does\. Neither"),
    (": attention lies on the relevant inputs", "attention does not lie on the relevant inputs"),
]

#: Rows whose claims can contradict each other's; those of two groups cannot.
GROUPS = [
    ("performance", "uniform", "permuted", "adversary", "retrained", "conicity"),
    ("interchange", "sufficiency", "comprehensiveness", "leave-one-out"),
    ("mass", "pointing"),
]
#: Rows that claim nothing that another one could contradict.
FREE = ("contributions", "gradients", "seeds", "randomization")
VERDICTS = ("for", "against", "undecided")


def finding(name, verdict):
    test = TESTS[name]._replace(name=name)
    if verdict == "not measured":
        return not_measured(test, "there is no such value")
    if verdict == "undecided":
        return decide(test, Measured([0.5], [0.25], "It could be chance."))
    return decide(test, Measured([0.5], [0.25], verdict=verdict))


ASKED = [name for names in GROUPS for name in names]
ALL = {
    (name, verdict): finding(name, verdict)
    for name in TESTS
    for verdict in (*VERDICTS, "not measured")
}


def combinations():
    """All of each group, and some of all questions."""
    for names in GROUPS:
        names = [name for name in TESTS if name in names]
        for verdicts in itertools.product(VERDICTS, repeat=len(names)):
            yield dict(zip(names, verdicts, strict=True))
    rng = random.Random(0)
    for _ in range(1000):
        yield {name: rng.choice(VERDICTS) for name in TESTS if name in ASKED}


def claimed(name, verdict):
    test = TESTS[name]
    return implications({"for": test.supports, "against": test.contradicts}[verdict].claims)


def test_no_combination_of_verdicts_contradicts_itself():
    matched = set()
    for verdicts in combinations():
        rows = consistent([ALL[one] for one in verdicts.items()])
        held = {}
        for row, name in zip(rows, verdicts, strict=True):
            if row.verdict in ("for", "against"):
                for claim, truth in claimed(name, row.verdict).items():
                    assert held.setdefault(claim, truth) is truth, verdicts
        page = " | ".join(row.sentence for row in rows)
        for pair in CONTRADICTIONS:
            found = [bool(re.search(one, page)) for one in pair]
            assert not all(found), (verdicts, pair)
            matched |= {(pair, one) for one, there in zip(pair, found, strict=True) if there}
    # Each pattern is one of a sentence that there is
    assert matched == {(pair, one) for pair in CONTRADICTIONS for one in pair}


def test_the_groups_hold_all_that_can_contradict():
    assert {*ASKED, *FREE} == set(TESTS)
    of_group = [
        {claim for name in names for v in ("for", "against") for claim in claimed(name, v)}
        for names in GROUPS
    ]
    for one, other in itertools.combinations(of_group, 2):
        assert not one & other


def test_a_stronger_row_withdraws_a_weaker_one_and_is_named():
    weak, strong = finding("permuted", "for"), finding("uniform", "against")
    rows = consistent([strong, weak])
    assert [row.verdict for row in rows] == ["against", "undecided"]
    assert rows[1].sentence == (
        'Moving the scores to other positions changes the predictions. The row "uniform" outweighs '
        "this: the model does not need these scores."
    )
    # The values stay
    assert dataclasses.replace(weak.row, verdict="", sentence="") == dataclasses.replace(
        rows[1], verdict="", sentence=""
    )
    # What no other row speaks against stays as it is
    assert consistent([weak]) == (weak.row,)


@pytest.mark.parametrize("question", TESTS)
def test_what_decides_nothing_claims_nothing(question):
    for verdict in ("undecided", "not measured"):
        found = ALL[question, verdict]
        assert found.words is None
        for other in ASKED:
            for speaks in ("for", "against"):
                rows = consistent([found, ALL[other, speaks]])
                assert rows == (found.row, ALL[other, speaks].row)


@pytest.mark.parametrize("question", FREE)
def test_rows_that_are_free_claim_nothing(question):
    assert not TESTS[question].supports.claims
    assert not TESTS[question].contradicts.claims


@pytest.mark.parametrize("name", TESTS)
def test_each_test_has_a_sentence_for_both_verdicts(name):
    test = TESTS[name]
    assert test.question.endswith("?") and test.source and test.control
    assert test.supports.sentence != test.contradicts.sentence
    known = {claim for pair in IMPLIED for claim in pair} | {"located"}
    for words in (test.supports, test.contradicts):
        assert words.sentence.endswith(".") and words.limits.endswith(".")
        assert set(words.claims) <= known
        assert not re.search(r"\b(anew|alike|answers?|figures?)\b", words.sentence)


def test_implications_go_both_ways():
    assert implications({"no others": True}) == {
        "no others": True, "needs positions": True, "needs scores": True,
    }  # fmt: skip
    assert implications({"needs scores": False}) == {
        "needs scores": False, "needs positions": False, "no others": False,
    }  # fmt: skip
    assert implications({"carry": True}) == {"carry": True}


def test_rows_keep_their_order():
    names = list(reversed(ASKED))
    rows = consistent([ALL[name, "for"] for name in names])
    assert [row.name for row in rows] == names
    assert consistent([Finding(ALL["seeds", "for"].row)]) == (ALL["seeds", "for"].row,)
