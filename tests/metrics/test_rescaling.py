"""Temporal saliency rescaling against the loop of the paper."""

import keras
import numpy as np
import pytest

from attention_zoo.metrics.attribution import gradient_times_input, saliency
from attention_zoo.metrics.rescaling import temporal_saliency_rescaling

X = np.random.default_rng(0).normal(size=(3, 7, 2)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.GRU(4), keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential([keras.Input((7, 2)), *layers])


def scaled(values):
    least, most = min(values), max(values)
    return [(v - least) / (most - least) for v in values]


@pytest.mark.parametrize("method", [saliency, gradient_times_input])
@pytest.mark.parametrize("variant", ["cell", "feature"])
def test_against_a_loop(model, method, variant):
    found = temporal_saliency_rescaling(
        model, X, method=method, variant=variant, quantile=0.4, batch_size=4
    )
    chosen = model.predict(X, verbose=0).argmax(1)
    whole = method(model, X, chosen)

    def moved(n, cells):
        part = X[n].copy()
        part[cells] = 0
        return np.abs(method(model, part[None], chosen[[n]])[0] - whole[n]).sum()

    for n in range(3):
        time = scaled([moved(n, (t, slice(None))) for t in range(7)])
        for t in range(7):
            counts = [0.1, 0.1]
            if time[t] > np.quantile(time, 0.4):
                at = slice(None) if variant == "feature" else t
                counts = scaled([moved(n, (at, i)) for i in range(2)])
            np.testing.assert_allclose(found[n, t], np.multiply(time[t], counts), atol=1e-5)


def test_padding_gets_nothing(model):
    mask = np.arange(7) < np.array([7, 4, 2])[:, None]
    found = temporal_saliency_rescaling(model, X, variant="feature", mask=mask)
    assert not found[~mask].any() and found[mask].any()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"variant": "step"}, "Unknown variant.*Known: cell, feature"),
        ({"quantile": 2}, r"`quantile` must be a number in \[0, 1\]"),
        ({"floor": -1}, "`floor` must be"),
        ({"replacement": "ones"}, "Unknown replacement"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer"),
        ({"target": 5}, "`target` must be between 0 and 2"),
    ],
)
def test_bad_input(model, change, message):
    with pytest.raises(ValueError, match=message):
        temporal_saliency_rescaling(model, X, **change)


def test_a_table_has_no_time():
    table = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"\(samples, steps, features\). Received: \(3, 5\)"):
        temporal_saliency_rescaling(table, np.ones((3, 5)))
