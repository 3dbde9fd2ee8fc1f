"""An explanation can be cut, named, tabled, stored and shown."""

import dataclasses
import json
import sys

import keras
import numpy as np
import pandas
import pytest

import attention_zoo as az

RNG = np.random.default_rng(0)
X = RNG.normal(size=(11, 7, 3)).astype("float32")
X[:, 5:] = 0


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((7, 3))
    x = keras.layers.Masking()(inputs)
    x = az.layers.TemporalAttention(name="time")(x)
    x = az.layers.MultiHeadAttention(2, key_dim=3, name="heads")(x)
    x = az.layers.AttentionPooling(name="pooling")(x)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))


@pytest.fixture(scope="module")
def explanation(model):
    truth = np.zeros((11, 7))
    truth[:, 2] = 1
    return az.explain(
        model, X, y=np.arange(11) % 3, truth=truth, step_names=list("abcdefg"),
        feature_names=["p", "q", "r"],
    )  # fmt: skip


def test_what_the_axes_are(explanation):
    assert explanation.axes == {
        "time": ("step", "feature"), "heads": ("head", "query", "key"), "pooling": ("step",),
    }  # fmt: skip
    assert explanation.attended == {"time": "step", "heads": "key", "pooling": "step"}
    for name in explanation.scores:
        np.testing.assert_array_equal(explanation.masks[name], (X != 0).any(-1))
        assert explanation.profile(name).shape == (11, 7)
        assert explanation.layer(name).index_names == list("abcdefg")
    np.testing.assert_allclose(
        explanation.profile("heads"), explanation.scores["heads"].mean((1, 2)), atol=1e-6
    )
    assert "pooling ('step',)" in repr(explanation)


def test_a_tidy_frame_has_a_row_for_each_score(explanation):
    frame = explanation.to_frame()
    assert len(frame) == sum(scores.size for scores in explanation.scores.values())
    row = frame[(frame.layer == "heads") & (frame["sample"] == 4) & (frame["head"] == 1)
                & (frame["query"] == "b") & (frame["key"] == "d")]  # fmt: skip
    assert row.score.item() == explanation.scores["heads"][4, 1, 1, 3]
    time = explanation.to_frame("time")
    assert list(time.columns) == [
        "sample", "layer", "step", "feature", "score", "visible", "truth",
    ]  # fmt: skip
    cell = time[(time["sample"] == 3) & (time.step == "c") & (time.feature == "q")]
    assert cell.score.item() == explanation.scores["time"][3, 2, 1]
    assert cell.truth.item() and cell.visible.item()
    assert not time[time.step == "g"].visible.any()


def test_samples_and_classes(explanation):
    three = explanation[[4, 2, 9]]
    assert len(three) == 3 and len(explanation[5]) == 1
    for name, scores in explanation.scores.items():
        np.testing.assert_array_equal(three.scores[name], scores[[4, 2, 9]])
        np.testing.assert_array_equal(three.masks[name], explanation.masks[name][[4, 2, 9]])
    np.testing.assert_array_equal(three.y, [1, 2, 0])
    ones = explanation.of_class(1, by="label")
    np.testing.assert_array_equal(ones.x, X[[1, 4, 7, 10]])
    predicted = explanation.predictions.argmax(1)
    chosen = explanation.of_class(predicted[0])
    np.testing.assert_array_equal(chosen.predictions.argmax(1), predicted[0])
    with pytest.raises(ValueError, match=r"No sample has the label 7. There are: \[0, 1, 2\]"):
        explanation.of_class(7, by="label")
    with pytest.raises(ValueError, match="by.*'prediction'"):
        explanation.of_class(1, by="prediktion")
    with pytest.raises(IndexError):
        explanation[11]
    with pytest.raises(ValueError, match="no sample is chosen"):
        explanation[5:5]


def test_it_is_saved_and_loaded_whole(explanation, tmp_path):
    path = explanation.save(tmp_path / "e.npz")
    again = az.Explanation.load(path)
    for field in ("axes", "attended", "step_names", "feature_names"):
        assert getattr(again, field) == getattr(explanation, field)
    np.testing.assert_array_equal(again.x, explanation.x)
    np.testing.assert_array_equal(again.truth, explanation.truth)
    assert list(again.scores) == list(explanation.scores)
    for name in explanation.scores:
        np.testing.assert_array_equal(again.scores[name], explanation.scores[name])
        np.testing.assert_array_equal(again.masks[name], explanation.masks[name])
    with pytest.raises(FileExistsError, match="exists and is kept"):
        explanation.save(path)
    explanation[:2].save(path, overwrite=True)
    assert len(az.Explanation.load(path)) == 2
    with pytest.raises(ValueError, match="must end in .npz"):
        explanation.save(tmp_path / "e.pickle")


