"""AttentionPooling beyond the contract."""

import keras
import numpy as np
import pytest

import attention_zoo as az

SAMPLES, TIME, FEATURES = 3, 11, 5


def steps(time=TIME, seed=0):
    return np.random.default_rng(seed).normal(size=(SAMPLES, time, FEATURES)).astype("float32")


def array(x):
    return keras.ops.convert_to_numpy(x)


def test_two_hops_are_two_queries_one_after_the_other():
    x = steps()
    both = az.layers.AttentionPooling(units=7, hops=2)
    y, scores = both(x, return_attention_scores=True)
    assert y.shape == (SAMPLES, 2 * FEATURES) and scores.shape == (SAMPLES, 2, TIME)
    kernel, bias, queries = both.get_weights()
    for hop in range(2):
        one = az.layers.AttentionPooling(units=7)
        one.build(x.shape)
        one.set_weights([kernel, bias, queries[:, hop : hop + 1]])
        part, row = one(x, return_attention_scores=True)
        assert row.shape == (SAMPLES, TIME)
        np.testing.assert_allclose(
            array(y)[:, hop * FEATURES : (hop + 1) * FEATURES], array(part), atol=1e-6
        )
        np.testing.assert_allclose(array(scores)[:, hop], array(row), atol=1e-6)


def test_a_dot_query_finds_the_step_that_is_like_it():
    x = steps()
    x[:, 6] = [9, 0, 0, 0, 0]
    layer = az.layers.AttentionPooling(score="dot")
    layer.build(x.shape)
    layer.set_weights([np.array([[9.0], [0], [0], [0], [0]])])
    y, scores = layer(x, return_attention_scores=True)
    assert np.all(array(scores)[:, 6] > 0.999)
    np.testing.assert_allclose(array(y), x[:, 6], atol=0.01)


@pytest.mark.parametrize(
    "score, names", [("additive", ["kernel", "bias", "queries"]), ("dot", ["queries"])]
)
def test_the_weights_of_each_score(score, names):
    layer = az.layers.AttentionPooling(score=score, units=7)
    layer.build((None, None, FEATURES))
    assert [w.name for w in layer.weights] == names


@pytest.mark.parametrize("hops", [1, 2])
def test_two_lengths_through_one_layer_and_padding_is_no_step(hops):
    layer = az.layers.AttentionPooling(hops=hops)
    short = steps(4)
    y = array(layer(short))
    longer = np.concatenate([short, np.full((SAMPLES, 3, FEATURES), np.nan, "float32")], axis=1)
    mask = np.arange(7)[None] < np.array([[4]] * SAMPLES)
    np.testing.assert_allclose(array(layer(longer, mask=mask)), y, atol=1e-6)
    assert layer(steps(9)).shape == (SAMPLES, hops * FEATURES)


def test_words_with_padding_in_a_sequential_and_in_time_distributed():
    words = np.array([[3, 4, 0, 0], [1, 2, 5, 0], [0, 0, 0, 0]])
    embed = keras.layers.Embedding(9, FEATURES, mask_zero=True)
    layer = az.layers.AttentionPooling()
    model = keras.Sequential([embed, keras.layers.LSTM(FEATURES, return_sequences=True), layer])
    y = array(model(words))
    assert np.all(y[2] == 0) and np.all(y[:2] != 0)
    scores = az.attention_scores(model, words)[layer.name]
    assert np.all(scores[words == 0] == 0)
    np.testing.assert_allclose(scores.sum(-1), [1, 1, 0], atol=1e-6)
    windows = keras.layers.TimeDistributed(az.layers.AttentionPooling())
    assert windows(np.ones((2, 3, 4, FEATURES), "float32")).shape == (2, 3, FEATURES)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("masked", [False, True])
def test_sums_beyond_float16_are_made_in_float32(reduction, masked):
    x, mask = np.full((SAMPLES, TIME, FEATURES), 6e4, "float16"), np.ones((SAMPLES, TIME), bool)
    mask[:, 7:] = False
    y = az.layers.TimePooling(reduction, dtype="float16")(x, mask=mask if masked else None)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert np.all(array(y) == (65504 if reduction == "sum" else np.float16(6e4)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, "`units` must be a positive integer or None. Received: units=0"),
        ({"hops": 0}, "`hops` must be a positive integer. Received: hops=0"),
        ({"hops": None}, "`hops` must be a positive integer"),
        ({"hops": True}, "`hops` must be a positive integer"),
        ({"hops": 2.0}, "`hops` must be a positive integer"),
        ({"score": "aditive"}, "Unknown score. Did you mean 'additive'"),
        ({"score": "general"}, "Known: additive, dot"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        az.layers.AttentionPooling(**arguments)


@pytest.mark.parametrize("built", [False, True])
def test_bad_calls(built):
    layer = az.layers.AttentionPooling()
    if built:
        layer.build((None, TIME, FEATURES))
    rank, several = "return_sequences=True.*Received: an input of shape", "one by one.* 3 tensors"
    if built:  # Keras's own errors
        rank, several = "expected ndim=3, found ndim=2", "expects 1 input.*received 3 input"
    with pytest.raises(ValueError, match=rank):
        layer(np.ones((2, FEATURES), "float32"))
    with pytest.raises(ValueError, match=several):
        layer([steps(), steps(), steps()])
    with pytest.raises(TypeError, match="`mask` must be boolean"):
        layer(steps(), steps())
    with pytest.raises(TypeError, match="unexpected keyword argument 'value'"):
        layer(steps(), value=steps())


def test_bad_sizes_and_masks():
    layer = az.layers.AttentionPooling()
    layer(steps())
    with pytest.raises(ValueError, match="axis 2 of input shape to have value 5.*6\\)"):
        layer(np.ones((2, TIME, 6), "float32"))
    with pytest.raises(ValueError, match=r"`mask` must have the shape \(3, 11\)"):
        layer(steps(), mask=np.ones((SAMPLES, TIME - 1), bool))
    with pytest.raises(ValueError, match="needs a fixed feature size"):
        az.layers.AttentionPooling()(keras.Input((TIME, None)))


def test_a_sequence_without_steps_is_one_without_visible_steps():
    y, scores = az.layers.AttentionPooling()(steps(0), return_attention_scores=True)
    assert scores.shape == (SAMPLES, 0) and np.all(array(y) == np.zeros((SAMPLES, FEATURES)))
