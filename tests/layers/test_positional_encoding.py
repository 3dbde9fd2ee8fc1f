"""PositionalEncoding: sines and cosines of the place among the visible steps."""

import keras
import numpy as np
import pytest

from attention_zoo.layers import PositionalEncoding

X = np.random.default_rng(0).normal(size=(3, 11, 5)).astype("float32")


def encoded(x, steps, channels=6, wavelength=100.0):
    """In float64, step after step."""
    rows = []
    for sample, places in zip(x.astype("float64"), steps, strict=True):
        for row, t in zip(sample, places, strict=True):
            angles = [t / wavelength ** (2 * k / channels) for k in range(channels // 2)]
            rows.append([*np.sin(angles), *row, *np.cos(angles)])
    return np.reshape(rows, (*x.shape[:2], -1))


def test_it_is_its_formula():
    y = keras.ops.convert_to_numpy(PositionalEncoding(channels=6)(X))
    np.testing.assert_allclose(y, encoded(X, [range(11)] * 3), atol=1e-5)


def test_masked_steps_are_not_counted():
    mask = np.ones((3, 11), bool)
    mask[1, :4] = mask[2, 5:] = False
    y = keras.ops.convert_to_numpy(PositionalEncoding(channels=6)(X, mask=mask))
    expected = encoded(X, mask.cumsum(1) - 1)
    np.testing.assert_allclose(y[mask], expected[mask], atol=1e-5)


def test_any_length_and_the_way_to_a_file(tmp_path):
    x = keras.Input((None, 5))
    model = keras.Model(x, PositionalEncoding(channels=6, max_wavelength=31.0)(x))
    assert model.output_shape == (None, None, 11)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    for length in (1, 11):
        np.testing.assert_array_equal(
            again.predict(X[:, :length], verbose=0), model.predict(X[:, :length], verbose=0)
        )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_tells_far_steps_apart(policy):
    long = np.zeros((1, 4099, 1), "float32")
    y = keras.ops.cast(PositionalEncoding(dtype=policy)(long), "float32")
    exact = PositionalEncoding()(long)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(y), keras.ops.convert_to_numpy(exact), atol=5e-3
    )


def test_bad_arguments():
    with pytest.raises(ValueError, match="`channels` must be an even number.*channels=5"):
        PositionalEncoding(channels=5)
    with pytest.raises(ValueError, match="`max_wavelength` must be a finite number > 0"):
        PositionalEncoding(max_wavelength=0)
    with pytest.raises(ValueError, match="rank 3"):
        PositionalEncoding()(X[0])
