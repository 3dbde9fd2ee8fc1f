"""MaskedConv1D: a convolution over the visible steps, whatever stands in the others."""

import keras
import numpy as np
import pytest

from attention_zoo.layers import MaskedConv1D

X = np.random.default_rng(0).normal(size=(3, 11, 2)).astype("float32")
SIZES = [(8, 1, 1), (5, 2, 1), (3, 3, 1), (7, 4, 1), (3, 1, 2)]


def convolved(x, kernel, stride, dilation):
    """In float64, step after step."""
    span = (len(kernel) - 1) * dilation + 1
    steps = []
    for first in range(0, x.shape[1], stride):
        seen = [first - (span - stride) // 2 + i * dilation for i in range(len(kernel))]
        inside = [(i, t) for i, t in enumerate(seen) if 0 <= t < x.shape[1]]
        steps.append(sum(x[:, t].astype("float64") @ kernel[i] for i, t in inside))
    return np.stack(steps, axis=1)


@pytest.mark.parametrize("size, stride, dilation", SIZES)
def test_it_is_its_formula_and_padding_changes_nothing(size, stride, dilation):
    layer = MaskedConv1D(4, size, stride, dilation_rate=dilation, use_bias=False)
    y = keras.ops.convert_to_numpy(layer(X))
    kernel = keras.ops.convert_to_numpy(layer.kernel).astype("float64")
    np.testing.assert_allclose(y, convolved(X, kernel, stride, dilation), atol=1e-5)
    assert layer.compute_output_shape((3, 11, 2)) == y.shape
    assert layer.compute_output_shape((None, None, 2)) == (None, None, 4)
    for more in (1, 6):
        padded = np.concatenate([X, np.full((3, more, 2), np.nan, "float32")], axis=1)
        mask = np.arange(11 + more) < [[11], [11], [4]]
        found = keras.ops.convert_to_numpy(layer(padded, mask=mask))
        np.testing.assert_allclose(found[:2, : y.shape[1]], y[:2], atol=1e-5)
        short = keras.ops.convert_to_numpy(layer(X[2:, :4]))
        np.testing.assert_allclose(found[2:, : short.shape[1]], short, atol=1e-5)
        left = keras.ops.convert_to_numpy(layer.compute_mask(padded, mask))
        assert left.sum(1).tolist() == [y.shape[1], y.shape[1], short.shape[1]]
        assert left.shape == found.shape[:2] and left[:, 0].all()
    assert layer.compute_mask(X, None) is None


def test_any_length_and_the_way_to_a_file(tmp_path):
    x = keras.Input((None, 2))
    masked = keras.layers.Masking(-9.0)(x)
    y = MaskedConv1D(4, 5, 2, activation="relu", kernel_regularizer="l2")(masked)
    model = keras.Model(x, keras.layers.GlobalAveragePooling1D()(y))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    padded = np.concatenate([X, np.full((3, 3, 2), -9, "float32")], axis=1)
    for inputs in (X, padded):
        np.testing.assert_allclose(
            again.predict(inputs, verbose=0), model.predict(X, verbose=0), atol=1e-6
        )


def test_bad_arguments():
    with pytest.raises(ValueError, match="steps would be left out.*kernel_size=3, strides=4"):
        MaskedConv1D(4, 3, 4)
    with pytest.raises(TypeError, match="padding"):
        MaskedConv1D(4, 3, padding="same")
    with pytest.raises(ValueError, match="`mask` must have the shape"):
        MaskedConv1D(4, 3)(X, mask=np.ones((3, 10), bool))
