"""Every factory builds a plain functional model from any attention that fits, or says why not."""

import json

import keras
import numpy as np
import pytest

import attention_zoo as az

SHAPES = {name: (7,) if name == "dense" else (11, 3) for name in az.list_models()}
KINDS = {
    "binary": ({"outputs": 1, "activation": "sigmoid"}, "binary_crossentropy"),
    "multiclass": ({"outputs": 3, "activation": "softmax"}, "sparse_categorical_crossentropy"),
    "regression": ({"outputs": 1}, "mean_squared_error"),
}


def data(name, n=6):
    x = np.random.default_rng(0).normal(size=(n, *SHAPES[name])).astype("float32")
    return x, np.arange(n, dtype="float32") % 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SHAPES)
def test_builds_fits_a_step_and_comes_back_from_disk(name, kind, tmp_path):
    config, loss = KINDS[kind]
    model = az.build(name, input_shape=SHAPES[name], units=5, **config)
    model.compile("adam", loss)
    x, y = data(name)
    model.fit(x, y, epochs=1, batch_size=3, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert all(np.any(np.asarray(a) != 0) for a in model.get_weights() if a.ndim == 2)


@pytest.mark.parametrize("options", [{"depth": 0}, {"depth": 2, "answer_depth": 0},
                                     {"dropout": 0.2}, {"mask_value": -9.0}])  # fmt: skip
def test_options_of_dense_after(options):
    model = az.build("dense_after", input_shape=(None, 3), units=5, **options)
    x = data("dense_after")[0]
    assert model.predict(x, verbose=0).shape == (len(x), 1)
    # A set has no order
    np.testing.assert_allclose(
        model.predict(x[:, ::-1], verbose=0), model.predict(x, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize("name", ["lstm_before", "gru_before"])
def test_an_answer_at_each_step(name):
    model = az.build(name, input_shape=(11, 3), units=5, outputs=2, return_sequences=True)
    assert model.output_shape == (None, 11, 2)
    with pytest.raises(TypeError, match="`return_sequences` must be True or False"):
        az.build(name, input_shape=(11, 3), return_sequences=1)


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"depth": 2}, {"dropout": 0.2},
                                     {"recurrent_dropout": 0.2}, {"mask_value": -9.0},
                                     {"bidirectional": True, "depth": 2}])  # fmt: skip
@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"dense", "dense_after"}))
def test_recurrent_options(name, options):
    model = az.build(name, input_shape=(11, 3), units=5, **options)
    assert model.predict(data(name)[0], verbose=0).shape == (6, 1)


