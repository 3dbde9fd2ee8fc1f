"""LuongAttention and BahdanauAttention beyond the contract."""

import keras
import numpy as np
import pytest

import attention_zoo as az

SAMPLES, TIME, FEATURES, UNITS = 3, 11, 4, 7
LAYERS = {
    "general": lambda **kw: az.layers.LuongAttention(UNITS, **kw),
    "dot": lambda **kw: az.layers.LuongAttention(UNITS, score="dot", **kw),
    "scaled_dot": lambda **kw: az.layers.LuongAttention(UNITS, score="scaled_dot", **kw),
    "bahdanau": lambda **kw: az.layers.BahdanauAttention(UNITS, attention_units=5, **kw),
}
every = pytest.mark.parametrize("name", LAYERS)
any_width = pytest.mark.parametrize("name", ["general", "bahdanau"])

RIGHT = np.arange(TIME)[None] < np.array([[TIME], [6], [1]])
LEFT = RIGHT[:, ::-1].copy()
HOLES = RIGHT & (np.arange(TIME)[None] != 5)
NOTHING = np.zeros((SAMPLES, TIME), bool)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def steps(time=TIME, width=FEATURES):
    return draw(SAMPLES, time, width)


def array(x):
    return keras.ops.convert_to_numpy(x)


def output_of(layer, x, mask=None):
    return array(layer(x, mask=mask))


@every
@pytest.mark.parametrize("mask", [None, RIGHT, LEFT, HOLES], ids=["none", "right", "left", "holes"])
def test_alone_the_query_is_the_last_visible_state(name, mask):
    x, layer = steps(), LAYERS[name]()
    visible = np.ones((SAMPLES, TIME), bool) if mask is None else mask
    last = [np.flatnonzero(row)[-1] for row in visible]
    alone, scores = layer(x, mask=mask, return_attention_scores=True)
    given, pairs = layer(
        x[np.arange(SAMPLES), last], x, value_mask=mask, return_attention_scores=True
    )
    assert alone.shape == (SAMPLES, UNITS) and scores.shape == (SAMPLES, TIME)
    np.testing.assert_allclose(array(alone), array(given), atol=1e-6)
    np.testing.assert_allclose(array(scores), array(pairs), atol=1e-6)


@every
def test_a_sample_of_padding_gives_zeros_whatever_it_holds(name):
    x = np.full((SAMPLES, TIME, FEATURES), np.nan, "float32")
    y, scores = LAYERS[name]()(x, mask=NOTHING, return_attention_scores=True)
    assert np.all(array(y) == 0) and np.all(array(scores) == 0)


