"""The page of trust of models whose truth is known: what it says, and that it does not contradict
itself."""

import functools
import re

import keras
import pytest

import attention_zoo as az
from tests.trusting.hand_set import fake, ignored, sample, through
from tests.trusting.test_contradictions import CONTRADICTIONS

ROWS = {
    "uniform": "change of predictions, uniform attention",
    "performance": "accuracy, uniform attention",
    "permuted": "change of predictions, permuted attention",
    "comprehensiveness": "comprehensiveness (AOPC)",
    "sufficiency": "sufficiency (AOPC)",
    "interchange": "interchange intervention, 90% of the attention",
    "leave-one-out": "Kendall tau with leave-one-out",
    "mass": "relevance mass accuracy",
}


def hand_set(make, *arguments):
    x, y, truth = sample(71)
    return az.trust(make(*arguments), x, y, truth=truth)


def untrained():
    keras.utils.set_random_seed(0)
    task = az.tasks.get("planted_step")
    x, y, truth = task.sample(71, split="test")
    inputs = keras.Input(x.shape[1:])
    attended = az.layers.AttentionPooling()(
        keras.layers.SimpleRNN(4, return_sequences=True)(inputs)
    )
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(attended))
    return az.trust(model, x, y, truth=truth)


CASES = {
    "through its attention": (
        functools.partial(hand_set, through),
        {
            "uniform": "for", "performance": "for", "permuted": "for", "comprehensiveness": "for",
            "sufficiency": "for", "interchange": "for", "leave-one-out": "for", "mass": "for",
        },
    ),
    "attention that is ignored": (
        functools.partial(hand_set, ignored),
        {
            "uniform": "against", "performance": "undecided", "permuted": "against",
            "comprehensiveness": "against", "sufficiency": "against", "interchange": "against",
            "leave-one-out": "against", "mass": "against",
        },
    ),
    # The label stands where it attends, and yet it predicts without its attention
    "attention beside a shortcut": (
        functools.partial(hand_set, ignored, 1),
        {
            "uniform": "against", "permuted": "against", "comprehensiveness": "for",
            "sufficiency": "for", "interchange": "for", "mass": "for",
        },
    ),
    # The label stands in step 3; it loses it when step 8, which it attends to, is touched
    "a fake": (
        functools.partial(hand_set, fake, "half"),
        {
            "uniform": "for", "performance": "for", "permuted": "for", "interchange": "against",
            "comprehensiveness": "undecided", "leave-one-out": "undecided",
            "sufficiency": "against", "mass": "against",
        },
    ),
    # Where it attends most is chance, which may be anywhere
    "untrained": (untrained, {"performance": "undecided"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_the_page_says_of_a_model(name):
    make, expected = CASES[name]
    page = make()
    assert {row: page[ROWS[row]].verdict for row in expected} == expected
    said = " | ".join(row.sentence for row in page.rows)
    for one, other in CONTRADICTIONS:
        assert not (re.search(one, said) and re.search(other, said)), (one, other)
    for row in page.rows:
        # What decides has an interval without zero
        if row.verdict in ("for", "against"):
            assert row.low > 0 or row.high < 0
    if name == "a fake":
        assert 'row "interchange' in page[ROWS["comprehensiveness"]].sentence
        assert "do not carry the prediction" in page[ROWS["comprehensiveness"]].sentence
