"""The page in Chromium, of models of every kind: what it draws belongs to what it says."""

import keras
import numpy as np
import pytest

import attention_zoo as az

RIGHT, DOWN = "\ue014\ue015"
X = np.random.default_rng(0).normal(size=(11, 7, 3)).astype("float32")


@pytest.fixture
def show(in_chromium, tmp_path):
    """Open the page of an explanation at a width."""

    def opened(explanation, width=1280):
        in_chromium.open(explanation.to_html(tmp_path / "page.html", overwrite=True), width)
        return in_chromium

    return opened


def test_the_columns_of_a_table_are_bars(show):
    inputs = keras.Input((5,))
    x = az.layers.FeatureAttention(name="features")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    names = ["up to date", "b" * 40, "c", "d", "e"]
    seen = az.explain(model, X[:, :5, 0], feature_names=names)
    for width in (1280, 390):
        page = show(seen, width)
        assert "a bar for each feature" in page.text("input-caption")
        assert not page.drawn("lineTo", "input")
        labels = page.texts("bars")
        # A long name is cut, and says so
        assert any(each.startswith("bb") and each.endswith("…") for each in labels)
        assert ("up to date" in labels) == (width == 1280)
    page.press("bars", RIGHT)
    said = page.text("value").replace(",", "").split()
    assert said[:5] == ["feature", "up", "to", "date:", "attention"]
    assert float(said[5]) == pytest.approx(seen.scores["features"][0, 0], abs=1e-3)
    assert [said[6], float(said[7])] == ["input", pytest.approx(X[0, 0, 0], abs=1e-3)]


def test_of_several_inputs_those_are_shown_that_fit_the_layer(show):
    first, second = keras.Input((7, 1)), keras.Input((7, 3))
    other, table = keras.Input((4, 2)), keras.Input((7,))
    parts = [
        keras.layers.GlobalAveragePooling1D()(first),
        az.layers.AttentionPooling(name="twice")(second),
        az.layers.AttentionPooling(name="once")(other),
        az.layers.FeatureAttention(name="table")(table),
        az.layers.AttentionPooling(name="none")(keras.layers.Dense(2)(other[:, :3])),
    ]
    y = keras.layers.Dense(1)(keras.layers.Concatenate()(parts))
    x = [X[..., :1], 100 + X, X[:, :4, :2], X[..., 0]]
    page = show(az.explain(keras.Model([first, second, other, table], y), x))
    inputs = page.find("input-choice")
    page.choose("layer", "twice")
    assert "Input 0" in page.text("input-caption")
    assert "choose" in page.text("input-caption")
    page.choose("input-choice", "1")
    assert page.text("input-caption").startswith("Input 1")
    ends = [float(each) for each in page.texts("input")]
    assert min(ends) > 90
    page.choose("layer", "once")
    assert page.text("input-caption").startswith("Input 2 (of 0 to 3)")
    assert not inputs.is_displayed()
    page.choose("layer", "table")
    assert page.text("input-caption").startswith("Input 3 (of 0 to 3), a bar for each feature")
    page.choose("layer", "none")
    assert not page.find("input-figure").is_displayed()


def test_segments_are_not_taken_for_steps(show):
    inputs = keras.Input((4, 7, 3))
    model = keras.Model(inputs, az.layers.HierarchicalAttention(name="h")(inputs))
    x = np.stack([X, X + 50, X, X], axis=1)
    page = show(az.explain(model, x))
    assert "mean over the segments" in page.text("input-caption")
    ends = [float(each) for each in page.texts("input")]
    assert 9 < min(ends) < 16
    page.press("map", DOWN, DOWN)
    assert page.text("input-caption").startswith("Input, segment 1")
    ends = [float(each) for each in page.texts("input")]
    assert min(ends) > 40
    page.choose("layer", "h/2")
    assert page.text("bars-caption") == "Attention per segment"
    assert not page.find("input-figure").is_displayed()


def test_of_several_outputs_the_page_says_which_it_shows(show):
    inputs = keras.Input((7, 3))
    x = az.layers.AttentionPooling()(inputs)
    outputs = [keras.layers.Dense(1)(x), keras.layers.Dense(2)(x)]
    page = show(az.explain(keras.Model(inputs, outputs), X))
    assert "Prediction, first of 2 outputs" in page.text("prediction")


@pytest.mark.parametrize("scale", [1e-7, 0.0123, 1, 123456, 1e12])
def test_numbers_on_an_axis_are_whole(show, scale):
    inputs = keras.Input((7, 3))
    seen = az.explain(keras.Model(inputs, az.layers.AttentionPooling()(inputs)), -X * scale)
    low, high = sorted(float(each) for each in show(seen, 390).texts("input"))
    assert low == pytest.approx((-X[0] * scale).min(), rel=0.1)
    assert high == pytest.approx((-X[0] * scale).max(), rel=0.1)


def test_a_layer_over_the_features_of_each_step_opens_on_the_one_it_looks_at(show):
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, az.layers.FeatureAttention(name="features")(inputs))
    seen = az.explain(model, X)
    seen.scores["features"][:] = [0.1, 0.2, 0.7]
    page = show(seen)
    assert page.text("bars-caption") == "Attention per step, feature 2"
    page.press("bars", RIGHT)
    assert page.text("value").startswith("step 0, feature 2: attention 0.700")
