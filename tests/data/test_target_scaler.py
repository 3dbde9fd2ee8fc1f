"""A quantity trains equally well whatever its units are, and is predicted in them."""

import numpy as np

import attention_zoo as az
from attention_zoo.data.scaling import TargetScaler

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)).astype("float32")
SMALL = X[:, 0] + 0.5 * X[:, 1]


def trained(y):
    recipe = az.training.default_recipe("dense", None, "regression")
    recipe = recipe.changed(phases=[{"epochs": 30, "learning_rate": 0.01}])
    return az.train(recipe=recipe, x=X, y=y, test_data=(X, y))


def test_prices_are_learned_as_well_as_shares():
    small, large = trained(SMALL), trained(200_000 + 50_000 * SMALL)
    assert small.score["mae"] < 0.3 * np.abs(SMALL - SMALL.mean()).mean()
    assert large.score["mae"] < 60_000 * small.score["mae"]
    np.testing.assert_allclose(
        large.history.history["loss"], small.history.history["loss"], rtol=0.05
    )


def test_what_is_given_is_taken_back():
    model = az.build("dense", input_shape=(3,))
    before = model.get_weights()
    scaler = TargetScaler.of(200_000 + 50_000 * SMALL)
    scaler.unscale_output(model.layers[-1])
    scaler.scale_output(model.layers[-1])
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_allclose(now, then, atol=1e-5)
    assert TargetScaler.of(np.full(3, 7.0)) == TargetScaler(7.0, 1.0)
