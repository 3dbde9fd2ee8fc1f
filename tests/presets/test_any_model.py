"""Presets of models that none of our factories built, and of a team's own folder."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.presets import folder as folders
from attention_zoo.presets.folder import CARD


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
    ],
)
def test_what_cannot_be_a_preset(make, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        az.save(make(), tmp_path / "no")
    assert not list(tmp_path.iterdir())


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
