"""Parameter randomization: on a copy, seeded, in Adebayo's order."""

import keras
import numpy as np
import pytest
import scipy.stats

import attention_zoo as az
from attention_zoo.metrics.randomization import parameter_randomization

X = np.random.default_rng(0).normal(size=(11, 7, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((7, 3))
    x = keras.layers.Dense(5, activation="tanh", name="below")(inputs)
    x = az.layers.AttentionPooling(name="attention")(x)
    return keras.Model(inputs, keras.layers.Dense(1, name="above")(x))


def test_the_model_is_left_as_it_is_and_the_seed_decides(model):
    before = model.get_weights()
    first, again = (parameter_randomization(model, X)["all"] for _ in range(2))
    other = parameter_randomization(model, X, seed=1)["all"]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (np.abs(first) <= 1).all()


def test_layers_above_the_attention_do_not_change_it(model):
    rho = parameter_randomization(model, X, cascading=True)
    assert list(rho) == ["above", "attention", "below"]
    np.testing.assert_array_equal(rho["above"], np.ones(11))
    assert rho["attention"].mean() < 0.99
    np.testing.assert_array_equal(rho["below"], parameter_randomization(model, X)["all"])


@pytest.mark.parametrize("layer", [az.layers.TemporalAttention, az.layers.FeatureAttention])
def test_attention_that_begins_uniform_is_drawn(layer):
    inputs = keras.Input((7, 3))
    attended = layer(kernel_initializer="glorot_uniform", name="attention")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(attended)))
    plain = layer(name="attention")
    twin = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(plain(inputs))))
    twin.set_weights(model.get_weights())
    rho = parameter_randomization(twin, X)["all"]
    assert np.all(np.abs(rho) < 1)  # NaN where the copy attends uniformly


def test_attention_that_learns_nothing_stays_as_it_is():
    inputs = keras.Input((7, 3))
    x = keras.layers.Attention(name="plain")([inputs, inputs])
    x = keras.layers.Dense(1)(keras.layers.Flatten()(x))
    rho = parameter_randomization(keras.Model(inputs, x), X)
    np.testing.assert_allclose(rho["all"], 1, atol=1e-12)


def test_the_correlation_is_spearmans():
    keras.utils.set_random_seed(5)
    inputs = keras.Input((7, 3))
    kernel = keras.initializers.Ones()  # An initializer without chance: the copy is known
    layer = az.layers.AttentionPooling(score="dot", kernel_initializer=kernel, name="attention")
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.array([[1.0], [-2.0], [0.5]], "float32")])
    own = az.attention_scores(model, X)["attention"]
    fresh = X.sum(-1)
    expected = [scipy.stats.spearmanr(a, b)[0] for a, b in zip(own, fresh, strict=True)]
    np.testing.assert_allclose(parameter_randomization(model, X)["all"], expected, atol=1e-6)


def test_uniform_attention_ranks_nothing_and_warns_of_nothing():
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, az.layers.AttentionPooling(normalizer="uniform")(inputs))
    assert np.isnan(parameter_randomization(model, X)["all"]).all()


def test_nested_sequential_and_recurrent_models_are_copied():
    inner = keras.Sequential(
        [keras.Input((7, 3)), keras.layers.GRU(2, return_sequences=True),
         az.layers.AttentionPooling(name="attention")], name="inner",
    )  # fmt: skip
    inputs = keras.Input((7, 3))
    outer = keras.Model(inputs, keras.layers.Dense(1)(inner(inputs)))
    before = outer.get_weights()
    rho = parameter_randomization(outer, X, "inner/attention", cascading=True)
    assert [len(values) for values in rho.values()] == [11, 11]
    assert all(np.array_equal(a, b) for a, b in zip(before, outer.get_weights(), strict=True))
    assert parameter_randomization(inner, X)["all"].mean() < 0.99


class Subclassed(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.attention = az.layers.AttentionPooling(name="attention")
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(self.attention(x))


def test_a_model_that_cannot_be_copied_says_so():
    model = Subclassed(2)
    model(X)
    with pytest.raises(ValueError, match="'subclassed.*' cannot be copied"):
        parameter_randomization(model, X)


@pytest.mark.parametrize("seed", [-1, 1.5, None])
def test_bad_seeds(model, seed):
    with pytest.raises(ValueError, match="`seed` must be an integer of at least 0. Received: seed"):
        parameter_randomization(model, X, seed=seed)


def test_cascading_is_true_or_false(model):
    with pytest.raises(TypeError, match="`cascading` must be True or False"):
        parameter_randomization(model, X, cascading=1)
