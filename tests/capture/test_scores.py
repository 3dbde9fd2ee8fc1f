"""Looking at a model shows what it uses, and changes nothing."""

import gc
import threading
import weakref

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.layers.keras_hooks import hooked

X = np.random.default_rng(0).normal(size=(300, 11, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return az.build(
        "lstm_after",
        input_shape=(11, 3),
        units=5,
        attention={"class_name": "temporal", "config": {"shared": True}},
    )


def test_scores_are_those_of_the_layer_and_predictions_those_of_predict(model):
    explanation = az.explain(model, X, batch_size=64)
    layer = model.get_layer("attention")
    states = keras.Model(model.input, layer.input).predict(X, verbose=0)
    _, scores = layer(states, return_attention_scores=True)
    np.testing.assert_allclose(
        explanation.scores["attention"], keras.ops.convert_to_numpy(scores), atol=1e-6
    )
    np.testing.assert_allclose(explanation.predictions, model.predict(X, verbose=0), atol=1e-6)
    np.testing.assert_allclose(explanation.scores["attention"].sum(1), 1, atol=1e-6)


def test_the_dtype_policy_of_the_process_is_not_that_of_the_model():
    model = az.build("gru", input_shape=(11, 3), units=5)
    before = model.predict(X, verbose=0)
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    scores = az.attention_scores(twin, X)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        explanation = az.explain(model, X)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(explanation.predictions, before, atol=1e-6)
    for name, expected in scores.items():
        np.testing.assert_allclose(explanation.scores[name], expected, atol=1e-6)


def test_the_model_is_left_as_it_was(model):
    config, weights = model.get_config(), model.get_weights()
    nodes = len(model.get_layer("attention")._inbound_nodes)
    az.attention_scores(model, X)
    assert model.get_config() == config
    assert len(model.get_layer("attention")._inbound_nodes) == nodes
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))


def test_dropout_is_off_while_scores_are_captured():
    model = az.build(
        "dense", input_shape=(7,), attention={"class_name": "feature", "config": {"dropout": 0.5}}
    )
    x = np.ones((3, 7), "float32")
    first, again = az.explain(model, x), az.explain(model, x)
    np.testing.assert_array_equal(first.predictions, again.predictions)


def test_sequential_several_and_shared_layers():
    shared = az.layers.FeatureAttention(name="shared")
    model = keras.Sequential(
        [
            keras.Input((11, 3)),
            shared,
            keras.layers.GRU(3, return_sequences=True),
            shared,
            az.layers.TemporalAttention(name="time"),
            keras.layers.Flatten(),
        ]
    )
    scores = az.attention_scores(model, X[:4])
    assert {k: v.shape for k, v in scores.items()} == {
        "shared": (4, 11, 3),
        "shared@2": (4, 11, 3),
        "time": (4, 11, 3),
    }


def test_a_layer_of_two_levels_has_an_entry_for_each(tmp_path):
    model = az.build("gru", input_shape=(11, 3), units=4, attention="retain")
    scores = az.attention_scores(model, X[:5])
    assert {k: v.shape for k, v in scores.items()} == {
        "attention/1": (5, 11),
        "attention/2": (5, 11, 4 + 8),  # of a state and its place
    }
    az.load(az.save(model, tmp_path / "m", examples=X[:3]), verify=True)


def of_keras():
    query, value = keras.Input((5, 4), name="query"), keras.Input((7, 4), name="value")
    a = keras.layers.Attention(name="dot")([query, value])
    b = keras.layers.AdditiveAttention(name="additive")([query, value])
    c, scores = keras.layers.MultiHeadAttention(2, 3, name="heads")(
        a, value, return_attention_scores=True
    )
    d = keras.layers.GroupQueryAttention(3, 4, 2, name="groups")(b, value)
    return keras.Model([query, value], [c + d, scores])


