"""Scores come out of models in models, and may be replaced anywhere."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.layers.traversal import all_layers

RNG = np.random.default_rng(0)
DOCUMENTS = RNG.integers(1, 20, (6, 5, 7))
DOCUMENTS[:, :, 5:] = 0
DOCUMENTS[2, 3] = 0


def sentence():
    words = keras.Input((None,), dtype="int32")
    states = keras.layers.Embedding(20, 3, mask_zero=True)(words)
    states = keras.layers.GRU(2, return_sequences=True)(states)
    return keras.Model(words, az.layers.AttentionPooling(name="attention")(states), name="sentence")


def document(sentences=5):
    inputs = keras.Input((sentences, 7), dtype="int32")
    states = keras.layers.TimeDistributed(sentence(), name="each")(inputs)
    outputs = keras.layers.Dense(1)(az.layers.AttentionPooling(name="attention")(states))
    return keras.Model(inputs, outputs, name="document")


@pytest.mark.parametrize("sentences", [5, None])
def test_words_and_sentences_of_a_document(sentences):
    model = document(sentences)
    found = az.explain(model, DOCUMENTS, batch_size=4)
    assert {name: scores.shape for name, scores in found.scores.items()} == {
        "sentence/attention": (6, 5, 7),
        "attention": (6, 5),
    }
    assert found.axes == {"sentence/attention": ("segment", "step"), "attention": ("step",)}
    np.testing.assert_array_equal(found.masks["sentence/attention"], DOCUMENTS > 0)
    np.testing.assert_allclose(found.predictions, model.predict(DOCUMENTS, verbose=0), atol=1e-6)
    # Each sentence is read as the inner model alone reads it
    inner = az.attention_scores(model.get_layer("each").layer, DOCUMENTS[:, 1])["attention"]
    np.testing.assert_allclose(found.scores["sentence/attention"][:, 1], inner, atol=1e-6)
    assert not found.scores["sentence/attention"][2, 3].any()
    assert all("call" not in layer.__dict__ for layer in all_layers(model))


def test_names_are_those_of_the_models_around_a_layer():
    model = keras.Sequential([keras.Input((5, 7), dtype="int32"), document()])
    assert list(az.attention_scores(model, DOCUMENTS)) == [
        "document/sentence/attention",
        "document/attention",
    ]


class Block(keras.layers.Layer):
    """A layer of somebody else's, with Keras's attention in it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(2, 3, name="attention")

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, x):
        return self.attention(x, x)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.first, self.second = Block(name="first"), Block(name="second")
        self.pooling = az.layers.AttentionPooling(name="pooling")

    def call(self, x):
        return {"out": self.pooling(self.second(self.first(x))), "x": x}


def test_a_subclassed_model():
    model = Subclassed()
    x = RNG.normal(size=(3, 5, 4)).astype("float32")
    with pytest.raises(ValueError, match="not built yet"):
        az.explain(model, x)
    model(x)
    found = az.explain(model, x)
    assert list(found.scores) == ["first/attention", "second/attention", "pooling"]
    assert found.axes["first/attention"] == ("head", "query", "key")
    np.testing.assert_allclose(
        found.predictions["out"], model.predict(x, verbose=0)["out"], atol=1e-6
    )


class Recurrent(keras.Model):
    def __init__(self):
        super().__init__(name="recurrent")
        self.gru = keras.layers.GRU(2, return_sequences=True)
        self.pooling = az.layers.AttentionPooling()

    def call(self, x):
        return self.pooling(self.gru(x))


def test_a_subclassed_model_says_what_it_was_built_with_where_the_data_do_not_fit():
    model = Recurrent()
    model(np.zeros((3, 5, 4), "float32"))
    fit = r"'recurrent', which was built with \(3, 5, 4\).* Received: \(3, 5, 2\)"
    with pytest.raises(ValueError, match=fit):
        az.explain(model, np.zeros((3, 5, 2), "float32"))


