"""Presets of models that none of our factories built, and of a team's own folder."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.presets import folder as folders
from attention_zoo.presets.folder import CARD

only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras looks words up with TensorFlow"
)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(5)


def functional():
    series = keras.Input((11, 3), name="series")
    facts = keras.Input((4,), name="facts")
    x = keras.layers.Conv1D(5, 3, activation="relu")(series)
    x = az.layers.AttentionPooling(normalizer="entmax15", name="look")(x)
    x = keras.layers.Concatenate()([x, az.layers.FeatureAttention(name="which")(facts)])
    answers = keras.layers.Dense(2, name="a")(x), keras.layers.Dense(1, name="b")(x * 2.0)
    return keras.Model([series, facts], answers)


def sequential():
    return keras.Sequential(
        [
            keras.Input((7,)),
            keras.layers.Embedding(13, 5, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True)),
            az.layers.LuongAttention(units=4, bidirectional=True),
            keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1)),
        ]
    )


def nested():
    inner = keras.Sequential([keras.Input((5, 3)), az.layers.AttentionPooling()], name="inner")
    x = keras.Input((4, 5, 3))
    y = az.layers.AttentionPooling(name="outer")(keras.layers.TimeDistributed(inner)(x))
    return keras.Model(x, y)


@pytest.mark.parametrize("make", [functional, sequential])
def test_there_and_back(make, tmp_path):
    model = make()
    path = az.save(model, tmp_path / "any")
    again = az.load(path, verify=True)
    assert az.presets.read_card(path).architecture == type(model).__name__.lower()
    for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="was not built by"):
        az.models.blueprint(again)
    # and back once more, from what was loaded
    az.load(az.save(again, tmp_path / "twice"), verify=True)


def test_a_nested_model(tmp_path):
    model = nested()
    again = az.load(az.save(model, tmp_path / "nested"))
    x = np.random.default_rng(0).random((3, 4, 5, 3)).astype("float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


class Mine(keras.Model):
    def __init__(self):
        super().__init__()
        self.attention = az.layers.FeatureAttention()

    def call(self, x):
        return self.attention(x)


def with_lambda():
    return keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])


@keras.saving.register_keras_serializable("test_any_model")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return x * 2


def with_a_layer_of_ones_own():
    return keras.Sequential([keras.Input((3,)), az.layers.FeatureAttention(), Doubled()])


def sharing():
    shared = keras.layers.Dense(3, name="shared")
    x = keras.Input((3,))
    inner = keras.Model(x, shared(x), name="inner")
    y = keras.Input((3,))
    return keras.Model(y, shared(inner(az.layers.FeatureAttention()(y))), name="outer")


def looked_up(**arguments):
    x = keras.Input((5,), dtype="int64")
    lookup = keras.layers.IntegerLookup(name="lookup", **arguments)
    if not arguments:
        lookup.adapt(np.array([3, 5, 7]))
    y = keras.layers.Embedding(7, 4)(lookup(x))
    return keras.Model(x, az.layers.AttentionPooling(3)(y))


def of_strings():
    x = keras.Input((1,), dtype="string", name="text")
    y = keras.layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=5)(x)
    return keras.Model(x, keras.layers.Embedding(5, 4)(y))


def unbuilt():
    return keras.Sequential([az.layers.FeatureAttention()])


def called():
    model = Mine()
    model(np.zeros((2, 3), "float32"))
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (called, "is a Mine: save it with model.save"),
        (unbuilt, "is not built yet"),
        (with_lambda, "loading it would be refused.*names the class 'Lambda'"),
        (
            with_a_layer_of_ones_own,
            r"names the class 'Doubled'.*model.save\('my.keras'\), which keras.models.load_model",
        ),
        (sharing, "'shared' is used in 'outer' and in 'inner'.*save_weights.'my.weights.h5'"),
        pytest.param(
            looked_up,
            r"'lookup' learned in `adapt`.*vocabulary=layer.get_vocabulary\(\)",
            marks=only_tensorflow,
        ),
        pytest.param(
            of_strings,
            "its input 'text' takes strings.*the model behind its TextVectorization",
            marks=only_tensorflow,
        ),
    ],
)
def test_what_cannot_be_a_preset(make, message, tmp_path):
    with pytest.raises(ValueError, match=message) as refusal:
        az.save(make(), tmp_path / "no")
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def several_inputs_and_outputs():
    """Keras orders what a dictionary holds by its keys."""
    series, facts = keras.Input((5, 3), name="series"), keras.Input((4,), name="facts")
    pooled = az.layers.AttentionPooling(name="look")(series)
    both = keras.layers.Concatenate()([pooled, az.layers.FeatureAttention(name="which")(facts)])
    answers = {"price": keras.layers.Dense(1)(both), "kind": keras.layers.Dense(2)(facts)}
    return keras.Model({"series": series, "facts": facts}, answers)


def with_a_submodel_of_the_same_inputs():
    x = keras.Input((5, 3))
    inner = keras.Model(x, az.layers.AttentionPooling(name="look")(x), name="inner")
    return keras.Model(x, keras.layers.Dense(1)(inner(x)))


def random():
    x = keras.Input((3,))
    y = keras.layers.Dropout(0.5)(az.layers.FeatureAttention()(x), training=True)
    return keras.Model(x, y)


@pytest.mark.parametrize(
    "make",
    [several_inputs_and_outputs, with_a_submodel_of_the_same_inputs, random],
)
def test_what_can_be_a_preset_too(make, tmp_path):
    model = make()
    again = az.load(az.save(model, tmp_path / "kept"), verify=make is not random)
    assert keras.tree.map_structure(lambda t: t.shape, again.output) == keras.tree.map_structure(
        lambda t: t.shape, model.output
    )
    for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@only_tensorflow
def test_words_in_the_config_are_kept(tmp_path):
    model = looked_up(vocabulary=[3, 5, 7])
    x = np.array([[3, 5, 7, 9, 3]])
    again = az.load(az.save(model, tmp_path / "kept"), verify=True)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_nothing_is_kept_that_would_not_load(tmp_path, monkeypatch):
    """Whatever the reason: what was written is loaded before it takes its place."""
    preset = az.save(az.build("dense", input_shape=(5,)), tmp_path / "kept")
    before = {path.name: path.read_bytes() for path in preset.iterdir()}

    def others(model, path):
        model.set_weights([weight * 2 for weight in model.get_weights()])
        save_weights(model, path)

    save_weights = keras.Model.save_weights
    monkeypatch.setattr(keras.Model, "save_weights", others)
    with pytest.raises(ValueError, match="would not load as it is: loaded again, .* differs"):
        az.save(az.build("dense", input_shape=(5,)), preset, overwrite=True)
    assert {path.name: path.read_bytes() for path in preset.iterdir()} == before
    assert list(tmp_path.iterdir()) == [preset]


def test_no_model(tmp_path):
    with pytest.raises(TypeError, match="must be a keras.Model. Received: int"):
        az.save(3, tmp_path / "no")


def test_a_folder_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_FOLDERS", [])
    model = az.build("dense", input_shape=(5,))
    az.save(model, tmp_path / "dense.sales")
    az.save(model, tmp_path / "dense.planted_feature")
    (tmp_path / "notes").mkdir()
    with pytest.raises(ValueError, match="Unknown preset"):
        az.load("dense.sales")
    az.add_preset_folder(tmp_path)
    az.add_preset_folder(str(tmp_path))
    assert "dense.sales" in az.list_presets()
    assert az.list_presets("notes") == []
    assert az.load("dense.sales").input_shape == (None, 5)
    # What comes with the package keeps its name
    assert az.load("dense.planted_feature").input_shape == (None, 32)
    with pytest.raises(NotADirectoryError, match="There is no folder at"):
        az.add_preset_folder(tmp_path / "dense.sales" / CARD)


@pytest.mark.parametrize(("outputs", "activation"), [(1, "linear"), (4, "softmax")])
def test_a_trained_trunk_with_a_head_of_ones_own(outputs, activation):
    old = az.load("lstm_after")
    new = az.load("lstm_after", outputs=outputs, activation=activation)
    assert new.output_shape == (None, outputs)
    assert new.layers[-1].activation.__name__ == activation
    for before, after in zip(old.layers[:-1], new.layers[:-1], strict=True):
        for a, b in zip(before.get_weights(), after.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    fresh = new.layers[-1].get_weights()[0]
    assert not np.array_equal(fresh[:, 0], old.layers[-1].get_weights()[0][:, 0])


def test_a_head_needs_a_factory(tmp_path):
    az.save(sequential(), tmp_path / "any")
    with pytest.raises(ValueError, match="`outputs` is for models of attention_zoo's factories"):
        az.load(tmp_path / "any", outputs=3)


def test_the_format_of_the_first_release(tmp_path):
    """A preset as version 0.1.0 wrote it, kept as it was."""
    model = az.load("tests/presets/format_1", verify=True)
    assert model.output_shape == (None, 1)
    assert az.presets.read_card("tests/presets/format_1").format == 1
