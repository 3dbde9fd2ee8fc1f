"""A preset is measured on data as its card describes them, whatever their own order is."""

import dataclasses

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.data.alignment import align_to_card, as_codes, in_order
from attention_zoo.presets.card import Card
from attention_zoo.training import from_arrays

NAMES = ["a", "b", "c"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")


def preset(path, outputs, activation, shape=(3,), **about):
    """A model whose answers hang on the order of what it is given, as a preset."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    hidden = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(outputs, activation)(hidden))
    az.save(model, path, about=about)
    return model


def answering(outputs):
    """A model with so many outputs."""
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(outputs)(inputs))


def named(x, y, names, **options):
    return dataclasses.replace(from_arrays(x, y, **options), names=names)


@pytest.mark.parametrize("series", [False, True])
def test_columns_are_found_by_their_names(tmp_path, series):
    shape = (3, 1) if series else (3,)
    preset(tmp_path / "m", 1, None, shape, kind="regression", names=NAMES)
    y = RNG.normal(size=40)
    straight, turned = named(X, y, NAMES), named(X[:, [2, 0, 1]], y, ["c", "a", "b"])
    if series:
        straight, turned = straight.as_series(), turned.as_series()
    wanted = az.evaluate(tmp_path / "m", data=straight)
    assert az.evaluate(tmp_path / "m", data=turned) == wanted
    nameless = dataclasses.replace(turned, names=None)
    assert az.evaluate(tmp_path / "m", data=nameless) != wanted
    other = dataclasses.replace(turned, names=["a", "b", "d"])
    with pytest.raises(ValueError, match=r"columns that m knows. Missing: 'c'. Unknown: 'd'\."):
        az.evaluate(tmp_path / "m", data=other)
    with pytest.raises(TypeError, match="`data` must be a Dataset"):
        az.evaluate(tmp_path / "m", data=(X, y))


def test_features_of_a_series_are_found_by_their_names():
    x = RNG.normal(size=(2, 3, 3))
    turned, names = in_order(x, ["b", "a", "c"], NAMES, "m")
    np.testing.assert_array_equal(turned, x[..., [1, 0, 2]])
    assert names == NAMES
    assert in_order(x, None, NAMES, "m")[0] is x
    assert in_order(x, NAMES, None, "m")[0] is x


def test_classes_have_the_numbers_of_the_card(tmp_path):
    classes = ["ape", "bee", "cat", "dog"]
    model = preset(tmp_path / "m", 4, "softmax", kind="multiclass", classes=classes)
    codes = np.arange(40) % 2 * 2 + 1
    result = az.evaluate(tmp_path / "m", data=from_arrays(X, np.array(classes)[codes]))
    right = model.predict(X, verbose=0)
    assert result.measured["accuracy"] == pytest.approx((right.argmax(1) == codes).mean())
    assert set(result.measured) == {"accuracy", "log_loss"}
    loss = -np.log(right[np.arange(40), codes]).mean()
    assert result.measured["log_loss"] == pytest.approx(loss, rel=1e-4)
    alone = az.evaluate(tmp_path / "m", data=from_arrays(X[:1], np.array(["dog"])))
    assert alone.measured["accuracy"] == float(right[0].argmax() == 3)
    unknown = from_arrays(X, np.array(["bee", "eel"] * 20))
    with pytest.raises(ValueError, match="class 'eel', which m does not know. Its classes: .'ape'"):
        az.evaluate(tmp_path / "m", data=unknown)


@pytest.mark.parametrize(
    ("about", "outputs", "y", "kind", "wanted"),
    [
        # By their numbers where a card names no classes, and by their order where these are text
        ({"kind": "binary"}, 1, [0, 1, 1], "binary", [0, 1, 1]),
        ({"kind": "binary"}, 1, ["no", "yes", "no"], "binary", [0, 1, 0]),
        ({"kind": "multiclass"}, 4, [1, 3, 1], "multiclass", [1, 3, 1]),
        ({}, 4, [1, 3, 1], "multiclass", [1, 3, 1]),
        ({"classes": [5, 6]}, 1, [6, 5, 6], "binary", [1, 0, 1]),
        ({"classes": [0, 1]}, 1, [1.0, 0.0, 1.0], "binary", [1, 0, 1]),
        ({"classes": ["0", "1", "?"]}, 3, [1, 0, 1], "multiclass", [1, 0, 1]),
        # Whole numbers are quantities again
        ({"kind": "regression"}, 1, [5, 9, 5], "regression", [5, 9, 5]),
        ({}, 1, [0.5, 2.5, 7], "regression", [0.5, 2.5, 7]),
    ],
)
def test_kind_and_numbers_of_labels(about, outputs, y, kind, wanted):
    empty = {"architecture": "", "parameters": 1, "license": "", "provenance": ""}
    card = Card(**empty, versions={}, files={}, **about)
    found = align_to_card(from_arrays(X[:3], y), card, answering(outputs), "m")
    assert found.kind == kind
    np.testing.assert_array_equal(found.y, np.array(wanted, "float32"))


@pytest.mark.parametrize(
    ("y", "classes", "kind", "message"),
    [
        ([5, 6], None, "binary", r"class 5, which m does not know. Its classes: \[0, 1\]"),
        (["a", "b", "c"], None, "binary", "the 2 classes of m"),
        (["a", "b"], None, "regression", "is text, and m predicts a quantity"),
        ([0.5, 1], [0, 1], None, "class 0.5, which m"),
        (["b", "b"], None, "binary", "what its 2 classes are called, and the target has 1 of them"),
    ],
)
def test_labels_that_are_none_of_the_models(y, classes, kind, message):
    with pytest.raises(ValueError, match=message):
        as_codes(np.array(y), classes, kind, "m", 1)


@pytest.mark.parametrize(
    ("task", "preset"),
    [("max_retrieval", "dense_after.max_retrieval"), ("planted_feature", "dense"),
     ("find_max", "lstm_after.find_max"), ("hidden_state", "lstm_before.hidden_state")],
)  # fmt: skip
def test_a_draw_of_a_task_is_as_it_was(task, preset):
    data = az.training.from_task(az.tasks.get(task), 20, 0, "test")
    found = align_to_card(data, az.presets.read_card(preset), az.load(preset), "m")
    assert (found.kind, found.fingerprint()) == (data.kind, data.fingerprint())


def test_padding_is_what_the_model_takes_for_padding(tmp_path):
    x = RNG.normal(size=(40, 6, 2)).astype("float32")
    mask = np.arange(6) < RNG.integers(2, 7, size=(40, 1))
    data = from_arrays(x, np.arange(40) % 2, mask)
    about = {"kind": "binary", "classes": [0, 1]}
    model = az.build("gru", input_shape=(6, 2), units=3, activation="sigmoid", mask_value=-7.0)
    az.save(model, tmp_path / "m", about=about)
    found = align_to_card(data, az.presets.read_card(tmp_path / "m"), model, "m")
    np.testing.assert_array_equal(found.x, np.where(mask[..., None], x, np.float32(-7)))
    assert found.mask_value == -7
    wanted = model.predict(found.x, verbose=0)[:, 0]
    accuracy = az.evaluate(tmp_path / "m", data=data).measured["accuracy"]
    assert accuracy == pytest.approx(((wanted > 0.5) == data.y).mean())
    other = az.build("gru", input_shape=(6, 2), units=3, activation="sigmoid")
    az.save(other, tmp_path / "o", about=about)
    with pytest.raises(ValueError, match="o has no Masking layer: it would read the padding as"):
        az.evaluate(tmp_path / "o", data=data)