def cases():
    x, memory = keras.Input((7, 4)), keras.Input((5, 4))
    for name in az.list_layers():
        if name == "attention_decoder":
            continue
        masked = keras.layers.Masking()(x)
        if name == "cross_attention":
            yield name, keras.Model([x, memory], az.layers.get(name, name="a")(masked, memory))
        else:
            kwargs = {"window": 3} if name == "hierarchical" else {}
            outputs = az.layers.get(name, name="a", **kwargs)(masked)
            yield name, keras.Model(x, outputs)
    heads = keras.layers.MultiHeadAttention(2, 3, name="a")
    yield "keras heads", keras.Model(x, heads(keras.layers.Masking()(x), x))
    groups = keras.layers.GroupQueryAttention(3, 4, 2, name="a")
    yield "keras groups", keras.Model(x, groups(x, x))
    yield "keras dot", keras.Model(x, keras.layers.Attention(name="a")([x, x]))
    shared = az.layers.TemporalAttention(shared=True, name="a")
    yield "shared", keras.Model(x, shared(keras.layers.Masking()(x)))
    hops = az.layers.AttentionPooling(hops=3, name="a")
    yield "hops", keras.Model(x, hops(keras.layers.Masking()(x)))


@pytest.mark.parametrize(("name", "model"), [pytest.param(n, m, id=n) for n, m in cases()])
def test_other_scores_in_the_place_of_a_layers_own(name, model):
    x = RNG.normal(size=(3, 7, 4)).astype("float32")
    x[:, 5:] = 0
    x = [x, RNG.normal(size=(3, 5, 4)).astype("float32")] if name == "cross_attention" else x
    found = az.explain(model, x)
    layer = next(iter(found.scores))
    own = {layer: found.scores[layer]}
    same = az.capture.predict_with_scores(model, x, own)
    np.testing.assert_allclose(same, found.predictions, atol=1e-5)
    nothing = az.capture.predict_with_scores(model, x, {layer: 0 * own[layer]})
    # Some layers begin with uniform attention, which no place differs from
    uneven = own[layer] * RNG.uniform(0.5, 1.5, own[layer].shape)
    moved = np.roll(uneven, 1, axis=found.layer(layer).axis)
    other = az.capture.predict_with_scores(model, x, {layer: moved})
    # What is applied is linear in the scores, but for a tanh after it
    assert np.abs(other - same).max() > 1e-3
    if name not in ("luong", "bahdanau", "hierarchical"):
        half = az.capture.predict_with_scores(model, x, {layer: 0.5 * own[layer]})
        np.testing.assert_allclose(half, (same + nothing) / 2, atol=1e-5)


class Attending(keras.layers.Layer):
    """A recurrent cell that attends to its features at each step."""

    state_size = output_size = 3

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = az.layers.FeatureAttention(name="inner")
        self.dense = keras.layers.Dense(3)

    def build(self, shape):
        self.attention.build(shape)
        self.dense.build((None, shape[-1] + 3))

    def call(self, x, states):
        both = keras.ops.concatenate([self.attention(x), states[0]], axis=-1)
        return self.dense(both), [self.dense(both)]


@pytest.mark.parametrize("kind", ["cell", "stacked cells", "decoder"])
def test_attention_inside_a_loop_is_refused_with_the_reason(kind):
    x = keras.Input((7, 4))
    if kind == "decoder":
        outputs = az.layers.AttentionDecoder(Attending(), name="loop")(x, x)
    else:
        cell = Attending() if kind == "cell" else [keras.layers.GRUCell(4), Attending()]
        outputs = keras.layers.RNN(cell, return_sequences=True, name="loop")(x)
    model = keras.Model(x, az.layers.AttentionPooling()(outputs))
    data = np.ones((2, 7, 4))
    message = "'inner' is called inside the cell of 'loop'.*Attend before or after"
    for reader in (az.attention_scores, az.explain, az.trust):
        with pytest.raises(ValueError, match=message):
            reader(model, data)
    with pytest.raises(ValueError, match=message):
        az.capture.predict_with_scores(model, data, {"attention_pooling": np.ones((2, 7))})