def test_keras_own_layers_show_what_they_use_and_answer_as_ever():
    model, rng = of_keras(), np.random.default_rng(0)
    x = {n: rng.normal(size=(9, t, 4)).astype("float32") for n, t in (("query", 5), ("value", 7))}
    before = model.predict(x, verbose=0)
    explained = az.explain(model, x, batch_size=4)
    assert {k: v.shape for k, v in explained.scores.items()} == {
        "dot": (9, 5, 7),
        "additive": (9, 5, 7),
        "heads": (9, 2, 5, 7),
        "groups": (9, 4, 5, 7),
    }
    for scores in explained.scores.values():
        np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(explained.scores["heads"], before[1], atol=1e-6)
    np.testing.assert_allclose(explained.predictions[0], before[0], atol=1e-5)
    weights = x["query"] @ x["value"].swapaxes(1, 2)
    weights = np.exp(weights - weights.max(-1, keepdims=True))
    np.testing.assert_allclose(
        explained.scores["dot"], weights / weights.sum(-1, keepdims=True), atol=1e-5
    )
    # The model is as it was, and forgets nothing
    assert all("call" not in layer.__dict__ for layer in model.layers)
    for a, b in zip(before, model.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(a, b)
    scores = az.attention_scores(model, list(x.values()))["dot"]
    np.testing.assert_allclose(scores, explained.scores["dot"], atol=1e-6)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X, "must be a list of the inputs .*'query', 'value'.*Received: ndarray"),
        ([X], "Received: 1 arrays"),
        ({"query": X, "key": X}, "must have the inputs .*Received: .*'key'"),
        ([np.ones((2, 5, 4)), np.ones((3, 7, 4))], r"as many samples.*\[2, 3\]"),
        ([np.ones((2, 7, 4)), np.ones((2, 5, 4))], r"`x, query` must have the shape"),
    ],
)
def test_several_inputs(x, message):
    with pytest.raises(ValueError, match=message):
        az.attention_scores(of_keras(), x)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (np.zeros((300, 12)), r"`truth` must have the shape.*Received: \(300, 12\)"),
        (np.zeros((5, 11)), r"`truth` must have the shape.*Received: \(5, 11\)"),
        # Labels, which say nothing of where the answer is
        (np.ones(300), r"leading axes beyond the samples. Received: \(300,\)"),
        (np.ones((300, 1)), r"`truth` must have the shape.*Received: \(300, 1\)"),
        (np.full((300, 11), np.nan), "`truth` must be finite"),
        ("there", "`truth` must be an array of numbers"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(model, truth, message):
    with pytest.raises(ValueError, match=message):
        az.explain(model, X, truth=truth)


def test_inputs_by_name_go_in_as_the_model_wants_them():
    # Keras warns of a list where the model was made of a dictionary
    one, two = keras.Input((11, 3), name="b"), keras.Input((7, 3), name="a")
    pooled = az.layers.AttentionPooling(name="pooling")
    both = keras.layers.Concatenate()([pooled(one), pooled(two)])
    model = keras.Model({"b": one, "a": two}, {"out": keras.layers.Dense(1)(both)})
    x = {"b": X[:4], "a": X[:4, :7]}
    explained = az.explain(model, x)
    np.testing.assert_allclose(
        explained.predictions["out"], model.predict(x, verbose=0)["out"], atol=1e-6
    )
    shapes = {name: scores.shape for name, scores in explained.scores.items()}
    assert shapes == {"pooling": (4, 11), "pooling@2": (4, 7)}
    found = az.metrics.gradients(keras.Model(model.input, model.outputs[0]), x)
    assert [each.shape for each in found] == [(4, 7, 3), (4, 11, 3)]
    with pytest.raises(ValueError, match=r"must have the inputs \['a', 'b'\]. Received: \['x'\]"):
        az.explain(model, {"x": X})
    alone = keras.Model({"b": one}, keras.layers.Dense(1)(pooled(one)))
    assert az.explain(alone, {"b": X[:4]}).predictions.shape == (4, 1)
    assert az.attention_scores(alone, X[:4])["pooling"].shape == (4, 11)


def test_inputs_without_names_have_those_of_their_layers():
    one, two = keras.Input((11, 3)), keras.Input((11, 3))
    model = keras.Model([one, two], az.layers.CrossAttention()(one, two))
    names = [tensor._keras_history.operation.name for tensor in (one, two)]
    with pytest.raises(ValueError, match=f"list of the inputs .'{names[0]}', '{names[1]}'"):
        az.attention_scores(model, X)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[:, :5], r"shape \(samples, 11, 3\). Received: \(300, 5, 3\)"),
        (X[0], r"shape \(samples, 11, 3\). Received: \(11, 3\)"),
        (X[:0], "at least one sample"),
        (np.where(X > 3, np.nan, X), "`x` must be finite.*the first at x"),
        (np.array([["a"]]), "array of numbers"),
        ([[1, 2], [3]], "rows of equal length"),
    ],
)
def test_x_that_does_not_fit(model, x, message):
    with pytest.raises(ValueError, match=message):
        az.attention_scores(model, x)


