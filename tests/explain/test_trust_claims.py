"""No two sentences of a page of trust contradict each other, whatever the verdicts are."""

import dataclasses
import itertools
import random
import re

import pytest

from attention_zoo.trusting.claims import (
    IMPLIED,
    PROPOSITIONS,
    Finding,
    consistent,
    implications,
)
from attention_zoo.trusting.findings import not_measured, told
from attention_zoo.trusting.questions import QUESTIONS

#: Sentences that no page may hold both of, written without a look at what the rows claim.
CONTRADICTIONS = [
    ("do(es)? not need these scores", "(answers|answer) needs? these scores"),
    ("do(es)? not need these scores", "depends on where (they|the scores) fall"),
    ("do(es)? not need these scores", "depend on these scores"),
    ("do(es)? not need these scores", "attention does what the rest of the model cannot"),
    ("do(es)? not need these scores", r"no scores far from these .* \.01\. It gives"),
    ("does not depend on where (they|the scores) fall", "depends on where (they|the scores) fall"),
    (
        "does not depend on where (they|the scores) fall",
        r"no scores far from these .* \.01\. It gives",
    ),
    ("mean hardly changes with the scores", "depends on where (they|the scores) fall"),
    ("attended inputs do not carry the answer", "attended inputs carry the answer"),
    ("attended inputs do not carry the answer", "they go far towards it"),
    ("attended inputs do not carry the answer", ": it needs them"),
    ("do not carry the answer", r"Attention ranks the inputs as leave-one-out does\. Neither"),
    (": attention lies where the answer is", "attention does not lie where the answer is"),
]

#: Rows whose claims can contradict each other's; those of two groups cannot.
GROUPS = [
    ("quality", "uniform", "permuted", "adversary", "retrained", "conicity"),
    ("interchange", "sufficiency", "comprehensiveness", "leave-one-out"),
    ("mass", "pointing"),
]
#: Rows that claim nothing that another one could contradict.
FREE = ("gradients", "seeds", "randomization")
VERDICTS = ("for", "against", "undecided")


def finding(question, verdict):
    if verdict == "not measured":
        return not_measured(question, question, "there is no such figure")
    said = "" if verdict in ("for", "against") else "It could not be told apart."
    return told(question, question, 0.5, 0.25, "chance", verdict, said)


ASKED = [name for names in GROUPS for name in names]
ALL = {
    (name, verdict): finding(name, verdict)
    for name in QUESTIONS
    for verdict in (*VERDICTS, "not measured")
}


def combinations():
    """All of each group, and some of all questions."""
    for names in GROUPS:
        for verdicts in itertools.product(VERDICTS, repeat=len(names)):
            yield dict(zip(names, verdicts, strict=True))
    rng = random.Random(0)
    for _ in range(1000):
        yield {name: rng.choice(VERDICTS) for name in ASKED}


def claimed(name, verdict):
    asked = QUESTIONS[name]
    return implications({"for": asked.for_, "against": asked.against}[verdict].claims)


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
    assert {*ASKED, *FREE, "error"} == set(QUESTIONS)
    of_group = [
        {claim for name in names for v in ("for", "against") for claim in claimed(name, v)}
        for names in GROUPS
    ]
    for one, other in itertools.combinations(of_group, 2):
        assert not one & other


def test_a_stronger_row_withdraws_a_weaker_one_and_is_named():
    weak, strong = finding("permuted", "for"), finding("uniform", "against")
    rows = consistent([weak, strong])
    assert [row.verdict for row in rows] == ["undecided", "against"]
    assert rows[0].sentence == (
        "Moving the scores to other places changes the answer. This decides nothing here: by "
        '"uniform", the answer does not need these scores.'
    )
    # The figures stay
    assert dataclasses.replace(weak.row, verdict="", sentence="") == dataclasses.replace(
        rows[0], verdict="", sentence=""
    )
    # What no other row speaks against stays as it is
    assert consistent([weak]) == (weak.row,)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_decides_nothing_claims_nothing(question):
    for verdict in ("undecided", "not measured"):
        found = ALL[question, verdict]
        assert found.said is None
        for other in ASKED:
            for speaks in ("for", "against"):
                rows = consistent([found, ALL[other, speaks]])
                assert rows == (found.row, ALL[other, speaks].row)


@pytest.mark.parametrize("question", FREE)
def test_rows_that_are_free_claim_nothing(question):
    assert not QUESTIONS[question].for_.claims
    assert not QUESTIONS[question].against.claims


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_question_has_a_sentence_for_both_verdicts(name):
    asked = QUESTIONS[name]
    assert asked.asks.endswith("?") and asked.source
    assert asked.for_.sentence != asked.against.sentence
    for said in (asked.for_, asked.against):
        assert said.sentence.endswith(".") and said.limits.endswith(".")
        assert set(said.claims) <= set(PROPOSITIONS)
        assert not re.search(r"\b(anew|alike|desk|crew|slopes)\b", said.sentence)


def test_implications_go_both_ways():
    assert implications({"no others": True}) == {
        "no others": True, "needs places": True, "needs scores": True,
    }  # fmt: skip
    assert implications({"needs scores": False}) == {
        "needs scores": False, "needs places": False, "no others": False,
    }  # fmt: skip
    assert implications({"carry": True}) == {"carry": True}
    assert {name for pair in IMPLIED for name in pair} <= set(PROPOSITIONS)


def test_rows_keep_their_order():
    names = list(reversed(ASKED))
    rows = consistent([ALL[name, "for"] for name in names])
    assert [row.name for row in rows] == names
    assert consistent([Finding(ALL["seeds", "for"].row)]) == (ALL["seeds", "for"].row,)