def test_classes_have_their_names(model, explanation, tmp_path):
    named = az.explain(model, X, y=np.array(["no", "yes"])[np.arange(11) % 2],
                       class_names=["no", "yes"])  # fmt: skip
    named = az.Explanation.load(named.save(tmp_path / "named.npz"))
    predicted = np.array(["no", "yes"])[explanation.predicted]
    np.testing.assert_array_equal(named.predicted, predicted)
    assert len(named.of_class(predicted[0])) == np.sum(predicted == predicted[0])
    assert len(named.of_class("yes", by="label")) == 5
    page = named.to_html(tmp_path / "page.html").read_text("utf-8")
    page = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert page["classes"] == ["no", "yes"] and page["labels"][:2] == [["no"], ["yes"]]
    title = named.plot("heads", kind="alignment", sample=1).get_suptitle()
    assert title == f"predicted: {predicted[1]}, label: yes"
    with pytest.raises(ValueError, match="`class_names` must be 2 names. Received: "):
        az.explain(model, X, class_names=["one"])
    with pytest.raises(ValueError, match="Unknown label in `y`.*Did you mean 'yes'"):
        az.explain(model, X, y=["yess"] * 11, class_names=["no", "yes"])


def test_files_that_hold_no_explanation(tmp_path):
    path = tmp_path / "e.npz"
    with pytest.raises(FileNotFoundError, match="no file"):
        az.Explanation.load(path)
    np.savez(path, x=X)
    with pytest.raises(ValueError, match="no valid saved explanation"):
        az.Explanation.load(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="no valid saved explanation"):
        az.Explanation.load(path)
    np.savez(path, meta=np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="no valid saved explanation"):
        az.Explanation.load(path)


def test_several_inputs_and_outputs_are_saved(tmp_path):
    a, b = keras.Input((7, 3), name="a"), keras.Input((5, 3), name="b")
    out = az.layers.CrossAttention(name="cross")(a, b)
    model = keras.Model([a, b], {"out": out, "again": out})
    seen = az.explain(model, {"a": X, "b": X[:, :5]})
    again = az.Explanation.load(seen.save(tmp_path / "e.npz"))
    np.testing.assert_array_equal(again.x[1], X[:, :5])
    np.testing.assert_array_equal(again.predictions["out"], seen.predictions["out"])


def test_the_columns_of_a_frame_name_the_features():
    model = az.build("dense", input_shape=(4,))
    frame = pandas.DataFrame(X[:, :4, 0], columns=["age", "sex", "class", "fare"])
    seen = az.explain(model, frame)
    assert seen.feature_names == ["age", "sex", "class", "fare"]
    assert list(seen.to_frame().feature[:4]) == seen.feature_names
    ticks = [label.get_text() for label in seen.plot().axes[0].get_xticklabels()]
    assert ticks == seen.feature_names


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"step_names": ["a"]}, ValueError, "`step_names` must be 7 names. Received: 1"),
        ({"feature_names": ["a"] * 7}, ValueError, "`feature_names` must be 3 names"),
        ({"step_names": "abcdefg"}, TypeError, "must be a sequence of names"),
        ({"step_names": 7}, TypeError, "must be a sequence of names"),
        ({"feature_names": {"a": 1}}, TypeError, "must be a sequence of names"),
        ({"y": [1, 2]}, ValueError, r"one label a sample, 11. Received: \(2,\)"),
        ({"y": 1}, ValueError, r"one label a sample, 11. Received: \(\)"),
    ],
)
def test_names_and_labels_that_do_not_fit(model, arguments, error, message):
    with pytest.raises(error, match=message):
        az.explain(model, X, **arguments)


def test_without_pandas_the_extra_is_named(explanation, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"attention-zoo\[frames\]"):
        explanation.to_frame()


def test_a_notebook_shows_pictures_and_what_there_is(explanation):
    page = explanation._repr_html_()
    assert "11 samples" in page and "head, query, key" in page
    # A picture of each layer, described to those who cannot see it
    assert page.count('src="data:image/png;base64,iVBOR') == 3
    at = explanation.profile("pooling").mean(0).argmax()
    assert f'alt="pooling: mean attention per index, the most at {"abcdefg"[at]}' in page
    assert explanation._repr_png_().startswith(b"\x89PNG")


def test_a_notebook_escapes_names_and_draws_few_of_many_layers(explanation):
    names = ["<b>", *"abcd"]
    many = dataclasses.replace(
        explanation,
        scores=dict.fromkeys(names, explanation.scores["pooling"]),
        axes=dict.fromkeys(names, ("step",)),
        attended=dict.fromkeys(names, "step"),
        masks={},
    )
    page = many._repr_html_()
    assert "<b>" not in page and "&lt;b&gt;: mean attention" in page
    assert page.count("<img") == 3 and "2 more" in page


def test_a_layer_over_the_features_of_each_step_is_drawn_with_the_names_of_both():
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, az.layers.FeatureAttention(name="features")(inputs))
    seen = az.explain(model, X, step_names=list("abcdefg"), feature_names=["p", "q", "r"])
    assert seen.layer().attended == "feature"
    _, below, *_ = seen.plot(kind="heatmap", sample=2).axes
    assert [label.get_text() for label in below.get_xticklabels()] == list("abcdefg")
    assert [label.get_text() for label in below.get_yticklabels()] == ["p", "q", "r"]
