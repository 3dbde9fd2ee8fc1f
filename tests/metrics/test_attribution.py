"""Attributions against closed forms and loops."""

import keras
import numpy as np
import pytest

from attention_zoo.metrics.attribution import (
    convergence_delta,
    gradient_times_input,
    integrated_gradients,
    random_attribution,
    saliency,
)
from attention_zoo.metrics.input_gradients import gradients
from attention_zoo.metrics.leave_one_out import occlusion
from attention_zoo.metrics.perturbation import replacement_values

RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(5, 3)).astype("float32")
X = RNG.normal(size=(11, 5)).astype("float32")


def of_kernel(activation=None, columns=3):
    layer = keras.layers.Dense(columns, activation=activation)
    model = keras.Sequential([keras.Input((5,)), layer])
    layer.set_weights([KERNEL[:, :columns], np.zeros(columns)])
    return model


@pytest.fixture(scope="module")
def series():
    """A model of series, one answer a step."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            keras.layers.GRU(4, return_sequences=True),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def test_of_a_linear_model():
    model = of_kernel()
    chosen = (X @ KERNEL).argmax(1)
    gradient = KERNEL.T[chosen]
    np.testing.assert_allclose(saliency(model, X), np.abs(gradient), atol=1e-6)
    np.testing.assert_allclose(gradient_times_input(model, X), gradient * X, atol=1e-6)
    found = gradient_times_input(model, X, 2)
    np.testing.assert_allclose(found.sum(1), (X @ KERNEL)[:, 2], atol=1e-5)


def test_integrated_gradients_of_a_sigmoid_have_a_closed_form():
    model = of_kernel("sigmoid", columns=1)
    baseline = RNG.normal(size=5)
    found = integrated_gradients(model, X, baselines=baseline)
    here, there = X @ KERNEL[:, :1], baseline @ KERNEL[:, :1]
    rise = 1 / (1 + np.exp(-here)) - 1 / (1 + np.exp(-there))
    expected = (X - baseline) * KERNEL[:, 0] * rise / (here - there)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_completeness(series):
    x = RNG.normal(size=(7, 5, 3)).astype("float32")
    baseline = x.mean(0)
    found = integrated_gradients(series, x, baselines=baseline)
    ends = series.predict(np.concatenate([x, baseline[None]]), verbose=0).sum((1, 2))
    np.testing.assert_allclose(found.sum((1, 2)), ends[:-1] - ends[-1], atol=1e-5)
    same, delta = integrated_gradients(series, x, baselines=baseline, return_convergence_delta=True)
    np.testing.assert_array_equal(same, found)
    np.testing.assert_allclose(delta, 0, atol=1e-5)
    found[:, 2, 1] += np.linspace(-1, 1, 7)
    delta = convergence_delta(series, x, found, baselines=baseline)
    np.testing.assert_allclose(delta, np.linspace(-1, 1, 7), atol=1e-5)
    with pytest.raises(ValueError, match=r"shape of x \(7, 5, 3\). Received: \(7, 5\)"):
        convergence_delta(series, x, found[..., 0])


def test_the_class_predicted_at_x_is_kept_on_the_way():
    model = of_kernel("softmax")
    chosen = (X @ KERNEL).argmax(1)
    found = integrated_gradients(model, X, baselines=3.0)
    np.testing.assert_array_equal(found, integrated_gradients(model, X, chosen, baselines=3.0))
    ends = model.predict(np.concatenate([X, np.full((1, 5), 3.0)]), verbose=0)
    gained = ends[np.arange(11), chosen] - ends[-1][chosen]
    np.testing.assert_allclose(found.sum(1), gained, atol=1e-5)


def test_padding_stays_on_the_way_and_has_no_part():
    pooled = keras.layers.GlobalAveragePooling1D()
    model = keras.Sequential(
        [keras.Input((None, 2)), keras.layers.Masking(-100.0), pooled, keras.layers.Dense(1)]
    )
    x = RNG.normal(size=(3, 7, 2)).astype("float32")
    mask = np.arange(7) < np.array([7, 4, 2])[:, None]
    x = np.where(mask[..., None], x, -100).astype("float32")
    slope = model.get_weights()[0][:, 0]
    expected = x * slope / mask.sum(1)[:, None, None] * mask[..., None]
    found = integrated_gradients(model, x, mask=mask)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    found = occlusion(model, x, unit="step", replacement="zero", mask=mask)
    np.testing.assert_allclose(found, expected.sum(2), atol=1e-6)


@pytest.mark.parametrize("batch_size", [3, 256])
@pytest.mark.parametrize("unit", ["cell", "step", "feature"])
def test_occlusion_against_a_loop(series, unit, batch_size):
    x = RNG.normal(size=(7, 5, 3)).astype("float32")
    mean = x.mean(0)
    whole = series.predict(x, verbose=0).sum((1, 2))
    found = occlusion(series, x, unit=unit, replacement="mean", batch_size=batch_size)
    parts = {"cell": np.ndindex(5, 3), "step": np.ndindex(5), "feature": np.ndindex(3)}[unit]
    for part in parts:
        cells = (slice(None), *part) if unit == "feature" else part
        without = x.copy()
        without[(slice(None), *cells)] = mean[cells]
        lost = whole - series.predict(without, verbose=0).sum((1, 2))
        np.testing.assert_allclose(found[(slice(None), *part)], lost, atol=1e-6)


def test_occlusion_of_a_linear_model_by_other_samples():
    model = of_kernel(columns=1)
    for draws in (1, 3):
        seeds = np.random.SeedSequence(5).generate_state(draws)
        drawn = [replacement_values(X, seed=int(seed)) for seed in seeds]
        found = occlusion(model, X, draws=draws, seed=5)
        np.testing.assert_allclose(found, (X - np.mean(drawn, 0)) * KERNEL[:, 0], atol=1e-5)
    np.testing.assert_array_equal(found, occlusion(model, X, draws=3, seed=5))


def test_occlusion_takes_tokens():
    embedding = keras.layers.Embedding(11, 1)
    model = keras.Sequential(
        [keras.Input((5,), dtype="int32"), embedding, keras.layers.Flatten(),
         keras.layers.Dense(1, kernel_initializer="ones")]
    )  # fmt: skip
    tokens = RNG.integers(1, 11, (7, 5))
    values = embedding.get_weights()[0][:, 0]
    found = occlusion(model, tokens, unit="step", replacement="zero")
    np.testing.assert_allclose(found, values[tokens] - values[0], atol=1e-6)


def test_random_attribution_is_seeded():
    np.testing.assert_array_equal(random_attribution(X, 3), random_attribution(X, 3))
    assert random_attribution(X).shape == X.shape
    assert (random_attribution(X, 3) != random_attribution(X, 4)).any()


def test_the_attributions_take_one_input():
    inputs = [keras.Input((2,)), keras.Input((2,))]
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Add()(inputs)))
    given = [np.ones((3, 2)), np.ones((3, 2))]
    for method in (saliency, gradient_times_input, integrated_gradients, occlusion):
        with pytest.raises(ValueError, match="a model of one input. Received: '.*' with 2"):
            method(model, given)
    assert len(gradients(model, given)) == 2


@pytest.mark.parametrize(
    "change, message",
    [
        ({"n_steps": 0}, "`n_steps` must be a positive integer"),
        ({"baselines": np.ones(4)}, r"broadcast to the shape of x \(11, 5\). Received: \(4,\)"),
        ({"baselines": np.nan}, "`baselines` must be finite"),
        ({"mask": np.ones((11, 4), bool)}, r"`mask` must be booleans.*\(11, 4\)"),
        ({"target": 3}, "`target` must be between 0 and 2"),
    ],
)
def test_bad_input_of_integrated_gradients(change, message):
    with pytest.raises(ValueError, match=message):
        integrated_gradients(of_kernel(), X, **change)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"unit": "steps"}, "Unknown unit. Did you mean 'step'"),
        ({"replacement": "median"}, "Unknown replacement.*mean"),
        ({"draws": 0}, "`draws` must be a positive integer"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer"),
        ({"x": X[:, :4]}, r"\(samples, 5\). Received: \(11, 4\)"),
    ],
)
def test_bad_input_of_occlusion(change, message):
    with pytest.raises(ValueError, match=message):
        occlusion(of_kernel(), **{"x": X, **change})