@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"dense"}))
def test_padding_changes_nothing_and_all_padding_is_finite(name):
    attention = {"class_name": "temporal", "config": {"score": "additive", "shared": True}}
    keras.utils.set_random_seed(1)
    model = az.build(
        name, input_shape=(None, 3), units=5, attention=attention, mask_value=-9.0,
    )  # fmt: skip
    x = data(name)[0]
    padded = np.concatenate([x, np.full((6, 4, 3), -9, "float32")], axis=1)
    np.testing.assert_allclose(
        model.predict(padded, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )
    scores = az.attention_scores(model, padded)["attention"]
    assert np.all(scores[:, 11:] == 0)
    nothing = np.full((2, 4, 3), -9, "float32")
    assert np.all(np.isfinite(model.predict(nothing, verbose=0)))
    assert np.all(az.attention_scores(model, nothing)["attention"] == 0)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("attention", ["pooling", "luong"])
def test_places_are_counted_from_the_first_visible_step(attention, bidirectional):
    model = az.build(
        "gru", input_shape=(None, 3), units=5, attention=attention, mask_value=-9.0,
        bidirectional=bidirectional,
    )  # fmt: skip
    x = data("gru")[0]
    answered = model.predict(x, verbose=0)
    for before, after in ((4, 0), (0, 4), (2, 7)):
        padded = np.pad(x, [(0, 0), (before, after), (0, 0)], constant_values=-9)
        np.testing.assert_allclose(model.predict(padded, verbose=0), answered, atol=1e-6)


def test_normalizing_and_places_are_for_attention_that_needs_them():
    def names(**options):
        return {layer.name for layer in az.build("gru", input_shape=(11, 3), **options).layers}

    both = {"normalize", "positions"}
    assert names() & both == {"normalize"}  # the location score has places in its weights
    assert names(attention="pooling") & both == both
    assert names(attention=None) & both == set()
    assert names(attention="pooling", normalize=False, positions=False) & both == set()
    assert names(attention=None, normalize=True, positions=True) & both == both
    with pytest.raises(TypeError, match="`positions` must be True, False or None"):
        az.build("gru", input_shape=(11, 3), positions=1)


@pytest.mark.parametrize("name", ["lstm_after", "gru"])
def test_untrained_attention_by_location_is_uniform(name):
    model = az.build(name, input_shape=(11, 3))
    scores = az.attention_scores(model, data(name)[0])["attention"]
    np.testing.assert_allclose(scores, 1 / 11, atol=1e-6)


@pytest.mark.parametrize("attention", ["luong", "bahdanau"])
def test_the_last_state_of_a_bidirectional_layer_is_that_of_both_halves(attention):
    model = az.build("lstm_after", input_shape=(11, 3), attention=attention, bidirectional=True)
    assert model.get_layer("attention").bidirectional
    assert not az.build("gru", input_shape=(11, 3), attention=attention).get_layer(
        "attention").bidirectional  # fmt: skip


@pytest.mark.parametrize("name", ["lstm_after", "gru"])
@pytest.mark.parametrize("attention", sorted(set(az.list_layers()) - {
    "cross_attention", "attention_decoder", "hierarchical"}))  # fmt: skip
def test_every_layer_of_one_sequence_fits_after_a_recurrent_layer(name, attention):
    model = az.build(name, input_shape=(11, 3), units=4, attention=attention)
    assert model.predict(data(name)[0], verbose=0).shape == (6, 1)


@pytest.mark.parametrize("attention", ["pooling", "luong", "retain"])
def test_a_layer_that_pools_does_not_fit_before_a_recurrent_layer(attention):
    with pytest.raises(ValueError, match="needs an attention layer that keeps the shape"):
        az.build("lstm_before", input_shape=(11, 3), attention=attention)


@pytest.mark.parametrize("attention", ["cross_attention", "attention_decoder"])
def test_a_layer_of_two_sequences_fits_no_factory(attention):
    with pytest.raises((ValueError, TypeError), match="value|memory|no default for `cell`"):
        az.build("lstm_after", input_shape=(11, 3), attention=attention)


def test_without_attention_states_are_averaged():
    model = az.build("gru", input_shape=(11, 3), attention=None)
    assert isinstance(model.get_layer("pooling"), az.layers.TimePooling)
    assert model.get_layer("pooling").reduction == "mean"


def test_the_blueprint_builds_the_same_model():
    layer = az.layers.TemporalAttention(shared=True, normalizer="entmax15", name="mine")
    model = az.build("lstm_after", input_shape=(11, 3), attention=layer, units=5)
    name, config = az.models.blueprint(model)
    again = az.build(name, **config)
    again.set_weights(model.get_weights())
    x = data(name)[0]
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.get_layer("mine").get_config() == layer.get_config()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("mask_value", [0.1, -99.9, -1000.0])
def test_padding_and_scales_are_read_in_float32(policy, mask_value):
    model = az.build(
        "gru", input_shape=(6, 1), attention="pooling", mask_value=mask_value, standardize=True,
        dtype=policy,
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(4, 6, 1)).astype("float32") + 10_000
    model.get_layer("standardize").adapt(x)
    x[:, 3:] = mask_value
    x[:, 0] = mask_value - 1  # rounds to the same in bfloat16 where that is -1000
    scores = az.attention_scores(model, x)["attention"]
    assert np.all(scores[:, 3:] == 0) and np.all(scores[:, 0] > 0)
    inner = keras.Model(model.input, model.get_layer("standardize").output)
    assert len(np.unique(inner.predict(x, verbose=0)[:, 1:3])) == 8


def test_standardize_needs_adapting_and_then_standardizes():
    model = az.build("dense", input_shape=(7,), standardize=True, attention=None)
    x = data("dense")[0] * 100 + 50
    model.get_layer("standardize").adapt(x)
    inner = keras.Model(model.input, model.get_layer("standardize").output)
    np.testing.assert_allclose(inner.predict(x, verbose=0).mean(0), 0, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: az.build("lstm_aftr", input_shape=(5, 2)), "Did you mean 'lstm_after'"),
        (lambda: az.build("gru", input_shape=(5, 2), unts=3), "Did you mean 'units'"),
        (lambda: az.build("gru"), "`input_shape` is missing"),
        (lambda: az.build("gru", input_shape=(5, 2), mask_value=np.nan), "must be a finite number"),
        (lambda: az.build("gru", input_shape=(5, None)), "must end with the number of features"),
        (lambda: az.build("gru", input_shape=(5, 2), dtype="mixed_flot16"), "'mixed_float16'"),
        (lambda: az.build("gru", input_shape=(5,)), r"tuple \(time, features\)"),
        (lambda: az.build("dense", input_shape=(5, 2)), r"tuple \(features,\)"),
        (lambda: az.build("gru", input_shape=(None, 2)), "needs a fixed time size"),
        (lambda: az.build("gru", input_shape=(5, 2), units=0), "`units` must be a positive"),
        (lambda: az.build("gru", input_shape=(5, 2), attention="temprl"), "mean 'temporal'"),
        (lambda: az.build("dense", input_shape=(5,), attention="temporal"), "rank 3"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_numpy_scalars_are_numbers():
    attention = {"class_name": "temporal", "config": {"seed": np.int64(3)}}
    model = az.build(
        "gru", input_shape=(np.int64(5), 2), units=np.int64(8), attention=attention,
        dropout=np.float64(0.5), bidirectional=np.bool_(False),
    )  # fmt: skip
    assert model(np.ones((1, 5, 2), "float32")).shape == (1, 1)
    json.dumps(az.models.blueprint(model).config)


def test_a_foreign_model_has_no_blueprint():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="was not built by"):
        az.models.blueprint(model)
