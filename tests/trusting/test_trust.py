"""The page of trust: what it holds, and that it tells a model that needs its attention from one
that does not."""

import json

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.capture.outputs import check_targets
from attention_zoo.cli.cards import retrained_uniform
from attention_zoo.trusting.page import Trust, TrustRow

RETRAINED = "accuracy, trained with uniform attention"
IN_PLACE = "accuracy, uniform attention"


def page_of(name, **options):
    recipe = az.presets.read_card(name).recipe
    task = az.tasks.get(recipe["task"], **recipe["task_config"])
    drawn = az.training.from_task(task, 60, 0, "test")
    options["retrained_uniform"] = retrained_uniform(az.presets.read_card(name))
    return az.trust(az.load(name), drawn.x, drawn.y, truth=drawn.relevance, **options)


@pytest.fixture(scope="module")
def good():
    return page_of("dense_after.max_retrieval")


@pytest.fixture(scope="module")
def faking():
    return page_of("dense.planted_feature")


def test_the_page_tells_a_model_that_needs_its_attention_from_one_that_does_not(good, faking):
    assert good[RETRAINED].value < good[RETRAINED].control - 0.5
    assert "predicts worse" in good[RETRAINED].sentence
    assert faking[RETRAINED].value >= faking[RETRAINED].control - 0.005
    assert "the task needs no attention" in faking[RETRAINED].sentence
    # What cannot tell them apart: both look where the answer is
    for page in (good, faking):
        assert page["relevance mass accuracy"].value > 0.9 > page["relevance mass accuracy"].control
        assert page["relevance mass accuracy"].verdict == "for"


def test_every_row_has_a_value_beside_its_control_or_says_why_not(good, faking):
    for row in (*good.rows, *faking.rows):
        assert row.sentence.endswith(".")
        assert row.question.endswith("?")
        assert row.source
        if row.value is None:
            assert row.sentence.startswith("Not measured: ")
            assert row.verdict == "not measured" and not row.interval
        else:
            assert np.isfinite(row.value) and np.isfinite(row.control)
            assert row.control_name
            # A value that is passed in has no interval
            assert (row.name == RETRAINED) == (row.low is None)
    missing = {row.name: row.sentence for row in faking.rows if row.value is None}
    assert "attends to features, not to states" in missing.pop("conicity of the attended states")
    # Its predictions are so certain that gradients may vanish in float32
    assert all("where the predictions are certain" in said for said in missing.values())
    assert set(missing) <= {"Kendall tau with leave-one-out", "Kendall tau with gradients"}
    assert all(row.value is not None for row in good.rows)
    assert len({row.name for row in good.rows}) == len(good.rows) == 14


def test_no_sentence_contradicts_another_row():
    page = page_of("dense_after.find_max")
    # States of one direction, and yet the predictions depend on which of them are attended to
    conicity = page["conicity of the attended states"]
    assert conicity.value > 0.8 and conicity.low > 0
    assert page["change of predictions, permuted attention"].verdict == "for"
    assert conicity.verdict == "undecided"
    assert "the predictions depend on where the scores fall" in conicity.sentence
    assert page["Kendall tau with leave-one-out"].verdict == "for"
    assert "mean absolute error, trained with uniform attention" in [row.name for row in page.rows]


def test_the_values_are_those_of_the_metrics(good):
    name = "dense_after.max_retrieval"
    recipe = az.presets.read_card(name).recipe
    task = az.tasks.get(recipe["task"], **recipe["task_config"])
    drawn = az.training.from_task(task, 60, 0, "test")
    model = az.load(name)
    scores = az.attention_scores(model, drawn.x)["attention"]
    mass = (scores * drawn.relevance).sum(1)
    assert good["relevance mass accuracy"].value == pytest.approx(mass.mean(), abs=1e-6)
    predicted = model.predict(drawn.x, verbose=0).argmax(1)
    assert good[IN_PLACE].control == pytest.approx((predicted == drawn.y).mean())
    assert good[IN_PLACE].value < 0.6


def test_the_page_as_text_json_table_and_html(good):
    text = str(good)
    assert all(cell in " ".join(text.split()) for row in good.cells() for cell in row)
    assert max(map(len, text.splitlines())) <= 88
    assert max(map(len, good.as_text(60).splitlines())) <= 60
    joined = " ".join(text.split())
    for row in good.rows:
        assert row.name in joined
        assert row.sentence in joined
        assert row.interval in joined
    assert "Undecided. " in joined or "Against. " in joined
    assert "No single row decides" in joined
    read = json.loads(json.dumps(good.to_dict(), allow_nan=False))
    assert Trust(**{**read, "rows": tuple(TrustRow(**row) for row in read["rows"])}) == good
    assert repr(good) == "<Trust in attention of dense_after: 14 rows>"
    assert good._repr_html_().count("<tr>") == 15
    with pytest.raises(KeyError, match="'verdict' is not a row"):
        good["verdict"]


