"""SelfAttention, CrossAttention and MultiHeadAttention beyond the contract."""

import keras
import numpy as np
import pytest
from keras import ops

import attention_zoo as az
from attention_zoo.ops import blockwise

BATCH, STEPS, KEYS, WIDTH = 3, 7, 11, 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(BATCH, STEPS, WIDTH)).astype("float32")
MEMORY = RNG.normal(size=(BATCH, KEYS, WIDTH)).astype("float32")


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("name", ["self_attention", "multi_head"])
@pytest.mark.parametrize(
    "options", [{"use_causal_mask": True}, {"window": 2}, {"use_causal_mask": True, "window": 2}]
)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_nothing_leaks_from_a_forbidden_step(name, options, training, asked):
    """Every forbidden cell is exactly 0, and a change there changes nothing here."""
    more = {"num_heads": 2} if name == "multi_head" else {}
    layer = az.layers.get(name, **options, **more)
    scores = array(layer(X, return_attention_scores=True)[1]).reshape(BATCH, -1, STEPS, STEPS)
    for i, j in np.ndindex(STEPS, STEPS):
        allowed = (not options.get("use_causal_mask") or j <= i) and abs(i - j) <= options.get(
            "window", 99
        )
        assert np.all((scores[:, :, i, j] > 0) == allowed)
    flags = {"training": training, "return_attention_scores": asked}

    def run(x):
        outputs = layer(x, **flags)
        return array(outputs[0] if asked else outputs)

    before = run(X)
    for step in range(STEPS):
        moved = X.copy()
        moved[:, step] += 1
        blind = [i for i in range(STEPS) if not scores[0, 0, i, step] > 0]
        np.testing.assert_array_equal(run(moved)[:, blind], before[:, blind])


@pytest.mark.parametrize("num_key_value_heads", [None, 1, 2])
def test_heads_are_those_of_keras_given_its_weights(num_key_value_heads):
    heads, dim = 4, 5
    layer = az.layers.MultiHeadAttention(
        heads, key_dim=dim, num_key_value_heads=num_key_value_heads
    )
    if num_key_value_heads is None:
        peer = keras.layers.MultiHeadAttention(heads, dim)
    else:
        peer = keras.layers.GroupQueryAttention(dim, heads, num_key_value_heads)
    expected, expected_scores = peer(X, MEMORY, return_attention_scores=True)
    layer.build(X.shape, MEMORY.shape)
    weights = [np.asarray(w) for w in peer.get_weights()]
    weights_here = {}
    for name, kernel, bias in zip(
        ("query", "key", "value", "output"), weights[::2], weights[1::2], strict=True
    ):
        weights_here[f"{name}_kernel"] = (
            kernel.reshape(-1, WIDTH) if name == "output" else kernel.reshape(WIDTH, -1)
        )
        weights_here[f"{name}_bias"] = bias.reshape(-1)
    for variable in layer.weights:
        variable.assign(weights_here[variable.name])
    outputs, scores = layer(X, MEMORY, return_attention_scores=True)
    np.testing.assert_allclose(array(outputs), array(expected), atol=1e-5)
    np.testing.assert_allclose(array(scores), array(expected_scores), atol=1e-5)


def test_with_shared_values_the_mean_over_heads_is_the_attention_of_the_output():
    layer = az.layers.MultiHeadAttention(3, key_dim=2, shared_values=True)
    outputs, scores = layer(X, MEMORY, return_attention_scores=True)
    values = MEMORY @ array(layer.value_kernel) + array(layer.value_bias)
    mixed = array(scores).mean(1) @ values
    by_hand = mixed @ array(layer.output_kernel) + array(layer.output_bias)
    np.testing.assert_allclose(array(outputs), by_hand, atol=1e-5)


def test_a_score_bias_is_added_to_the_logits():
    layer = az.layers.MultiHeadAttention(2)
    distance = -np.abs(np.arange(STEPS)[:, None] - np.arange(STEPS)).astype("float32")
    bias = distance * np.array([1e3, 0], "float32")[:, None, None]
    scores = array(layer(X, score_bias=bias, return_attention_scores=True)[1])
    plain = array(layer(X, return_attention_scores=True)[1])
    np.testing.assert_allclose(scores[:, 0], np.broadcast_to(np.eye(STEPS), (BATCH, STEPS, STEPS)))
    np.testing.assert_allclose(scores[:, 1], plain[:, 1], atol=1e-6)


@pytest.mark.parametrize("name", ["self_attention", "multi_head", "cross_attention"])
def test_the_users_own_mask_is_one_condition_more(name):
    mask = RNG.random((BATCH, STEPS, STEPS)) > 0.5
    layer = az.layers.get(name, **({"num_heads": 2} if name == "multi_head" else {}))
    inputs = (X, X) if name == "cross_attention" else (X,)
    scores = array(layer(*inputs, attention_mask=mask, return_attention_scores=True)[1])
    hidden = np.broadcast_to(mask if scores.ndim == 3 else mask[:, None], scores.shape) == 0
    assert np.all(scores[hidden] == 0)
    assert np.all(scores[~hidden] > 0)


