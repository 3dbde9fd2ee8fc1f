"""What is measured of attention that has more than one score for each cell of the input."""

import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.training.measure import measure
from attention_zoo.training.recipe import default_recipe
from attention_zoo.training.study import datasets


def dataset():
    return datasets(default_recipe("gru", "moving_step").changed(samples=40, validation=40))[0]


@pytest.mark.parametrize("attention", [
    {"class_name": "hierarchical", "config": {"window": 8}},
    {"class_name": "self_attention", "config": {}},
    {"class_name": "multi_head", "config": {"num_heads": 2}},
    {"class_name": "pooling", "config": {"hops": 3}},
    {"class_name": "temporal", "config": {}},
])  # fmt: skip
def test_mass_on_the_answer_is_that_of_what_the_input_gets_in_all(attention):
    data = dataset()
    model = az.build("gru", input_shape=data.input_shape, units=4, attention=attention)
    found = measure(model, data)
    scores = list(az.attention_scores(model, data.x).values())
    kind = attention["class_name"]
    if kind == "hierarchical":
        words, windows = scores
        each = np.einsum("bws,bw->bws", words, windows).reshape(len(words), -1)
    else:
        over = {"self_attention": "bqk->bk", "multi_head": "bhqk->bk", "pooling": "bht->bt",
                "temporal": "btf->bt"}[kind]  # fmt: skip
        each = np.einsum(over, scores[0])
    each = each[:, : data.x.shape[1]]
    mass = (each * data.relevance).sum(1) / each.sum(1)
    assert found["relevance_mass_accuracy"] == pytest.approx(mass.mean(), rel=1e-5)
    assert 0 < found["relevance_mass_accuracy"] < 0.5