def test_a_table(good):
    pytest.importorskip("pandas")
    frame = good.to_frame()
    assert list(frame.columns) == [
        "name", "value", "control", "control_name", "sentence", "source", "question", "reference",
        "low", "high", "verdict",
    ]  # fmt: skip
    assert frame["name"].tolist() == [row.name for row in good.rows]
    assert frame["verdict"].tolist() == [row.verdict for row in good.rows]
    assert (frame["low"] <= frame["high"]).sum() == len(good.rows) - 1


def test_a_page_goes_through_its_rows():
    rows = tuple(TrustRow(name, 0.5, None, "", "", "") for name in ("one", "two"))
    page = Trust("m", "l", 3, rows)
    assert tuple(page) == rows and len(page) == 2 and rows[1] in page
    assert {row.name: row.value for row in page} == {"one": 0.5, "two": 0.5}


def test_html_is_escaped():
    row = TrustRow("<script>", 0.5, 0.25, "a < b", "x & y.", "<i>")
    html = Trust("<model>", "<layer>", 3, (row,))._repr_html_()
    for name in ("<script>", "<model>", "<layer>", "a < b", "<i>"):
        assert name not in html
    assert "&lt;script&gt;" in html


@pytest.fixture(scope="module")
def small():
    """A model of two outputs of quantities, and its data."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 3))
    x = az.layers.AttentionPooling(name="attention")(inputs)
    x = keras.Model(inputs, keras.layers.Dense(2)(x))
    return x, np.random.default_rng(0).normal(size=(23, 5, 3)).astype("float32")


def test_without_labels_truth_or_controls(small):
    model, x = small
    before = model.get_weights()
    told = []
    page = az.trust(model, x, samples=17, seed=3, progress=lambda *step: told.append(step))
    assert page.samples == 17
    names = [row.name for row in page.rows]
    assert names[:4] == [
        "change of predictions, uniform attention",
        "change of predictions, permuted attention",
        "JSD of adversarial attention",
        "trained with uniform attention",
    ]
    assert page.rows[0].value > 0.1 * page.rows[0].control
    assert page.rows[0].verdict == "for"
    assert "does not show that they improve its predictions" in page.rows[0].sentence
    assert "normalizer='uniform'" in page.rows[3].sentence
    assert not {"relevance mass accuracy", "JSD over 2 seeds"} & set(names)
    assert [done for _, done, _ in told] == list(range(told[0][2]))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert page == az.trust(model, x, samples=17, seed=3)
    assert page != az.trust(model, x, samples=17, seed=4)


def test_few_samples_that_differ_are_no_proof(good):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 3))

    def model(**options):
        pooled = az.layers.AttentionPooling(**options)(inputs)
        return keras.Model(inputs, keras.layers.Dense(1, "sigmoid", name="answer")(pooled))

    own, uniform = model(), model(normalizer="uniform")
    uniform.set_weights(own.get_weights())
    x = np.random.default_rng(0).normal(size=(2000, 5, 3)).astype("float32")
    y, other = (m.predict(x, verbose=0)[:, 0] > 0.5 for m in (own, uniform))
    two = np.r_[np.flatnonzero(y != other)[:2], np.flatnonzero(y == other)[:84]]
    row = az.trust(own, x[two], y[two])[IN_PLACE]
    assert (row.control, row.value) == (1, pytest.approx(84 / 86))
    assert row.low < 0 == row.high and row.verdict == "undecided"
    assert "On 86 samples the difference from the control may be chance" in row.sentence
    assert good[IN_PLACE].verdict == "for" and good[IN_PLACE].high < 0
    assert "predictions worse" in good[IN_PLACE].sentence


def test_models_of_other_seeds_and_quantities(small):
    model, x = small
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    page = az.trust(model, x, model.predict(x, verbose=0), others=[twin])
    assert page["JSD over 2 seeds"].value == pytest.approx(0, abs=1e-6)
    assert "attend to the same inputs" in page["JSD over 2 seeds"].sentence
    # Quantities are judged by their error
    assert page["mean absolute error, uniform attention"].control == pytest.approx(0, abs=1e-6)


def test_uniform_attention_and_tokens_say_what_cannot_be_measured():
    inputs = keras.Input((5,), dtype="int32")
    hidden = keras.layers.Embedding(7, 3)(inputs)
    hidden = az.layers.AttentionPooling(normalizer="uniform")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))
    x = np.random.default_rng(0).integers(0, 7, (13, 5))
    page = az.trust(model, x)
    for name in ("leave-one-out", "gradients"):
        assert "needs an input of floats" in page[f"Kendall tau with {name}"].sentence
    assert "ranks nothing" in page["rank correlation, parameter randomization"].sentence
    for name in ("permuted attention", "uniform attention"):
        row = page[f"change of predictions, {name}"]
        assert row.value == pytest.approx(0, abs=1e-6)
        # That uniform scores can be replaced by uniform ones shows nothing
        assert row.verdict == "undecided"
        assert "The scores are about uniform" in row.sentence


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": "atention"}, ValueError, "Unknown layer. Did you mean 'attention'"),
        ({"samples": 0}, ValueError, "`samples` must be a positive integer"),
        ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
        ({"y": np.ones(22)}, ValueError, r"`y` must have a value for each of the 23.*\(22,\)"),
        ({"y": np.ones((23, 7))}, ValueError, r"`y` must have one target a sample"),
        ({"y": ["a"] * 23}, ValueError, "`y` must be an array of numbers"),
        ({"y": np.full(23, np.nan)}, ValueError, "`y` must be finite"),
        ({"truth": np.ones((23, 4))}, ValueError, r"`truth` must have the shape of the scores"),
        ({"truth": np.ones(23)}, ValueError, r"leading axes beyond the samples. Received: \(23,\)"),
        ({"truth": np.ones((3, 5))}, ValueError, "`truth` must have a value for each of the 23"),
        ({"retrained_uniform": 0.5}, ValueError, r"\(metric, value, control\).*Received: 0.5"),
        ({"retrained_uniform": ("a", 1)}, ValueError, r"must be \(metric, value, control\)"),
        ({"retrained_uniform": ("a", 1, float("nan"))}, ValueError, "two finite numbers"),
        ({"others": "model"}, TypeError, "`others` must be a list of models. Received: others=str"),
        ({"others": ["model"]}, TypeError, "`model` must be a keras.Model. Received: str"),
    ],
)
def test_bad_input_is_named(small, options, error, message):
    with pytest.raises(error, match=message):
        az.trust(*small, **options)


@pytest.mark.parametrize(
    ("outputs", "activation", "y", "message"),
    [
        (1, "sigmoid", [5, 6, 5, 6], "`y` must be the model's classes, 0 and 1. Received: 5, 6"),
        (1, "sigmoid", [0, 1, -1, 1], "0 and 1. Received: -1"),
        (3, "softmax", [7, 8, 9, 7], "`y` must be the model's classes, 0 to 2. Received: 7, 8, 9"),
        (3, "softmax", [0, 1, 3, 2], "0 to 2. Received: 3"),
        (3, None, [0, 1, 0.5, 2], "0 to 2. Received: 0.5"),
        (3, "softmax", 2 * np.eye(3)[[0, 1, 2, 0]], "0 and 1, one-hot. Received: 2"),
    ],
)
def test_labels_that_the_model_cannot_give(outputs, activation, y, message):
    inputs = keras.Input((5, 3))
    hidden = az.layers.AttentionPooling()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(outputs, activation)(hidden))
    with pytest.raises(ValueError, match=message):
        az.trust(model, np.ones((4, 5, 3)), y)


def test_labels_and_quantities_that_stay_what_they_are():
    few = np.full((3, 1, 1), 0.25)
    for right in ([0, 1, 1], [True, False, True], [0.0, 1.0, 1.0], [0.25, 5.5, 6], [0, 0, 0]):
        np.testing.assert_array_equal(check_targets(right, few, True).ravel(), right)
    np.testing.assert_array_equal(check_targets([5, 6, 7], few, False).ravel(), [5, 6, 7])
    three = np.full((3, 1, 3), 1 / 3)
    for right in ([0, 2, 2], np.eye(3)):
        assert check_targets(right, three, True).size == np.size(right)
    np.testing.assert_array_equal(check_targets(5 * np.eye(3), three, False)[:, 0], 5 * np.eye(3))


def test_a_model_without_attention_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="only")])
    with pytest.raises(ValueError, match=r"no attention layer.*only \(Dense\)"):
        az.trust(model, np.ones((5, 3)))