KEYS = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 1, 0]])


def over_padding():
    """Models of every layer that attends to what an Embedding masks, and its mask by name."""
    words, queries = keras.Input((5,), dtype="int32"), keras.Input((7, 4))
    memory = keras.layers.Embedding(9, 4, mask_zero=True)(words)
    for name in az.list_layers():
        # They attend to features, or cut the steps in windows
        if name in ("feature", "variable_selection", "hierarchical"):
            continue
        if name == "attention_decoder":
            for monotonic in (None, "soft", "hard"):
                layer = az.layers.get(name, cell=keras.layers.GRUCell(3), monotonic=monotonic)
                yield f"{name} {monotonic}", keras.Model([queries, words], layer(queries, memory))
        elif name == "cross_attention":
            outputs = az.layers.get(name)(queries, memory)
            yield name, keras.Model([queries, words], outputs)
        else:
            yield name, keras.Model(words, az.layers.get(name)(memory))
    keras_layers = keras.layers
    for layer in (keras_layers.Attention(), keras_layers.AdditiveAttention()):
        yield layer.name, keras.Model([queries, words], layer([queries, memory]))
    heads = (keras_layers.MultiHeadAttention(2, 3), keras_layers.GroupQueryAttention(3, 4, 2))
    for layer in heads:
        yield layer.name, keras.Model([queries, words], layer(queries, memory))


# Keras's GroupQueryAttention warns about the layers inside it
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize(("name", "model"), [pytest.param(n, m, id=n) for n, m in over_padding()])
def test_padding_is_known_as_such(name, model):
    words = KEYS * RNG.integers(1, 9, KEYS.shape)
    queries = RNG.normal(size=(3, 7, 4)).astype("float32")
    found = az.explain(model, [queries, words] if len(model.inputs) > 1 else words)
    layer = found.layer().name
    np.testing.assert_array_equal(found.masks[layer], KEYS > 0)
    hidden = np.moveaxis(found.scores[layer], found.layer().axis, 1)[KEYS == 0]
    assert not hidden.any()


def test_the_padding_of_a_decoder_is_grey():
    model = dict(over_padding())["attention_decoder None"]
    words, queries = KEYS * 3, RNG.normal(size=(3, 7, 4)).astype("float32")
    found = az.explain(model, [queries, words])
    figure = found.plot(kind="alignment", sample=0)
    image = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(image), [KEYS[0] == 0] * 7)


def test_scores_that_cannot_be_replaced():
    model, x = document(), DOCUMENTS
    with pytest.raises(ValueError, match="layer.*'attention'.*'attenton'"):
        az.capture.predict_with_scores(model, x, {"attenton": np.ones((6, 5))})
    with pytest.raises(ValueError, match=r"must have the shape \(6, 5\). Received: \(6, 4\)"):
        az.capture.predict_with_scores(model, x, {"attention": np.ones((6, 4))})
    with pytest.raises(ValueError, match="must be finite"):
        az.capture.predict_with_scores(model, x, {"attention": np.full((6, 5), np.nan)})
    with pytest.raises(ValueError, match="at least one of the layers"):
        az.capture.predict_with_scores(model, x, {})
    x, memory = keras.Input((7, 4)), keras.Input((5, 4))
    decoder = az.layers.AttentionDecoder(keras.layers.GRUCell(3), name="decoder")
    model = keras.Model([x, memory], decoder(x, memory))
    arrays = [np.ones((2, 7, 4)), np.ones((2, 5, 4))]
    with pytest.raises(ValueError, match="decoder.*cannot be replaced"):
        az.capture.predict_with_scores(model, arrays, {"decoder": np.ones((2, 7, 5)) / 5})
