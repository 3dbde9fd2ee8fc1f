"""A model with its scores as outputs is an ordinary Keras model over the same weights."""

import keras
import numpy as np
import pytest

import attention_zoo as az

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 7, 3)).astype("float32")
X[0, 4:] = 0


def functional():
    x = keras.Input((7, 3), name="x")
    states = keras.layers.GRU(5, return_sequences=True)(keras.layers.Masking()(x))
    states = az.layers.SelfAttention(name="self")(states)
    pooled = az.layers.AttentionPooling(name="pool", dropout=0.5)(states)
    return keras.Model(x, keras.layers.Dense(2)(pooled))


def sequential():
    layers = [keras.Input((7, 3)), az.layers.AttentionPooling(name="pool"), keras.layers.Dense(2)]
    return keras.Sequential(layers)


def dictionary():
    x = keras.Input((7, 3), name="x")
    pooled = az.layers.AttentionPooling(name="pool")(x)
    outputs = {"price": keras.layers.Dense(1)(pooled), "a kind": keras.layers.Dense(2)(pooled)}
    return keras.Model({"x": x}, outputs)


def several():
    x, memory = keras.Input((7, 3)), keras.Input((5, 3))
    attended = keras.layers.MultiHeadAttention(2, 3, name="heads")(x, memory)
    return keras.Model([x, memory], [attended, keras.layers.Dense(1)(attended)])


def shared():
    x, layer = keras.Input((7, 3)), az.layers.TemporalAttention(name="twice")
    return keras.Model(x, layer(keras.layers.Dense(3)(layer(x))))


def nested():
    x = keras.Input((5, 7, 3))
    inner = keras.Sequential(sequential().layers, name="inner")
    each = keras.layers.TimeDistributed(inner)(x)
    return keras.Model(x, az.layers.AttentionPooling(name="pool")(each))


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pool = az.layers.AttentionPooling(name="pool")
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(self.pool(x))

    def build(self, shape):
        self.pool.build(shape)
        self.dense.build((None, shape[-1]))


def subclassed():
    model = Subclassed()
    model(X)
    return model


def data_of(model):
    """Samples that a model takes."""
    shapes = [tensor.shape[1:] for tensor in getattr(model, "inputs", None) or [X]]
    arrays = [RNG.normal(size=(5, *shape)).astype("float32") for shape in shapes]
    if isinstance(getattr(model, "output", None), dict):
        return {"x": arrays[0]}
    return arrays if len(arrays) > 1 else arrays[0]


#: Each kind of model, with the outputs of its predictions and of its scores.
MODELS = {
    functional: (["predictions"], {"self": "attention_self", "pool": "attention_pool"}),
    sequential: (["predictions"], {"pool": "attention_pool"}),
    dictionary: (["price", "a_kind"], {"pool": "attention_pool"}),
    several: (["predictions_1", "predictions_2"], {"heads": "attention_heads"}),
    shared: (["predictions"], {"twice": "attention_twice", "twice@2": "attention_twice_2"}),
    nested: (["predictions"], {"inner/pool": "attention_inner_pool", "pool": "attention_pool"}),
    subclassed: (["predictions"], {"pool": "attention_pool"}),
}


def same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_outputs_are_those_of_predict_and_of_attention_scores_and_are_saved(make, tmp_path):
    keras.utils.set_random_seed(0)
    model = make()
    x = data_of(model)
    predictions = model.predict(x, verbose=0)
    if make is dictionary:
        predictions = {"price": predictions["price"], "a_kind": predictions["a kind"]}
    else:
        predictions = dict(zip(MODELS[make][0], keras.tree.flatten(predictions), strict=True))
    scores = az.attention_scores(model, x)
    expected = {output: scores.pop(name) for name, output in MODELS[make][1].items()}
    assert not scores
    scored = az.with_scores(model)
    # Some backends sort what is returned
    outputs = list(scored(x) if make is subclassed else scored.output)
    assert outputs[: len(predictions)] == MODELS[make][0]
    same(scored.predict(x, verbose=0), {**predictions, **expected})
    scored.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(loaded.predict(x, verbose=0), {**predictions, **expected})


def test_masks_reach_the_scores():
    model = functional()
    assert not az.with_scores(model).predict(X, verbose=0)["attention_pool"][0, 4:].any()


@pytest.mark.parametrize("make", [functional, subclassed])
def test_it_is_trained_by_losses_of_the_predictions_and_the_model_with_it(make):
    keras.utils.set_random_seed(0)
    model, y = make(), RNG.normal(size=(5, 2))
    before = model.predict(X, verbose=0)
    scored = az.with_scores(model)
    scored.compile(keras.optimizers.Adam(0.01), loss={"predictions": "mse"})
    first = scored.evaluate(X, {"predictions": y}, verbose=0)
    scored.fit(X, {"predictions": y}, epochs=9, verbose=0)
    assert scored.evaluate(X, {"predictions": y}, verbose=0) < first
    after = model.predict(X, verbose=0)
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_allclose(scored.predict(X, verbose=0)["predictions"], after, atol=1e-6)


def test_dropout_acts_in_its_training_only():
    scored = az.with_scores(functional())
    quiet = [keras.ops.convert_to_numpy(scored(X)["predictions"]) for _ in range(2)]
    loud = [keras.ops.convert_to_numpy(scored(X, training=True)["predictions"]) for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    assert np.abs(loud[0] - loud[1]).max() > 1e-4


def test_the_model_is_left_as_it_was():
    model = functional()
    config, scores = model.get_config(), az.attention_scores(model, X)
    az.with_scores(model).predict(X, verbose=0)
    assert model.get_config() == config
    for name, value in az.attention_scores(model, X).items():
        np.testing.assert_array_equal(value, scores[name])


def test_what_has_no_scores_is_refused():
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="has no attention layer"):
        az.with_scores(plain)
    with pytest.raises(ValueError, match="is not built yet"):
        az.with_scores(Subclassed())
    with pytest.raises(TypeError, match=r"must be a keras.Model. Received: str"):
        az.with_scores("lstm_after")


def test_two_outputs_of_one_name_are_refused():
    x = keras.Input((7, 3))
    pooled = az.layers.AttentionPooling(name="pool")(x)
    with pytest.raises(ValueError, match="Two outputs would both be 'attention_pool'"):
        az.with_scores(keras.Model(x, {"attention_pool": pooled}))


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch writes no SavedModel")
def test_keras_exports_both(tmp_path):
    tf = pytest.importorskip("tensorflow", reason="the runtime of a SavedModel")
    scored = az.with_scores(functional())
    scored.export(str(tmp_path / "m"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    found = served(x=tf.constant(X))
    same({name: value.numpy() for name, value in found.items()}, scored.predict(X, verbose=0))