BOOLEAN = RNG.random((BATCH, 2, STEPS, KEYS)) > 0.4
#: The shapes of an attention mask, from a mask for each sample, head, query and key.
SHAPES = {
    "(T, S)": BOOLEAN[0, 0],
    "(1, T, S)": BOOLEAN[:1, 0],
    "(B, T, S)": BOOLEAN[:, 0],
    "(B, 1, S)": BOOLEAN[:, 0, :1],
    "(B, 1, T, S)": BOOLEAN[:, :1],
    "(1, H, T, S)": BOOLEAN[:1],
    "(B, H, T, S)": BOOLEAN,
}


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["self_attention", "cross_attention", "multi_head"])
def test_attention_masks_have_the_shapes_and_dtypes_of_keras(
    name, shape, dtype, asked, monkeypatch
):
    mask = SHAPES[shape] if name != "self_attention" else SHAPES[shape][..., :STEPS]
    inputs = (X,) if name == "self_attention" else (X, MEMORY)
    layer = az.layers.get(name, **({"num_heads": 2} if name == "multi_head" else {}))
    given = {"attention_mask": mask.astype(dtype)}
    if "H" in shape and name != "multi_head":
        with pytest.raises(ValueError, match="`attention_mask` must have one of the shapes"):
            layer(*inputs, **given)
        return
    outputs, scores = map(array, layer(*inputs, **given, return_attention_scores=True))
    whole = mask.reshape((1,) * (4 - mask.ndim) + mask.shape) if mask.ndim != 3 else mask[:, None]
    pairs = scores.reshape(BATCH, -1, *scores.shape[-2:])
    np.testing.assert_array_equal(pairs > 0, np.broadcast_to(whole, pairs.shape))
    symbols = [keras.Input(x.shape[1:]) for x in inputs]
    mask_symbol = keras.Input(batch_shape=mask.shape, dtype=dtype)
    assert layer(*symbols, attention_mask=mask_symbol).shape[1:] == outputs.shape[1:]
    if not asked:
        monkeypatch.setattr(blockwise, "PLAIN", 0)
        monkeypatch.setattr(blockwise, "rows_of", lambda rule, given: 3)
        np.testing.assert_allclose(array(layer(*inputs, **given)), outputs, atol=1e-6)


def test_the_attention_masks_of_keras_hide_the_same_pairs():
    for mask in (BOOLEAN[0, 0], BOOLEAN[:, 0], BOOLEAN):
        peer = keras.layers.MultiHeadAttention(2, 3)
        layer = az.layers.MultiHeadAttention(2, key_dim=3)
        pairs = [
            array(one(X, MEMORY, attention_mask=mask, return_attention_scores=True)[1]) > 0
            for one in (peer, layer)
        ]
        np.testing.assert_array_equal(*pairs)


def test_masks_of_embedded_sequences_reach_both_sides():
    words, other = keras.Input((STEPS,), dtype="int32"), keras.Input((KEYS,), dtype="int32")
    embed = keras.layers.Embedding(9, WIDTH, mask_zero=True)
    outputs, scores = az.layers.CrossAttention(name="attention")(
        embed(words), embed(other), return_attention_scores=True
    )
    model = keras.Model([words, other], [outputs, scores])
    a, b = RNG.integers(1, 9, (BATCH, STEPS)), RNG.integers(1, 9, (BATCH, KEYS))
    a[0, 4:], b[1, :3] = 0, 0
    outputs, scores = model.predict([a, b], verbose=0)
    assert np.all(scores[0, 4:] == 0) and np.all(outputs[0, 4:] == 0)
    assert np.all(scores[1, :, :3] == 0)
    np.testing.assert_allclose(scores[1].sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: az.layers.MultiHeadAttention(0), "`num_heads` must be a positive integer"),
        (lambda: az.layers.MultiHeadAttention(2.5), "`num_heads` must be a positive integer"),
        (lambda: az.layers.MultiHeadAttention(True), "`num_heads` must be a positive integer"),
        (lambda: az.layers.MultiHeadAttention("8"), "`num_heads` must be a positive integer"),
        (
            lambda: az.layers.MultiHeadAttention(4, num_key_value_heads=3),
            "`num_key_value_heads` must divide `num_heads`",
        ),
        (lambda: az.layers.MultiHeadAttention(4)(X), "`num_heads` must divide the query's width"),
        (lambda: az.layers.SelfAttention(window=0), "`window` must be a positive integer"),
        (lambda: az.layers.SelfAttention(window=-3), "`window` must be a positive integer"),
        (lambda: az.layers.SelfAttention(score="aditive"), "Did you mean 'additive'"),
        (lambda: az.layers.SelfAttention()(X[0]), "rank 3"),
        (lambda: az.layers.SelfAttention()(X, mask=np.ones((BATCH, 5), bool)), r"`mask` must have"),
        (
            lambda: az.layers.SelfAttention()(X, attention_mask=np.ones((BATCH, STEPS, 5), bool)),
            r"`attention_mask` must have one of the shapes \(7, 7\), \(3, 7, 7\)",
        ),
        (lambda: az.layers.CrossAttention()(X), "needs a `value`"),
        (lambda: az.layers.CrossAttention()(X, MEMORY, X), "needs inputs of one length"),
        (lambda: az.layers.CrossAttention()(X, MEMORY[:2]), "needs inputs of one batch size"),
        (lambda: az.layers.CrossAttention(score="dot")(X, MEMORY[..., :2]), "of one width"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("multi_head", {"num_heads": 4, "key_dim": 8}),
        ("self_attention", {"score": "additive"}),
        ("self_attention", {"score": "general"}),
    ],
)
def test_untrained_self_attention_prefers_no_step(name, options):
    x = np.random.default_rng(0).normal(size=(67, 20, 31)).astype("float32")
    own = []
    for seed in range(11):
        keras.utils.set_random_seed(seed)
        _, scores = az.layers.get(name, **options)(x, return_attention_scores=True)
        own.append(np.trace(array(scores), axis1=-2, axis2=-1).mean() / 20)
    assert abs(np.median(own) - 1 / 20) < 0.02


