"""What each step adds to the logits: exact, and wherever an explanation shows scores."""

import base64
import json
import re

import keras
import numpy as np
import pytest

import attention_zoo as az

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 7, 3)).astype("float32")
X[0, 4:] = 0
X[1] = 0
HEADS = {
    "none": [],
    "dense": [keras.layers.Dropout, (keras.layers.Dense, 3, "softmax")],
    "two": [(keras.layers.Dense, 5), (keras.layers.Dense, 2), keras.layers.Softmax],
    "nonlinear": [(keras.layers.Dense, 5, "relu"), (keras.layers.Dense, 3)],
}


def model_of(layer, head):
    keras.utils.set_random_seed(0)
    x = keras.Input((None, 3))
    y = layer(keras.layers.Masking()(x))
    for made in HEADS[head]:
        make, *given = made if isinstance(made, tuple) else (made,)
        more = {"bias_initializer": "random_normal"} if make is keras.layers.Dense else {}
        y = make(*(given or ([0.5] if make is keras.layers.Dropout else [])), **more)(y)
    return keras.Model(x, y)


def layers():
    for form in ("conjunctive", "additive", "instance"):
        bias = {"bias_initializer": "random_normal"}
        yield form, "a", az.layers.ConjunctivePooling(4, form, name="a", **bias)
    yield "softmax gate", "a", az.layers.ConjunctivePooling(4, normalizer="softmax", name="a")
    yield "retain", "a/1", az.layers.RetainAttention(5, name="a")


@pytest.mark.parametrize("head", ["none", "dense", "two"])
@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in layers()])
def test_they_add_up_to_the_logits(case, head):
    _, name, layer = case
    layer = type(layer).from_config(layer.get_config())
    model = model_of(layer, head)
    parts = az.explain(model, X).contributions[name]
    # The logits of the model without its last activation, less the biases on the way
    total, bias = parts.sum(1), 0.0
    for dense in (each for each in model.layers if isinstance(each, keras.layers.Dense)):
        kernel, own = (np.asarray(w, "float64") for w in dense.get_weights())
        bias = bias @ kernel + own if np.ndim(bias) else own
        dense.activation = keras.activations.linear
    end = [each for each in model.layers if not isinstance(each, keras.layers.Softmax)][-1]
    logits = keras.Model(model.inputs, end.output).predict(X, verbose=0)
    np.testing.assert_allclose(total + bias, logits, atol=1e-6)
    assert not parts[0, 4:].any() and not parts[1].any()


@pytest.mark.parametrize("mask_value", [None, 0.0])
def test_after_strides_they_add_up_over_the_steps_of_the_input(mask_value):
    model = az.build("conv_after", input_shape=(7, 3), filters=2, strides=(2, 1, 1), outputs=3,
                     mask_value=mask_value)  # fmt: skip
    explanation = az.explain(model, X)
    parts = explanation.contributions["attention"]
    assert parts.shape == (12, 7, 3)
    np.testing.assert_allclose(parts.sum(1), explanation.predictions, atol=1e-6)
    assert mask_value is None or not parts[0, 4:].any()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_of_a_layer_with_an_activation_they_are_those_before_it(activation):
    layer = az.layers.ConjunctivePooling(4, activation=activation, name="a")
    model = model_of(layer, "none")
    explanation = az.explain(model, X)
    z = explanation.contributions["a"].sum(1)
    expected = np.exp(z) / np.exp(z).sum(1, keepdims=True) if activation == "softmax" else (
        1 / (1 + np.exp(-z)))  # fmt: skip
    np.testing.assert_allclose(explanation.predictions, expected, atol=1e-6)


def test_there_are_none_where_the_model_does_not_add_up_its_steps():
    assert az.explain(model_of(az.layers.ConjunctivePooling(4), "nonlinear"), X).contributions == {}
    pooled = az.layers.ConjunctivePooling(4, activation="softmax")
    assert az.explain(model_of(pooled, "dense"), X).contributions == {}
    assert az.explain(model_of(az.layers.AttentionPooling(), "none"), X).contributions == {}
    x, twice = keras.Input((7, 3)), az.layers.ConjunctivePooling(4)
    several = keras.Model(x, [twice(x), keras.layers.Dense(1)(x)])
    again = keras.Model(x, keras.layers.Add()([twice(x), twice(x)]))
    for model in (several, again):
        assert az.explain(model, X).contributions == {}


@pytest.fixture(scope="module")
def explanation():
    model = model_of(az.layers.ConjunctivePooling(3, activation="softmax", name="a"), "none")
    return az.explain(model, X, step_names=list("abcdefg"))


def test_they_are_in_the_table_the_file_and_the_samples(explanation, tmp_path):
    frame = explanation.to_frame()
    assert list(frame.columns)[-3:] == [f"contribution_{i}" for i in range(3)]
    cell = frame[(frame["sample"] == 3) & (frame.step == "c")]
    assert cell.contribution_1.item() == explanation.contributions["a"][3, 2, 1]
    again = az.Explanation.load(explanation.save(tmp_path / "e.npz"))
    np.testing.assert_array_equal(again.contributions["a"], explanation.contributions["a"])
    few = explanation[[4, 2]]
    np.testing.assert_array_equal(few.contributions["a"], explanation.contributions["a"][[4, 2]])


def test_they_are_drawn_with_zero_in_the_middle(explanation):
    figure = explanation.plot(kind="contributions", sample=0)
    shown = figure.axes[1].images[0]
    low, high = shown.get_clim()
    assert low == -high
    cells = np.ma.filled(shown.get_array(), np.nan)
    assert cells.shape == (3, 7) and np.isnan(cells[:, 4:]).all()
    np.testing.assert_allclose(cells[:, :4], explanation.contributions["a"][0, :4].T, atol=1e-6)
    without = az.explain(model_of(az.layers.AttentionPooling(name="a"), "none"), X)
    with pytest.raises(ValueError, match="what each step of one series adds"):
        without.plot(kind="contributions")


def test_the_page_has_them_beside_the_scores(explanation, tmp_path):
    page = explanation.to_html(tmp_path / "p.html").read_text("utf-8")
    data = json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', page, re.S)[1])
    scores, added = data["layers"]
    assert (scores["what"], added["what"]) == ("attention", "contribution")
    assert added["axes"] == ["step", "logit"] and added["sizes"] == [7, 3]
    packed = added["scores"]
    codes = np.frombuffer(base64.b64decode(packed["data"]), "<u2").reshape(packed["shape"])
    values = packed["low"] + codes / 65534 * (packed["high"] - packed["low"])
    np.testing.assert_allclose(values, explanation.contributions["a"], atol=1e-4)


def test_with_scores_returns_them_if_asked(explanation, tmp_path):
    model = model_of(az.layers.ConjunctivePooling(3, name="a"), "dense")
    assert "contributions_a" not in az.with_scores(model).output
    scored = az.with_scores(model, contributions=True)
    scored.save(tmp_path / "m.keras")
    for each in (scored, keras.models.load_model(tmp_path / "m.keras")):
        found = each.predict(X, verbose=0)["contributions_a"]
        np.testing.assert_allclose(found, az.explain(model, X).contributions["a"], atol=1e-6)


def test_trust_measures_that_they_add_up():
    name = "difference from the sum of the contributions"
    model = model_of(az.layers.ConjunctivePooling(3, activation="softmax", name="a"), "none")
    row = az.trust(model, X)[name]
    assert row.value < 1e-6 < row.control and row.verdict == "for"
    without = az.trust(model_of(az.layers.AttentionPooling(name="a"), "dense"), X)
    assert name not in [row.name for row in without.rows]
