"""Masks against brute force."""

import numpy as np
import pytest
from keras import ops

from attention_zoo.ops import masks

BATCH, QUERIES, KEYS = 3, 5, 7


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [None, 1, 3])
@pytest.mark.parametrize("given", [(), ("query",), ("key",), ("own",), ("query", "key", "own")])
def test_pairwise_is_every_condition_at_once(causal, window, given):
    rng = np.random.default_rng(0)
    query, key = rng.random((BATCH, QUERIES)) > 0.3, rng.random((BATCH, KEYS)) > 0.3
    own = rng.random((BATCH, QUERIES, KEYS)) > 0.3
    visible = masks.visible_pairs(
        query_mask=ops.convert_to_tensor(query) if "query" in given else None,
        key_mask=ops.convert_to_tensor(key) if "key" in given else None,
        attention_mask=ops.convert_to_tensor(own) if "own" in given else None,
        query_steps=ops.arange(QUERIES),
        key_steps=ops.arange(KEYS),
        causal=causal,
        window=window,
    )
    expected = np.ones((BATCH, QUERIES, KEYS), bool)
    for b, i, j in np.ndindex(expected.shape):
        expected[b, i, j] = (
            (not causal or j <= i)
            and (window is None or abs(i - j) <= window)
            and ("query" not in given or query[b, i])
            and ("key" not in given or key[b, j])
            and ("own" not in given or own[b, i, j])
        )
    if visible is None:
        assert expected.all() and not given and not causal and window is None
    else:
        found = np.broadcast_to(ops.convert_to_numpy(visible), expected.shape)
        np.testing.assert_array_equal(found, expected)


def test_apply_mask_hides_whatever_stands_there():
    x = np.full((2, 3, 2), np.nan, "float32")
    x[:, 0] = 1
    hidden = masks.apply_mask(
        ops.convert_to_tensor(x), ops.convert_to_tensor([[True, False, False]] * 2)
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(hidden), np.nan_to_num(x))
    assert masks.apply_mask(x, None) is x


def test_integers_are_booleans_and_lists_are_masks():
    mask = masks.standardize([[1, 0, 1]], (1, 3))
    np.testing.assert_array_equal(ops.convert_to_numpy(mask), [[True, False, True]])
    assert masks.standardize(None, (1, 3)) is None


def test_a_floating_mask_is_never_misread():
    with pytest.raises(TypeError, match="`mask` must be boolean.*Received: dtype float32"):
        masks.standardize(np.ones((1, 3), "float32"), (1, 3))


@pytest.mark.parametrize("shape", [(3,), (2, 3, 1), (2, 4), (1, 3)])
def test_a_mask_of_another_shape_names_both(shape):
    with pytest.raises(ValueError, match=r"shape \(2, 3\). Received: \("):
        masks.standardize(np.ones(shape, bool), (2, 3))