def test_models_that_cannot_be_captured_model():
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="only")])
    with pytest.raises(ValueError, match=r"no attention layer. Its layers are: .*only \(Dense\)"):
        az.attention_scores(plain, X[0])
    with pytest.raises(ValueError, match="not built yet"):
        az.attention_scores(keras.Sequential([az.layers.FeatureAttention()]), X[0])
    with pytest.raises(TypeError, match="must be a keras.Model"):
        az.attention_scores("lstm_after", X)


def test_the_picture_shows_every_index_and_the_expected_one(model, tmp_path):
    truth = np.zeros((300, 11))
    truth[:, 4] = 1
    explanation = az.explain(model, X, truth=truth)
    np.testing.assert_array_equal(explanation.layer().expected, np.eye(11)[4])
    figure = explanation.plot(title="t", names=[f"step {i}" for i in range(11)])
    axes = figure.axes[0]
    heights = [bar.get_height() for bar in axes.patches if bar.get_width() < 1]
    np.testing.assert_allclose(heights, explanation.scores["attention"].mean(0), atol=1e-6)
    assert [text.get_text() for text in axes.get_xticklabels()][3] == "step 3"
    figure.savefig(tmp_path / "p.png")
    with pytest.raises(ValueError, match="`names` must have 11 labels. Received: 2"):
        explanation.plot(names=["a", "b"])
    with pytest.raises(ValueError, match="Did you mean 'attention'"):
        explanation.plot("atention")


def test_profiles_average_over_what_is_not_attended():
    rng = np.random.default_rng(0)
    by_step, by_feature = (az.layers.TemporalAttention(), az.layers.FeatureAttention())
    x = rng.normal(size=(6, 5, 3)).astype("float32")
    for layer, size in ((by_step, 5), (by_feature, 3)):
        model = keras.Sequential([keras.Input((5, 3)), layer])
        profile = az.explain(model, x).profile()
        assert profile.shape == (6, size)
        np.testing.assert_allclose(profile.sum(1), 1, atol=1e-5)


def test_a_model_is_traced_once_and_not_kept_alive():
    def look():
        model, traces = az.build("lstm_after", input_shape=(5, 2), units=3), []
        layer = model.get_layer("attention")
        call = layer.call
        layer.call = lambda *args, **kwargs: traces.append(1) or call(*args, **kwargs)
        x = np.random.default_rng(0).normal(size=(7, 5, 2)).astype("float32")
        first = az.attention_scores(model, x)["attention"]
        once = len(traces)
        assert once == 1  # JAX would build what it does not know to be built by a call
        # Some weights begin at 0
        model.set_weights([np.sin(np.arange(w.size)).reshape(w.shape) for w in model.get_weights()])
        assert np.abs(az.attention_scores(model, x)["attention"] - first).max() > 1e-4
        assert len(traces) == once or keras.backend.backend() == "torch"
        return weakref.ref(model)

    gone = look()
    gc.collect()
    assert gone() is None


def test_threads_that_look_into_keras_layers_wait_for_each_other():
    layer = keras.layers.MultiHeadAttention(2, 3)
    left = []

    def look():
        with hooked([layer]):
            left.append("call" in vars(layer))

    waiting = threading.Thread(target=look)
    with hooked([layer]), hooked([layer]):
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive() and not left
    waiting.join(60)
    assert left == [True]
    assert not {"call", "_masked_softmax"} & set(vars(layer))
