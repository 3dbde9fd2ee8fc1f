"""Pairwise layers over sequences too long for the whole tensor of their scores."""

import keras
import numpy as np
import pytest
from keras import ops

import attention_zoo as az
from attention_zoo.ops import blockwise

BATCH, STEPS, WIDTH = 3, 23, 8
RNG = np.random.default_rng(0)
X = RNG.normal(size=(BATCH, STEPS, WIDTH)).astype("float32")
MASK = RNG.random((BATCH, STEPS)) > 0.3
LAYERS = {
    "self, additive": lambda **more: az.layers.SelfAttention(5, **more),
    "self, general": lambda **more: az.layers.SelfAttention(score="general", **more),
    "heads": lambda **more: az.layers.MultiHeadAttention(2, **more),
    "grouped heads": lambda **more: az.layers.MultiHeadAttention(4, num_key_value_heads=2, **more),
    "shared values": lambda **more: az.layers.MultiHeadAttention(2, shared_values=True, **more),
}


@pytest.fixture
def always_blockwise(monkeypatch):
    """Every pairwise layer evaluates a few queries at a time, as if it were out of memory."""

    def rows_of(rule, inputs):
        return 5

    def start():
        monkeypatch.setattr(blockwise, "PLAIN", 0)
        monkeypatch.setattr(blockwise, "rows_of", rows_of)
        monkeypatch.setattr(blockwise.fused, "can", lambda rule, inputs: False)

    return start


def trained(make, options, dtype="float32"):
    """The outputs of a layer after two steps of training, through `fit`, and with its scores."""
    keras.utils.set_random_seed(3)
    inputs, mask = keras.Input((STEPS, WIDTH)), keras.Input((STEPS,), dtype="bool")
    layer = make(seed=7, dtype=dtype, **options)
    model = keras.Model([inputs, mask], layer(inputs, mask=mask))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit([X, MASK], X, epochs=2, batch_size=BATCH, shuffle=False, verbose=0)
    return model.predict([X, MASK], verbose=0), layer


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}, {"window": 2, "normalizer": "entmax15"}])
@pytest.mark.parametrize("name", LAYERS)
def test_training_is_the_same_in_either_way(name, options, always_blockwise):
    expected, _ = trained(LAYERS[name], options)
    always_blockwise()
    found, layer = trained(LAYERS[name], options)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with_scores, scores = layer(X, mask=MASK, return_attention_scores=True)
    np.testing.assert_allclose(ops.convert_to_numpy(with_scores), expected, atol=1e-4)
    assert scores.shape[-2:] == (STEPS, STEPS)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["self, additive", "heads"])
def test_half_precision_is_as_close_as_it_can_be(name, dtype, always_blockwise):
    keras.utils.set_random_seed(0)
    layer = LAYERS[name](dtype=dtype)
    expected = np.asarray(ops.convert_to_numpy(layer(X, mask=MASK)), "float32")
    always_blockwise()
    # Of logits of a million, rounding decides which is the largest: they are finite, no more
    loud = np.asarray(ops.convert_to_numpy(layer(X * 1e3, mask=MASK)), "float32")
    assert np.isfinite(loud).all()
    found = np.asarray(ops.convert_to_numpy(layer(X, mask=MASK)), "float32")
    step = 2.0**-7 if "bfloat16" in dtype else 2.0**-10
    np.testing.assert_allclose(found, expected, atol=4 * step * np.abs(expected).max())


@pytest.mark.parametrize("name", LAYERS)
def test_what_is_hidden_stays_hidden(name, always_blockwise):
    always_blockwise()
    layer, moved = LAYERS[name](use_causal_mask=True), X.copy()
    mask = MASK.copy()
    mask[:, -1] = True
    moved[~mask] = np.nan
    moved[:, -1] += 1
    before = ops.convert_to_numpy(layer(X, mask=mask))
    after = ops.convert_to_numpy(layer(moved, mask=mask))
    np.testing.assert_array_equal(after[:, :-1], before[:, :-1])
    assert np.all(before[~mask] == 0)


def test_scores_of_long_sequences_say_what_they_take(monkeypatch):
    from attention_zoo.layers import pairwise

    monkeypatch.setattr(pairwise, "_LARGE", 1e-6)
    layer = az.layers.MultiHeadAttention(2, name="attention")
    layer(X)
    with pytest.warns(UserWarning, match="'attention' take .* GiB.*23 queries and 23 keys"):
        layer(X, return_attention_scores=True)


HIDING = np.where(np.tril(np.ones((STEPS, STEPS))), 0, -1e9).astype("float32")
NOTHING = HIDING.copy()
NOTHING[7] = -1e9
EDGES = HIDING.copy()
EDGES[HIDING < 0] = -np.inf
OPTIONS = [
    "softmax",
    "sparsemax",
    "entmax15",
    {"name": "entmax", "alpha": 1.3},
    "sigmoid",
    "normalized_sigmoid",
]


@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("normalizer", OPTIONS, ids=str)
def test_a_bias_that_hides_pairs_does_so_in_half_precision(
    normalizer, dtype, in_blocks, always_blockwise
):
    keras.utils.set_random_seed(0)
    layers = [
        az.layers.MultiHeadAttention(2, normalizer=normalizer, dtype=d, name="attention")
        for d in ("float32", dtype)
    ]
    for layer in layers:
        layer.build(X.shape)
    layers[1].set_weights(layers[0].get_weights())
    for bias in (HIDING, NOTHING, EDGES):
        exact, scores = layers[0](X, score_bias=bias, return_attention_scores=True)
        if in_blocks:
            always_blockwise()
        found = layers[1](X, score_bias=bias)
        again, half = layers[1](X, score_bias=bias, return_attention_scores=True)
        for one, other in ((found, exact), (again, exact), (half, scores)):
            assert keras.backend.standardize_dtype(one.dtype) == dtype[6:]
            # bfloat16 rounds eight times as coarsely
            atol = 0.15 if dtype == "mixed_bfloat16" else 0.05
            np.testing.assert_allclose(array(one), array(other), atol=atol, rtol=0.02)
        hidden = np.broadcast_to(bias < 0, half.shape)
        if bias is HIDING:
            assert np.all(array(half)[hidden] == 0)


@pytest.mark.parametrize("way", ["plain", "blocks", "kernel"])
@pytest.mark.parametrize("name", LAYERS)
def test_what_float16_cannot_hold_is_its_largest_number(name, way, monkeypatch, always_blockwise):
    layer = LAYERS[name](dtype="mixed_float16")
    if way == "blocks":
        always_blockwise()
    elif way == "kernel":
        monkeypatch.setattr(blockwise, "PLAIN", 0)
    assert np.isfinite(array(layer(X * 6e4))).all()
    assert np.isfinite(array(layer(np.sign(X) * 1e9, mask=MASK))).all()


def array(x):
    return np.asarray(ops.convert_to_numpy(ops.cast(x, "float32")))
