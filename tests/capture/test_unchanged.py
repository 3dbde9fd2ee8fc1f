"""Whatever captures from a model leaves every one of its variables as it was."""

import keras
import numpy as np
import pytest

import attention_zoo as az

SAMPLES = 5
X = np.random.default_rng(0).normal(size=(2 * SAMPLES, 7, 3)).astype("float32")


class Restless(keras.layers.Layer):
    """Counts its calls, draws noise and keeps the statistics of its inputs, also in inference."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.seeds = keras.random.SeedGenerator(1)
        self.norm = keras.layers.BatchNormalization()
        self.norm.build(shape)

    def call(self, x):
        self.calls.assign_add(1.0)
        noise = keras.random.normal(keras.ops.shape(x), seed=self.seeds)
        return self.norm(x, training=True) + 0.1 * noise + self.calls

    def compute_output_shape(self, shape):
        return shape


def restless():
    keras.utils.set_random_seed(0)
    inputs = keras.Input(batch_shape=(SAMPLES, 7, 3))
    states = keras.layers.LSTM(4, return_sequences=True, stateful=True, name="lstm")(inputs)
    states = Restless(name="restless")(states)
    pooled = az.layers.AttentionPooling(name="pooling")(states)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(pooled))


@pytest.fixture(scope="module")
def model():
    return restless()


def held(model):
    """The values of all variables: those that Keras lists, and the states, which it does not."""
    states = model.get_layer("lstm").states
    return [keras.ops.convert_to_numpy(v) for v in [*model.variables, *keras.tree.flatten(states)]]


def draws():
    """The state of torch's global generator, which its data loader draws from."""
    if keras.backend.backend() != "torch":
        return np.zeros(0)
    import torch

    return torch.random.get_rng_state().numpy()


def ranks(function, **options):
    return lambda model: function(model, X, np.abs(X), draws=1, **options)


READERS = {
    "attention_scores": lambda model: az.attention_scores(model, X),
    "explain": lambda model: az.explain(model, X),
    "predict_with_scores": lambda model: az.capture.predict_with_scores(
        model, X, {"pooling": np.full((2 * SAMPLES, 7), 1 / 7)}
    ),
    "predict_uniform": lambda model: az.metrics.predict_uniform(model, X),
    "permutation_test": lambda model: az.metrics.permutation_test(model, X, permutations=2),
    "adversarial_attention": lambda model: az.metrics.adversarial_attention(
        model, X, rounds=1, candidates=2
    ),
    "attended_states": lambda model: az.metrics.attended_states(model, X),
    "parameter_randomization": lambda model: az.metrics.parameter_randomization(model, X),
    "gradients": lambda model: az.metrics.gradients(model, X),
    "integrated_gradients": lambda model: az.metrics.integrated_gradients(model, X, n_steps=2),
    "convergence_delta": lambda model: az.metrics.convergence_delta(model, X, X),
    "occlusion": lambda model: az.metrics.occlusion(model, X, unit="feature"),
    "temporal_saliency_rescaling": lambda model: az.metrics.temporal_saliency_rescaling(
        model, X, variant="feature"
    ),
    "comprehensiveness": ranks(az.metrics.comprehensiveness, fractions=0.5),
    "sufficiency": ranks(az.metrics.sufficiency, fractions=0.5),
    "deletion": ranks(az.metrics.deletion, points=2),
    "insertion": ranks(az.metrics.insertion, points=2),
}


@pytest.mark.parametrize("reader", READERS)
def test_reading_changes_no_variable_and_no_later_draw(model, reader):
    before, drawn = held(model), draws()
    READERS[reader](model)
    for one, other in zip(before, held(model), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(drawn, draws())


def test_a_model_that_was_captured_model_goes_on_as_one_that_was_not():
    captured_model, other = restless(), restless()
    for each in (captured_model, other):
        each.predict(X, batch_size=SAMPLES, verbose=0)
    changing = held(captured_model)
    explained = az.explain(captured_model, X)
    after = captured_model.predict(X, batch_size=SAMPLES, verbose=0)
    np.testing.assert_array_equal(after, other.predict(X, batch_size=SAMPLES, verbose=0))
    # The predictions are those that the model would have made then
    np.testing.assert_allclose(explained.predictions, after, atol=1e-6)
    # The model is restless
    assert any((a != b).any() for a, b in zip(changing, held(captured_model), strict=True))


def test_a_capture_that_fails_changes_nothing_either(model, monkeypatch):
    before = held(model)
    monkeypatch.setattr(keras.Model, "predict", lambda *args, **kwargs: fail(model))
    with pytest.raises(RuntimeError, match="in between"):
        az.attention_scores(model, X)
    for one, other in zip(before, held(model), strict=True):
        np.testing.assert_array_equal(one, other)


def fail(model):
    model.get_layer("restless").calls.assign_add(1.0)
    raise RuntimeError("in between")


def test_a_model_may_keep_dictionaries_of_any_keys():
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, keras.layers.Dense(1)(az.layers.AttentionPooling()(inputs)))
    model.noted = {model.layers[0]: 1, model: 2, "name": [model.layers[-1].kernel]}
    scores = az.attention_scores(model, X)
    assert az.metrics.occlusion(model, X).shape == X.shape and len(scores) == 1
