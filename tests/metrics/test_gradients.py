"""The gradients of a model: closed forms, finite differences, bad input."""

import gc
import weakref

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.metrics.input_gradients import gradients

RNG = np.random.default_rng(0)


def linear(features=7, outputs=3):
    layer = keras.layers.Dense(outputs)
    model = keras.Sequential([keras.Input((features,)), layer])
    kernel = np.random.default_rng(1).normal(size=(features, outputs)).astype("float32")
    layer.set_weights([kernel, np.zeros(outputs)])
    return model, kernel


def differences(model, x, step=1e-2):
    """The same by central differences, one number at a time."""
    found = np.zeros(x.shape)
    for index in np.ndindex(*x.shape[1:]):
        sides = []
        for sign in (1, -1):
            moved = x.copy()
            moved[(slice(None), *index)] += sign * step
            answers = model.predict(moved, verbose=0).astype("float64")
            sides.append(answers.reshape(len(x), -1).sum(1))
        found[(slice(None), *index)] = (sides[0] - sides[1]) / (2 * step)
    return found


def test_of_a_linear_model_it_is_the_kernel_of_the_chosen_output():
    model, kernel = linear()
    x = RNG.normal(size=(11, 7)).astype("float32")
    predicted = model.predict(x, verbose=0).argmax(1)
    assert len(set(predicted)) == 3
    np.testing.assert_allclose(gradients(model, x), kernel.T[predicted], atol=1e-6)
    np.testing.assert_allclose(gradients(model, x, 1), kernel.T[[1] * 11], atol=1e-6)
    asked = RNG.integers(0, 3, 11)
    np.testing.assert_allclose(gradients(model, x, asked), kernel.T[asked], atol=1e-6)


def test_of_a_sigmoid_it_is_the_closed_form_in_any_batches():
    kernel = RNG.normal(size=(5, 1)).astype("float32")
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((5,)), layer])
    layer.set_weights([kernel, np.zeros(1)])
    x = RNG.normal(size=(23, 5))
    answer = 1 / (1 + np.exp(-x @ kernel))
    for batch_size in (1, 7, 256):
        found = gradients(model, x, batch_size=batch_size)
        np.testing.assert_allclose(found, answer * (1 - answer) * kernel[:, 0], atol=1e-6)
        assert found.dtype == "float32"


@pytest.mark.parametrize("sequences", [False, True])
def test_finite_differences_agree_and_the_model_is_left_as_it_is(sequences):
    keras.utils.set_random_seed(0)
    model = az.build(
        "lstm_before", input_shape=(5, 3), units=4, attention="feature", return_sequences=sequences
    )
    x = RNG.normal(size=(2, 5, 3)).astype("float32")
    before, weights = model.predict(x, verbose=0), model.get_weights()
    found = gradients(model, x)
    np.testing.assert_allclose(found, differences(model, x), atol=2e-4)
    assert np.abs(found).max() > 1e-3
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_that_change_are_seen_and_a_model_can_go():
    model, kernel = linear()
    x = RNG.normal(size=(3, 7)).astype("float32")
    gradients(model, x, 0)
    model.layers[-1].set_weights([2 * kernel, np.zeros(3)])
    np.testing.assert_allclose(gradients(model, x, 0), 2 * kernel.T[[0] * 3], atol=1e-6)
    model.add(keras.layers.Rescaling(5.0))
    np.testing.assert_allclose(gradients(model, x, 0), 10 * kernel.T[[0] * 3], atol=1e-5)
    gone = weakref.ref(model)
    del model
    keras.utils.clear_session()
    gc.collect()
    assert gone() is None


def test_padding_has_no_gradient():
    pooling = az.layers.AttentionPooling()
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Masking(-1.0),
                              keras.layers.GRU(3, return_sequences=True), pooling,
                              keras.layers.Dense(1)])  # fmt: skip
    x = RNG.normal(size=(3, 7, 2)).astype("float32")
    x[0, 4:] = x[1, 2:] = -1
    found = gradients(model, x)
    assert not found[0, 4:].any() and not found[1, 2:].any()
    assert found[0, :4].any() and found[2].all()


