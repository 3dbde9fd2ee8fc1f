"""Every factory builds a plain functional model from any attention that fits, or says why not."""

import inspect
import json
import re

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.catalog import MODELS

SHAPES = {name: (7,) if name == "dense" else (11, 3) for name in az.list_models()}
#: The arguments that make a factory's model small.
SMALL = {
    name: {one: 5 for one in ("units", "filters") if az.models.takes(name, one)} for name in SHAPES
}
ONE = az.layers.FeatureAttention()
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
    if (name, kind) == ("forecaster", "multiclass"):
        with pytest.raises(ValueError, match="forecasts no classes"):
            az.build(name, input_shape=SHAPES[name], **config)
        return
    model = az.build(name, input_shape=SHAPES[name], **SMALL[name], **config)
    model.compile("adam", loss)
    x, y = data(name)
    model.fit(x, y, epochs=1, batch_size=3, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert all(np.any(np.asarray(a) != 0) for a in model.get_weights() if a.ndim == 2)


#: Further arguments of each factory. The names of `rnn` are tested to be forms of it.
OPTIONS = {
    "dense": [{"depth": 3}, {"dropout": 0.2}, {"standardize": True}],
    "dense_after": [{"depth": 0}, {"depth": 2, "answer_depth": 0}, {"mask_value": -9.0}],
    "conv_after": [
        {"attention": None},
        {"strides": 2, "mask_value": -9.0},
        {"dropout": 0.2},
        {"dilation_rates": [1, 2, 4], "mask_value": -9.0},
        {"kernel_sizes": [3, 3], "filters": [4, 7], "strides": [1, 3], "attention": "luong"},
        {"attention": {"class_name": "pooling", "config": {"hops": 2}}, "standardize": True},
    ],
    "lstm_fcn": [
        {"attention": None, "mask_value": -9.0},
        {"dimension_shuffle": True, "dropout": 0.0},
        {"attention": "temporal", "pooling": "flatten"},
    ],
    "forecaster": [
        {"encoder": "conv", "depth": 2, "level": "last"},
        {"encoder": None, "dropout": 0.2},
        {"encoder": "lstm", "level": "mean", "mask_value": -9.0},
        {"attention": "luong"},
        {"attention": None, "attention_before": "variable_selection"},
    ],
    "rnn": [
        {"bidirectional": True},
        {"depth": 2, "cell": "gru"},
        {"dropout": 0.2},
        {"recurrent_dropout": 0.2, "cell": "gru"},
        {"mask_value": -9.0},
        {"bidirectional": True, "depth": 2, "attention_before": "feature", "mask_value": -9.0},
        {"attention": None, "pooling": "last", "depth": 2},
    ],
}


@pytest.mark.parametrize("name, options", [(n, one) for n, many in OPTIONS.items() for one in many])
def test_options(name, options):
    model = az.build(name, input_shape=SHAPES[name], **{**SMALL[name], **options})
    assert model.predict(data(name)[0], verbose=0).shape == (6, 1)


def test_dense_layers_on_each_step_know_no_order():
    model = az.build("dense_after", input_shape=(None, 3), units=5)
    x = data("dense_after")[0]
    np.testing.assert_allclose(
        model.predict(x[:, ::-1], verbose=0), model.predict(x, verbose=0), atol=1e-5
    )


BEFORE = {"attention": None, "attention_before": "temporal"}
#: What each name of `rnn` stands for.
FORMS = {
    "lstm_before": {"cell": "lstm", "pooling": "last", **BEFORE},
    "lstm_after": {"cell": "lstm"},
    "gru_before": {"cell": "gru", "pooling": "last", **BEFORE},
    "gru_after": {"cell": "gru"},
    "gru": {"cell": "gru"},
}
DEEP = {
    "bidirectional": True,
    "depth": 2,
    "dropout": 0.2,
    "recurrent_dropout": 0.3,
    "standardize": True,
    "mask_value": -9.0,
    "outputs": 2,
    "units": 5,
}


@pytest.mark.parametrize("options", [{}, DEEP], ids=["default", "deep"])
@pytest.mark.parametrize("name", FORMS)
def test_a_name_is_a_form_of_rnn(name, options):
    def built(*args, **form):
        keras.utils.set_random_seed(3)
        return az.build(*args, input_shape=(11, 3), **form, **options)

    form, whole = built(name), built("rnn", **FORMS[name])
    for own, other in zip(form.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    x = data(name)[0]
    np.testing.assert_array_equal(form.predict(x, verbose=0), whole.predict(x, verbose=0))
    assert [type(one) for one in form.layers] == [type(one) for one in whole.layers]
    assert form.name == az.models.blueprint(form).architecture == name
    assert whole.name == az.models.blueprint(whole).architecture == "rnn"
    assert form.get_layer("attention").name == "attention"


@pytest.mark.parametrize(
    "cell, options, shape",
    [
        ("lstm", {}, (None, 2)),
        ("gru", {"return_sequences": True, "attention": "self_attention"}, (None, 11, 2)),
    ],
)
def test_attention_before_and_after_is_trained_saved_and_explained(cell, options, shape, tmp_path):
    model = az.build(
        "rnn",
        input_shape=(11, 3),
        cell=cell,
        attention_before="feature",
        units=5,
        outputs=2,
        mask_value=-9.0,
        **options,
    )
    assert model.output_shape == shape
    model.compile("adam", "mse")
    x = data("rnn")[0]
    x[:, 7:] = -9
    before = {one.name: one.get_weights() for one in model.layers}
    model.fit(x, np.ones((6, *shape[1:])), epochs=1, batch_size=3, verbose=0)
    for name in ("attention_before", "attention"):
        after = model.get_layer(name).get_weights()
        assert any(np.any(a != b) for a, b in zip(before[name], after, strict=True)), name
    found = az.attention_scores(model, x)
    assert list(found) == ["attention_before", "attention"]
    assert found["attention_before"].shape == (6, 11, 3)
    assert np.all(found["attention_before"][:, 7:] == 0)
    np.testing.assert_allclose(found["attention_before"][:, :7].sum(-1), 1, atol=1e-5)
    explained = az.explain(model, x)
    for name, scores in found.items():
        np.testing.assert_allclose(explained.scores[name], scores, atol=1e-6)
    model.save(tmp_path / "m.keras")
    az.save(model, tmp_path / "preset")
    for again in (
        keras.models.load_model(tmp_path / "m.keras"),
        az.load(tmp_path / "preset", verify=True),
    ):
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
        assert list(az.attention_scores(again, x)) == list(found)
    assert az.presets.read_card(tmp_path / "preset").architecture == "rnn"


@pytest.mark.parametrize("name", SHAPES)
def test_the_docstring_names_each_argument(name):
    factory = MODELS.get(name)
    assert factory is getattr(az.models, name) and factory.__name__ == name
    arguments = inspect.getdoc(factory).partition("Args:\n")[2].partition("\nReturns:")[0]
    named = re.findall(r"^    (\w[\w, ]*): ", arguments, re.M)
    assert [n for some in named for n in some.split(", ")] == [
        *inspect.signature(factory).parameters
    ]


@pytest.mark.parametrize("name", ["lstm_before", "gru_before"])
def test_an_answer_at_each_step(name):
    model = az.build(name, input_shape=(11, 3), units=5, outputs=2, return_sequences=True)
    assert model.output_shape == (None, 11, 2)
    with pytest.raises(TypeError, match="`return_sequences` must be True or False"):
        az.build(name, input_shape=(11, 3), return_sequences=1)


@pytest.mark.parametrize(
    "name", ["dense_after", "rnn", "lstm_before", "gru", "conv_after", "lstm_fcn"]
)
def test_padding_changes_nothing_and_all_padding_is_finite(name):
    attention = {"class_name": "temporal", "config": {"score": "additive", "shared": True}}
    keras.utils.set_random_seed(1)
    model = az.build(
        name, input_shape=(None, 3), attention=attention, mask_value=-9.0, **SMALL[name]
    )
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
        "gru",
        input_shape=(None, 3),
        units=5,
        attention=attention,
        mask_value=-9.0,
        bidirectional=bidirectional,
    )
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
    assert (
        not az.build("gru", input_shape=(11, 3), attention=attention)
        .get_layer("attention")
        .bidirectional
    )


@pytest.mark.parametrize("name", ["lstm_after", "gru", "conv_after"])
@pytest.mark.parametrize(
    "attention",
    sorted(set(az.list_layers()) - {"cross_attention", "attention_decoder", "hierarchical"}),
)
def test_every_layer_of_one_sequence_fits_after_states(name, attention):
    model = az.build(
        name, input_shape=(11, 3), attention=attention, **dict.fromkeys(SMALL[name], 4)
    )
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
        "gru",
        input_shape=(6, 1),
        attention="pooling",
        mask_value=mask_value,
        standardize=True,
        dtype=policy,
    )
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
        (lambda: az.build("lstm_after", input_shape=(5, 2), pooling="sun"), "mean 'sum'"),
        (lambda: az.build("lstm_after", input_shape=(5, 2), cell="gru"), "It is one of rnn"),
        (
            lambda: az.build("lstm_before", input_shape=(5, 2), hidden_activation="relu"),
            "It is one of dense, dense_after",
        ),
        (
            lambda: az.build("gru", input_shape=(5, 2), attention="pooling", hops=2),
            "`hops` is an argument of the layer 'pooling'",
        ),
        (
            lambda: az.build(
                "gru", input_shape=(5, 2), attention={"class_name": "pooling"}, scre=1
            ),
            "Unknown argument of 'gru'",
        ),
        (
            lambda: az.build("lstm_before", input_shape=(5, 2), normalizer="sparsemax"),
            "`normalizer` is an argument of the layer 'temporal'",
        ),
        (lambda: az.build("rnn", input_shape=(5, 2), cell="GRU"), "Did you mean 'gru'"),
        (
            lambda: az.build("rnn", input_shape=(5, 2), attention_befor="feature"),
            "Did you mean 'attention_before'",
        ),
        (
            lambda: az.build("rnn", input_shape=(5, 2), attention_before="luong"),
            "`attention_before` needs an attention layer that keeps the shape",
        ),
        (lambda: az.build("rnn", input_shape=(5, 2), pooling="last"), "needs `attention=None`"),
        (
            lambda: az.build("rnn", input_shape=(5, 2), pooling="sum", return_sequences=True),
            "one of the two",
        ),
        (
            lambda: az.build("rnn", input_shape=(5, 2), attention="pooling", return_sequences=True),
            "`attention` needs an attention layer that keeps the shape",
        ),
        (
            lambda: az.build("rnn", input_shape=(5, 2), attention=ONE, attention_before=ONE),
            "must be two layers",
        ),
        (
            lambda: az.build("conv_after", input_shape=(5, 2), strides=(2, 2)),
            "`strides` must be a list of 3 positive integers, as `kernel_sizes`",
        ),
        (lambda: az.build("conv_after", input_shape=(5, 2), kernel_sizes=()), "must be a list of"),
        (lambda: az.build("conv_after", input_shape=(5, 2), filters=0), "`filters` must be a pos"),
        (lambda: az.build("conv_after", input_shape=(5, 2), strides=4), "would be left out"),
        (
            lambda: az.build("conv_after", input_shape=(5, 2), strides=2, dilation_rates=2),
            "strides or a dilation rate, not both",
        ),
        (
            lambda: az.build("lstm_fcn", input_shape=(None, 2), dimension_shuffle=True),
            "needs a fixed time and no padding",
        ),
        (
            lambda: az.build("forecaster", input_shape=(5, 2), attention="pooling"),
            "`attention` needs a layer that takes a query, a value and a key",
        ),
        (lambda: az.build("forecaster", input_shape=(5, 2), ahead=True, outputs=5), "fixed number"),
        (lambda: az.build("forecaster", input_shape=(5, 2), targets=3), "at most the 2 columns"),
        (lambda: az.build("forecaster", input_shape=(5, 2), quantiles=(0.5, 0.1)), "each larger"),
        (lambda: az.build("forecaster", input_shape=(5, 2), encoder="grv"), "mean 'gru'"),
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
        "gru",
        input_shape=(np.int64(5), 2),
        units=np.int64(8),
        attention=attention,
        dropout=np.float64(0.5),
        bidirectional=np.bool_(False),
    )
    assert model(np.ones((1, 5, 2), "float32")).shape == (1, 1)
    json.dumps(az.models.blueprint(model).config)


def test_a_foreign_model_has_no_blueprint():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="was not built by"):
        az.models.blueprint(model)