CAUSAL = {
    "heads": lambda **more: az.layers.MultiHeadAttention(2, use_causal_mask=True, **more),
    "grouped": lambda **more: az.layers.MultiHeadAttention(
        3, num_key_value_heads=1, use_causal_mask=True, **more
    ),
    "shared": lambda **more: az.layers.MultiHeadAttention(
        2, shared_values=True, use_causal_mask=True, normalizer="entmax15", **more
    ),
}


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("name", CAUSAL)
def test_a_causal_pass_is_that_of_one_query_at_a_time_over_growing_keys(name, window):
    layer = CAUSAL[name](window=window)
    whole, scores = map(array, layer(X, return_attention_scores=True))
    for t in range(STEPS):
        keys_so_far = slice(0 if window is None else max(0, t - window), t + 1)
        one, row = layer(
            X[:, t : t + 1], X[:, keys_so_far], use_causal_mask=False, return_attention_scores=True
        )
        np.testing.assert_allclose(array(one)[:, 0], whole[:, t], atol=1e-6)
        np.testing.assert_allclose(array(row)[..., 0, :], scores[:, :, t, keys_so_far], atol=1e-6)


@pytest.mark.parametrize("score", ["additive", "general", "dot"])
def test_causal_self_attention_over_growing_steps_is_that_over_all(score):
    layer = az.layers.SelfAttention(score=score, use_causal_mask=True)
    whole = array(layer(X))
    for t in range(STEPS):
        for flag in (None, True, False):
            last = array(layer(X[:, : t + 1], use_causal_mask=flag))[:, -1]
            np.testing.assert_allclose(last, whole[:, t], atol=1e-6)


@pytest.mark.parametrize("keys", [2, STEPS, KEYS])
@pytest.mark.parametrize("queries", [1, STEPS])
def test_the_causal_mask_of_a_call_is_that_of_keras(queries, keys):
    peer = keras.layers.MultiHeadAttention(2, 3)
    _, expected = peer(
        X[:, :queries], MEMORY[:, :keys], use_causal_mask=True, return_attention_scores=True
    )
    for layer in (az.layers.MultiHeadAttention(2), az.layers.CrossAttention()):
        _, scores = layer(
            X[:, :queries], MEMORY[:, :keys], use_causal_mask=True, return_attention_scores=True
        )
        found = array(scores).reshape(BATCH, -1, queries, keys)
        np.testing.assert_array_equal(found[0, 0] > 0, array(expected)[0, 0] > 0)


@pytest.mark.parametrize("name", ["self_attention", "multi_head"])
def test_the_call_decides_and_none_leaves_it_to_the_layer(name):
    more = {"num_heads": 2} if name == "multi_head" else {}
    for causal in (False, True):
        layer = az.layers.get(name, use_causal_mask=causal, **more)
        for flag in (None, False, True):
            _, scores = layer(X, use_causal_mask=flag, return_attention_scores=True)
            ahead = np.triu(array(scores).reshape(-1, STEPS, STEPS)[0], 1)
            assert (np.count_nonzero(ahead) == 0) == (causal if flag is None else flag)
            symbol = layer(keras.Input((None, WIDTH)), use_causal_mask=flag)
            assert symbol.shape == (None, None, WIDTH)
    with pytest.raises(TypeError, match="`use_causal_mask` must be True or False"):
        layer(X, use_causal_mask="yes")


def test_a_causal_call_is_kept_in_a_functional_model(tmp_path):
    inputs = keras.Input((STEPS, WIDTH))
    model = keras.Model(inputs, az.layers.MultiHeadAttention(2)(inputs, use_causal_mask=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    moved = X.copy()
    moved[:, -1] += 1
    before, after = (loaded.predict(x, verbose=0) for x in (X, moved))
    np.testing.assert_array_equal(after[:, :-1], before[:, :-1])
    np.testing.assert_array_equal(before, model.predict(X, verbose=0))