def test_several_inputs():
    first, second = keras.Input((3,), name="first"), keras.Input((2,), name="second")
    model = keras.Model(
        [first, second],
        keras.layers.Dense(1, kernel_initializer="ones")(
            keras.layers.Concatenate()([first, keras.layers.Rescaling(3.0)(second)])
        ),
    )
    given = {"second": RNG.normal(size=(5, 2)), "first": RNG.normal(size=(5, 3))}
    of_first, of_second = gradients(model, given)
    np.testing.assert_allclose(of_first, np.ones((5, 3)), atol=1e-6)
    np.testing.assert_allclose(of_second, np.full((5, 2), 3.0), atol=1e-6)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, kernel_initializer="ones")

    def call(self, inputs):
        return self.dense(inputs**2)


def test_a_subclassed_model_once_it_is_built():
    model = Subclassed()
    x = RNG.normal(size=(3, 5)).astype("float32")
    with pytest.raises(ValueError, match="is not built yet"):
        gradients(model, x)
    model(x)
    np.testing.assert_allclose(gradients(model, x), 2 * x, atol=1e-6)
    with pytest.raises(ValueError, match=r"floats.*Received: int64 \(3, 5\)"):
        gradients(model, x.astype("int64"))


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_tokens_have_no_gradient(dtype):
    model = keras.Sequential(
        [
            keras.Input((5,), dtype=dtype, name="words"),
            keras.layers.Embedding(11, 3),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    with pytest.raises(ValueError, match="floats. The input 'words'.*made of integers"):
        gradients(model, np.ones((2, 5)))


@pytest.mark.parametrize("target", [3, -1, [0, 1, 2, 3, 0]])
def test_a_target_that_is_not_there(target):
    with pytest.raises(ValueError, match="`target` must be between 0 and 2.*Received: (3|-1)"):
        gradients(linear()[0], np.ones((5, 7)), target)


@pytest.mark.parametrize("target", [1.5, "1", [0, 1], [[0]] * 5])
def test_a_target_that_is_no_integer(target):
    with pytest.raises(ValueError, match="`target` must be"):
        gradients(linear()[0], np.ones((5, 7)), target)


def test_what_is_no_model_or_does_not_fit():
    model, _ = linear()
    with pytest.raises(TypeError, match="keras.Model. Received: str"):
        gradients("model", np.ones((5, 7)))
    with pytest.raises(ValueError, match=r"\(samples, 7\). Received: \(5, 6\)"):
        gradients(model, np.ones((5, 6)))
    with pytest.raises(ValueError, match="batch_size"):
        gradients(model, np.ones((5, 7)), batch_size=0)
    given = keras.Input((7,))
    two = keras.Model(given, [keras.layers.Dense(1)(given), keras.layers.Dense(2)(given)])
    with pytest.raises(ValueError, match="has the outputs .*: name the one"):
        gradients(two, np.ones((5, 7)))


def test_a_backend_without_gradients(monkeypatch):
    model, _ = linear()
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(NotImplementedError, match="'numpy' has no gradients.*jax, tensorflow"):
        gradients(model, np.ones((5, 7)))


def test_what_was_compiled_before_the_data_were_known_is_compiled_again():
    x = np.random.default_rng(0).normal(3, 2, (8, 3)).astype("float32")
    model = az.build("dense", input_shape=(3,), units=4, standardize=True)
    az.attention_scores(model, x)
    gradients(model, x)
    model.get_layer("standardize").adapt(x)
    fresh = keras.models.clone_model(model)
    az.models.copy_weights(model.get_weights(), fresh)
    for mine, expected in zip(
        (*az.attention_scores(model, x).values(), gradients(model, x)),
        (*az.attention_scores(fresh, x).values(), gradients(fresh, x)),
        strict=True,
    ):
        np.testing.assert_allclose(mine, expected, atol=1e-6)
