"""LuongAttention and BahdanauAttention answer as the package `attention` 5.0.0 with its weights."""

from pathlib import Path

import keras
import numpy as np
import pytest

import attention_zoo as az
from tests.gradients import float64

REFERENCES = Path(__file__).with_name("attention_5_0_0.npz")


def reference(score):
    with np.load(REFERENCES, allow_pickle=False) as file:
        return {k.split(".")[1]: file[k] for k in file.files if k.startswith(f"{score}.")}


def luong(theirs, dtype):
    layer = az.layers.LuongAttention(units=theirs["output"].shape[1], dtype=dtype)
    layer.build(theirs["x"].shape)
    layer.score_kernel.assign(theirs["luong_w"].T)
    layer.output_kernel.assign(theirs["attention_vector"])
    return layer


def bahdanau(theirs, dtype):
    layer = az.layers.BahdanauAttention(
        units=theirs["output"].shape[1], use_bias=False, dtype=dtype
    )
    layer.build(theirs["x"].shape)
    layer.query_kernel.assign(theirs["bahdanau_w1"])
    layer.key_kernel.assign(theirs["bahdanau_w2"])
    layer.score_vector.assign(theirs["bahdanau_v"][:, 0])
    layer.output_kernel.assign(theirs["attention_vector"])
    return layer


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("carry", [luong, bahdanau])
@float64()
def test_the_same_weights_give_the_same_answer(carry, dtype, tolerance):
    theirs = reference(carry.__name__)
    layer = carry(theirs, dtype)
    assert layer.count_params() == sum(
        value.size for name, value in theirs.items() if name not in ("x", "output")
    )
    ours = keras.ops.convert_to_numpy(layer(theirs["x"].astype(dtype)))
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, theirs["output"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("carry", [luong, bahdanau])
def test_padding_that_the_package_cannot_have_changes_nothing(carry, side):
    theirs = reference(carry.__name__)
    x = theirs["x"].astype("float32")
    padding = np.full((x.shape[0], 4, x.shape[2]), np.nan, "float32")
    parts = [x, padding] if side == "right" else [padding, x]
    padded = np.concatenate(parts, axis=1)
    mask = ~np.isnan(padded[..., 0])
    ours = keras.ops.convert_to_numpy(carry(theirs, "float32")(padded, mask=mask))
    np.testing.assert_allclose(ours, theirs["output"], rtol=0, atol=1e-6)
