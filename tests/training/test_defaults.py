"""The default for the data in hand: the architecture, its size, and how it is trained."""

import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.training import default_recipe, from_arrays, recipe_for
from attention_zoo.training.defaults import default_model
from attention_zoo.training.fit import fit


@pytest.mark.parametrize(
    ("kind", "shape", "more", "architecture", "strides"),
    [
        ("binary", (5,), {}, "dense", None),
        ("multiclass", (24, 1), {}, "conv_after", [1, 1, 1, 1, 1]),
        ("binary", (240, 6), {}, "conv_after", [1, 1, 1, 1, 1]),
        ("binary", (241, 6), {}, "conv_after", [2, 1, 1, 1, 1]),
        ("binary", (99_999, 6), {}, "conv_after", [8, 1, 1, 1, 1]),
        ("binary", (99_999, 6), {"given": ["kernel_sizes"]}, "conv_after", None),
        ("binary", (24, 1), {"given": ["units"]}, "gru", None),
        ("binary", (24, 1), {"per_step": True}, "gru", None),
        ("binary", (24, 1), {"heads": True}, "gru", None),
        ("regression", (24, 1), {}, "gru", None),
    ],
)
def test_kind_and_shape_choose_the_model(kind, shape, more, architecture, strides):
    name, config = default_model(kind, shape, **more)
    assert (name, config.get("strides")) == (architecture, strides)


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_no_default_has_weights_for_each_pair_of_many_steps(kind):
    sizes = []
    for steps in (100, 1000):
        name, config = default_model(kind, (steps, 2))
        sizes.append(az.build(name, input_shape=(steps, 2), **config).count_params())
    assert sizes[0] == sizes[1] < 80_000


def test_a_cosine_schedule_rises_and_falls_from_epoch_to_epoch():
    data = from_arrays(np.random.default_rng(0).normal(size=(8, 3)), np.arange(8) % 2)
    phase = {"epochs": 4, "learning_rate": 0.1, "learning_rate_schedule": "cosine", "warmup": 0.25}
    recipe = default_recipe("dense", None).changed(phases=[phase])
    rates = fit(recipe, data)[1]["learning_rate"]
    np.testing.assert_allclose(rates, [0.05, 0.0933, 0.05, 0.0067], atol=1e-4)
    assert "learning_rate" not in fit(default_recipe("dense", None).changed(
        phases=[{"epochs": 1}]), data)[1]  # fmt: skip


def test_series_of_few_samples_have_as_many_updates():
    x = np.random.default_rng(0).normal(size=(36, 20, 1))
    recipe = recipe_for(from_arrays(x, np.arange(36) % 3))
    assert (recipe.architecture, recipe.batch_size, recipe.phases[0].epochs) == (
        "conv_after", 16, 334
    )  # fmt: skip
