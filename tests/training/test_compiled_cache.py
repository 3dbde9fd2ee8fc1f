"""A model that was compiled for another training trains as a new one does."""

import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.training import make_recipe
from attention_zoo.training.compiled_cache import CompiledModelCache
from attention_zoo.training.fit import fit
from attention_zoo.training.study import datasets

RECIPE = make_recipe({
    "architecture": "dense", "task": "planted_feature", "samples": 67, "validation": 31,
    "batch_size": 16,
    # Dropout draws from states that are no weights
    "config": {"units": 3, "dropout": 0.3, "standardize": True, "attention": "feature"},
    "phases": [{"epochs": 2, "learning_rate": 0.01}],
})  # fmt: skip


def test_a_model_from_the_cache_trains_as_a_new_one():
    cache = CompiledModelCache()
    other = RECIPE.changed(seed=1, phases=[{"epochs": 1, "learning_rate": 0.1}])
    data = [datasets(RECIPE.changed(seed=seed))[:2] for seed in (0, 1)]
    # Other data have another mean, which is no part of the compiled code
    for recipe, (train, validation) in ((RECIPE, data[0]), (other, data[0]), (other, data[1])):
        model, history = fit(recipe, train, validation, cache=cache)
        reference, expected = fit(recipe, train, validation)
        assert history == expected
        for mine, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert len(list(cache)) == 1


def kept(cache, model, kind):
    return cache.get(model, kind, 0.01, 1, xla=False, build=lambda: model)


@pytest.mark.parametrize(("kind", "outputs"), [("binary", 1), ("multiclass", 3)])
@pytest.mark.parametrize("length", [5, None])
def test_answers_of_every_step_have_their_shape(kind, outputs, length):
    model = az.build("gru", input_shape=(length, 2), outputs=outputs, units=3,
                     attention="pooling" if length is None else "self_attention")  # fmt: skip
    each = az.build("lstm_before", input_shape=(5, 2), outputs=outputs, return_sequences=True)
    for one in (model, each):
        assert kept(CompiledModelCache(), one, kind).model is one


def test_few_models_stay():
    cache = CompiledModelCache()
    for width in (1, 2, 3, 4, 5, 6):
        model = az.build("dense", input_shape=(width,))
        cache.put(kept(cache, model, "regression"))
    assert [model.input_shape[1] for model in cache] == [5, 6]