def show_query(layer):
    """An output kernel that shows the query's first half in column 0, its second in column 1."""
    kernel = np.zeros((2 * FEATURES, UNITS))
    kernel[FEATURES : FEATURES + FEATURES // 2, 0] = 1
    kernel[FEATURES + FEATURES // 2 :, 1] = 1
    layer.output_kernel.assign(kernel)


def halves(layer, x, mask, step):
    """Whether each half of the query notices a change of one step."""
    changed = x.copy()
    changed[:, step] += 0.25
    moved = output_of(layer, x, mask) - output_of(layer, changed, mask)
    return (np.abs(moved[:, :2]) > 1e-6).tolist()


@every
def test_bidirectional_takes_the_end_of_each_half(name):
    x, layer = steps(), LAYERS[name](bidirectional=True)
    layer.build(x.shape)
    show_query(layer)
    assert halves(layer, x, None, 0) == [[False, True]] * SAMPLES
    assert halves(layer, x, None, TIME - 1) == [[True, False]] * SAMPLES
    assert halves(layer, x, RIGHT, 5) == [[False, False], [True, False], [False, False]]
    assert halves(layer, x, RIGHT, 0) == [[False, True], [False, True], [True, True]]
    assert halves(layer, x, LEFT, 5) == [[False, False], [False, True], [False, False]]
    assert halves(layer, x, LEFT, TIME - 1) == [[True, False], [True, False], [True, True]]


@any_width
@pytest.mark.parametrize("padding", [None, "right", "left"])
def test_after_a_bidirectional_lstm_both_halves_have_read_an_early_and_a_late_step(name, padding):
    keras.utils.set_random_seed(3)
    x, valid = steps(9), slice(0, 9)
    if padding:
        fill = np.full((SAMPLES, 3, FEATURES), -9, "float32")
        x = np.concatenate([x, fill] if padding == "right" else [fill, x], axis=1)
        valid = slice(0, 9) if padding == "right" else slice(3, 12)
    layer = LAYERS[name](bidirectional=True)
    model = keras.Sequential(
        [
            keras.layers.Masking(-9.0),
            keras.layers.Bidirectional(keras.layers.LSTM(FEATURES // 2, return_sequences=True)),
            layer,
        ]
    )
    model.build(x.shape)
    show_query(layer)
    for step in (valid.start + 1, valid.stop - 2):
        changed = x.copy()
        changed[:, step] += 2
        moved = np.abs(array(model(x)) - array(model(changed)))[:, :2]
        assert np.all(moved > 1e-6), f"step {step}: {moved}"


@every
def test_two_lengths_through_one_layer(name):
    layer, x = LAYERS[name](), steps(4)
    y = output_of(layer, x)
    padded = np.concatenate([x, np.full((SAMPLES, 3, FEATURES), 1e4, "float32")], axis=1)
    mask = np.broadcast_to(np.arange(7) < 4, (SAMPLES, 7))
    np.testing.assert_allclose(output_of(layer, padded, mask), y, atol=1e-6)


@every
def test_a_sequence_of_queries_of_another_length(name):
    layer, queries, x = LAYERS[name](), draw(SAMPLES, 5, FEATURES, seed=1), steps()
    y, scores = layer(queries, x, value_mask=RIGHT, return_attention_scores=True)
    assert y.shape == (SAMPLES, 5, UNITS) and scores.shape == (SAMPLES, 5, TIME)
    for q in range(5):
        one, row = layer(queries[:, q], x, value_mask=RIGHT, return_attention_scores=True)
        np.testing.assert_allclose(array(y)[:, q], array(one), atol=1e-6)
        np.testing.assert_allclose(array(scores)[:, q], array(row), atol=1e-6)


@every
def test_masked_queries_and_keys_are_zeros(name):
    queries, x = draw(SAMPLES, 5, FEATURES, seed=1), steps()
    shown = np.arange(5)[None] < np.array([[5], [2], [0]])
    key_mask = np.arange(TIME)[None] > np.array([[0], [1], [2]])
    queries[~shown], x[~RIGHT] = np.nan, np.nan
    y, scores = LAYERS[name]()(
        queries,
        x,
        np.where(key_mask[..., None], np.nan_to_num(x), np.nan),
        query_mask=shown,
        value_mask=RIGHT,
        key_mask=key_mask,
        return_attention_scores=True,
    )
    visible = shown[:, :, None] & (RIGHT & key_mask)[:, None]
    assert np.all(array(scores)[~visible] == 0) and np.all(array(y)[~shown] == 0)
    np.testing.assert_allclose(array(scores).sum(-1), visible.any(-1), atol=1e-6)
    assert np.all(np.isfinite(array(y)))


@any_width
def test_widths_of_their_own(name):
    layer = LAYERS[name]()
    y, scores = layer(
        draw(SAMPLES, 2),
        draw(SAMPLES, TIME, 6),
        draw(SAMPLES, TIME, 3),
        return_attention_scores=True,
    )
    assert y.shape == (SAMPLES, UNITS) and scores.shape == (SAMPLES, TIME)
    assert tuple(layer.output_kernel.shape) == (6 + 2, UNITS)


@every
def test_keras_hands_over_both_masks_and_the_queries_mask_goes_on(name):
    embed = keras.layers.Embedding(9, FEATURES, mask_zero=True)
    asked, told = keras.Input((None,)), keras.Input((None,))
    layer = LAYERS[name]()
    outputs = layer(embed(asked), embed(told), return_attention_scores=True)
    model = keras.Model([asked, told], outputs)
    words = [np.array([[1, 2, 0], [3, 0, 0]]), np.array([[4, 5, 6, 0, 0], [7, 0, 0, 0, 0]])]
    y, scores = model(words)
    assert y.shape == (2, 3, UNITS)
    assert np.array_equal(array(scores) > 0, (words[0] != 0)[:, :, None] & (words[1] != 0)[:, None])
    outgoing = layer(embed(words[0]), embed(words[1]))._keras_mask
    assert np.array_equal(array(outgoing), words[0] != 0)
    assert getattr(layer(embed(words[0])), "_keras_mask", None) is None
    alone = array(layer(embed(words[1]), return_attention_scores=True)[1])
    assert np.array_equal(alone > 0, words[1] != 0)


@every
def test_the_symbolic_shapes_are_the_eager_ones(name):
    layer = LAYERS[name]()
    x, several = keras.Input((None, FEATURES)), keras.Input((None, FEATURES))
    one = keras.Input((FEATURES,))
    assert [t.shape for t in layer(x, return_attention_scores=True)] == [
        (None, UNITS),
        (None, None),
    ]
    assert [t.shape for t in layer(one, x, return_attention_scores=True)] == [
        (None, UNITS),
        (None, None),
    ]
    assert [t.shape for t in layer(several, x, return_attention_scores=True)] == [
        (None, None, UNITS),
        (None, None, None),
    ]
    assert layer(several, x).shape == (None, None, UNITS)


@every
def test_saved_with_a_query_and_loaded(name, tmp_path):
    query, x = keras.Input((FEATURES,)), keras.Input((None, FEATURES))
    model = keras.Model([query, x], LAYERS[name]()(query, x))
    data = [draw(SAMPLES, FEATURES), steps()]
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(array(again(data)), array(model(data)))


@any_width
@pytest.mark.parametrize("bidirectional", [False, True])
def test_in_the_factories_and_after_words(name, bidirectional):
    layer = LAYERS[name](bidirectional=bidirectional, name="it")
    model = az.build(
        "lstm_after", input_shape=(20, 2), attention=layer, bidirectional=bidirectional
    )
    assert model.output_shape == (None, 1)
    again = az.build(*az.models.blueprint(model)[:1], **az.models.blueprint(model)[1])
    assert again.get_layer("it").get_config() == layer.get_config()
    lstm = keras.layers.LSTM(FEATURES, return_sequences=True)
    words = np.array([[3, 4, 0, 0], [1, 2, 5, 0], [0, 0, 0, 0]])
    reader = keras.Sequential(
        [
            keras.layers.Embedding(9, 4, mask_zero=True),
            keras.layers.Bidirectional(lstm) if bidirectional else lstm,
            LAYERS[name](bidirectional=bidirectional, name="it"),
            keras.layers.Dense(1),
        ]
    )
    reader.compile("sgd", "mse")
    reader.fit(words, np.ones((3, 1)), verbose=0)
    assert np.all(np.isfinite(reader.predict(words, verbose=0)))
    scores = az.attention_scores(reader, words)["it"]
    assert np.array_equal(scores > 0, words != 0)


@pytest.mark.parametrize("name", ["luong", "bahdanau", "pooling"])
def test_by_name_in_a_factory(name):
    for bidirectional in (False, True):
        model = az.build(
            "lstm_after", attention=name, input_shape=(20, 2), bidirectional=bidirectional
        )
        assert model.predict(draw(2, 20, 2), verbose=0).shape == (2, 1)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: az.layers.LuongAttention(units=0), "`units` must be a positive integer. Rec"),
        (lambda: az.layers.LuongAttention(units=None), "`units` must be a positive integer. Rec"),
        (lambda: az.layers.BahdanauAttention(units=-1), "Received: units=-1"),
        (lambda: az.layers.BahdanauAttention(attention_units=0), "`attention_units` must be"),
        (lambda: az.layers.LuongAttention(score="generl"), "Did you mean 'general'"),
        (lambda: az.layers.LuongAttention(score="additive"), "Known: dot, general, scaled_dot"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_bidirectional_is_true_or_false():
    with pytest.raises(TypeError, match="`bidirectional` must be True or False"):
        az.layers.LuongAttention(bidirectional=2)


def query(*shape):
    return np.ones(shape, "float32")


X = query(2, 5, 4)
BAD_CALLS = {
    "a vector alone": ((query(2, 4),), {}, "return_sequences=True"),
    "four axes": ((query(2, 3, 5, 4), X), {}, "queries of rank 2 or 3"),
    "a value of two": ((query(2, 4), query(2, 4)), {}, "values and keys of rank 3"),
    "a list": (([X, X],), {}, r"layer\(query, value\).*2 tensors"),
    "batches": ((query(3, 4), X), {}, "one batch size. Received: query 3, value 2, key 2"),
    "lengths": ((X, X, query(2, 6, 4)), {}, "one length. Received: value 5, key 6"),
    "a key alone": ((X,), {"key": X}, r"`key` of LuongAttention needs a `value`.*shape \(2, 5, 4"),
    "a value's mask alone": ((X,), {"value_mask": np.ones((2, 5), bool)}, "needs a `value`"),
    "one mask for two": ((X, X), {"mask": np.ones((2, 5), bool)}, "use `value_mask`"),
    "a short mask": ((X,), {"mask": np.ones((2, 4), bool)}, r"`mask` must have the shape \(2, 5\)"),
    "a short query mask": ((X, X), {"query_mask": np.ones((2, 4), bool)}, "`query_mask` must have"),
    "a short value mask": ((X, X), {"value_mask": np.ones((2, 4), bool)}, "`value_mask` must have"),
    "a query's width": ((query(2, 3), X), {}, "was built for 4 query features. Received: 3"),
    "a value's width": ((X, query(2, 5, 3)), {}, "was built for 4 value features. Received: 3"),
    "a key's width": ((X, X, query(2, 5, 3)), {}, "was built for 4 key features. Received: 3"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(case):
    arguments, masks, message = BAD_CALLS[case]
    layer = az.layers.LuongAttention(UNITS)
    layer.build((None, None, 4))
    with pytest.raises(ValueError, match=message):
        layer(*arguments, **masks)


def test_bad_builds():
    with pytest.raises(ValueError, match="one width.*query width 3, key width 4"):
        az.layers.LuongAttention(UNITS, score="dot")(query(2, 3), X)
    with pytest.raises(ValueError, match="none can be given"):
        az.layers.LuongAttention(UNITS, bidirectional=True)(query(2, 4), X)
    with pytest.raises(ValueError, match="two halves.*Received: 5 features"):
        az.layers.BahdanauAttention(UNITS, bidirectional=True)(query(2, 3, 5))
    with pytest.raises(ValueError, match="needs a fixed query feature size"):
        az.layers.BahdanauAttention(UNITS)(keras.Input((5, None)))


@every
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_sequence_without_steps_is_one_without_visible_steps(name, bidirectional):
    layer = LAYERS[name](bidirectional=bidirectional)
    y, scores = layer(steps(0), return_attention_scores=True)
    assert scores.shape == (SAMPLES, 0) and np.all(array(y) == np.zeros((SAMPLES, UNITS)))
