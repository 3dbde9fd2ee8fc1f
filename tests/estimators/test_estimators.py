"""The estimators beyond scikit-learn's checks: series, frames, attention, files, bad input."""

import copy
import importlib
import json
import pickle
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import attention_zoo as az
from attention_zoo.estimators import base
from attention_zoo.training.compiled_cache import CompiledModelCache

QUICK = {"units": 4, "epochs": 2, "random_state": 0}


def table(n=60, features=3, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, features))
    return x, np.where(x[:, 0] > 0, "up", "down")


def unequal(n=30, features=2, longest=7, seed=0):
    rng = np.random.default_rng(seed)
    series = [rng.normal(size=(rng.integers(2, longest + 1), features)) for _ in range(n)]
    series[0] = rng.normal(size=(longest, features))
    return series, np.array([one[:, 0].mean() > 0 for one in series])


@pytest.fixture(scope="module")
def of_table():
    return az.AttentionClassifier(units=8, epochs=40, learning_rate=0.02, random_state=0).fit(
        *table()
    )


@pytest.fixture(scope="module")
def of_series():
    return az.AttentionClassifier(**QUICK).fit(*unequal())


def test_a_classifier_learns_and_answers_in_the_users_labels(of_table):
    x, y = table(seed=1)
    assert of_table.score(x, y) > 0.9
    assert list(of_table.classes_) == ["down", "up"]
    proba = of_table.predict_proba(x)
    np.testing.assert_array_equal(of_table.classes_[(proba[:, 1] > 0.5).astype(int)],
                                  of_table.predict(x))  # fmt: skip
    scores = of_table.attention_scores(x)["attention"]
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-6)


def test_an_explanation_has_the_labels_and_fits_trust(of_table, tmp_path):
    x, y = table(seed=1)
    copied = pickle.loads(pickle.dumps(of_table))
    az.save(of_table.model_, tmp_path / "m")
    for seen in (of_table.explain(x, y), copied.explain(x, y),
                 az.explain(az.load(tmp_path / "m"), x, y=y)):  # fmt: skip
        np.testing.assert_array_equal(seen.y, y)
        np.testing.assert_array_equal(seen.predicted, of_table.predict(x))
        assert len(seen.of_class("up", by="label")) == (y == "up").sum()
    page = az.trust(of_table.model_, x[:20], y[:20], samples=20)
    right = np.mean(of_table.predict(x[:20]) == y[:20])
    assert page["accuracy, uniform attention"].control == pytest.approx(right)
    with pytest.raises(ValueError, match="Unknown label in `y`.*Did you mean 'up'.*down, up"):
        of_table.explain(x, ["upp"] * len(x))


def test_the_columns_of_a_frame_are_the_names_of_the_picture():
    polars = pytest.importorskip("polars")
    x, y = table()
    columns = ["speed", "height", "age"]
    for frame in (pd.DataFrame(x, columns=columns), polars.DataFrame(x, schema=columns)):
        model = az.AttentionClassifier(**QUICK).fit(frame, pd.Series(y))
        assert list(model.feature_names_in_) == columns
        assert model.explain(frame).layer().index_names == columns
    other = pd.DataFrame(x, columns=columns)[["age", "speed", "height"]]
    with pytest.raises(ValueError, match="same order"):
        model.predict(other)


def test_series_of_unequal_length_are_seen_as_if_they_were_alone(of_series):
    series, _ = unequal()
    together = of_series.predict_proba(series)
    alone = np.concatenate([of_series.predict_proba([one]) for one in series[:5]])
    np.testing.assert_allclose(together[:5], alone, atol=1e-6)
    seen = of_series.explain(series)
    lengths = np.array([len(one) for one in series])
    padding = np.arange(7) >= lengths[:, None]
    assert np.all(seen.layer().scores[padding] == 0)
    np.testing.assert_allclose(seen.profile().sum(1), 1, atol=1e-5)


def test_a_model_of_a_list_takes_any_length(of_series):
    longer = np.random.default_rng(2).normal(size=(3, 20, 2))
    np.testing.assert_allclose(
        of_series.predict_proba(longer), of_series.predict_proba(list(longer)), atol=1e-6
    )
    assert of_series.attention_scores(longer)["attention"].shape[:2] == (3, 20)


def test_series_as_frames_give_the_names_of_their_channels():
    series, y = unequal()
    frames = [pd.DataFrame(one, columns=["x", "y"]) for one in series]
    model = az.AttentionClassifier(**QUICK).fit(frames, y)
    assert list(model.feature_names_in_) == ["x", "y"] and model.n_features_in_ == 2
    with pytest.raises(ValueError, match="same order"):
        model.predict([frame[["y", "x"]] for frame in frames])


def test_the_rows_of_a_table_as_series():
    x, y = table(features=5)
    days = ["mon", "tue", "wed", "thu", "fri"]
    model = az.AttentionClassifier("gru", **QUICK).fit(pd.DataFrame(x, columns=days), y)
    assert model.explain(pd.DataFrame(x, columns=days)).layer().index_names == days


def test_padding_in_an_array_of_series():
    series, y = unequal()
    x = np.zeros((30, 7, 2))
    for row, one in zip(x, series, strict=True):
        row[: len(one)] = one
    model = az.AttentionClassifier("dense_after", mask_value=0.0, **QUICK).fit(x, y)
    padding = np.arange(7) >= np.array([len(one) for one in series])[:, None]
    assert np.all(model.attention_scores(x)["attention"][padding] == 0)
    with pytest.raises(ValueError, match=r"series of 7 steps, as in fit.*2 to 7 steps"):
        model.predict(series)


def test_a_regressor_answers_in_the_units_of_y_whatever_they_are():
    x, _ = table()
    y = 5e5 + 2e5 * x[:, 0]
    model = az.AttentionRegressor(units=16, epochs=60, learning_rate=0.02, random_state=0)
    assert model.fit(x, y).score(x, y) > 0.9
    np.testing.assert_allclose(model.model_.predict(x, verbose=0)[:, 0], model.predict(x))


def test_a_regressor_of_series_answers_while_its_compiled_model_trains_on():
    series, _ = unequal(15)
    y = np.array([one[:, 0].mean() for one in series])
    model = az.AttentionRegressor(**QUICK).fit(series, y)
    first = model.predict(series)
    az.AttentionRegressor(**{**QUICK, "random_state": 1}).fit(series, y)
    np.testing.assert_array_equal(model.predict(series), first)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(series), first)


def test_a_search_over_attention_in_a_pipeline():
    x, y = table()
    steps = make_pipeline(StandardScaler(), az.AttentionClassifier(**QUICK))
    kinds = ["feature", None, az.layers.FeatureAttention(normalizer="sparsemax")]
    search = GridSearchCV(steps, {"attentionclassifier__attention": kinds}, cv=2).fit(x, y)
    assert len(search.cv_results_["params"]) == 3
    assert not kinds[2].built  # the user's own layer is a description
    assert cross_val_score(steps, x, y, cv=2).shape == (2,)


def test_a_size_from_an_array_of_sizes_as_a_search_sets_it():
    model = az.AttentionClassifier(epochs=1, random_state=np.int64(3), units=np.array([4, 8])[0])
    json.loads(model.fit(*table()).recipe_.model_dump_json())


def test_a_copy_answers_the_same(of_table, of_series):
    for model, x in ((of_table, table()[0]), (of_series, unequal()[0])):
        stored = pickle.dumps(model)
        assert stored.count(b"model.weights.h5") > 0  # a .keras file, not a pickled model
        for other in (pickle.loads(stored), copy.deepcopy(model)):
            assert other.model_ is not model.model_
            np.testing.assert_array_equal(other.predict_proba(x), model.predict_proba(x))
            assert other.explain(x).scores.keys() == model.explain(x).scores.keys()


def test_models_of_one_shape_are_compiled_once_and_share_nothing(monkeypatch):
    x, y = table(seed=3)
    # Dropout draws from states that are no weights
    arguments = {**QUICK, "dropout": 0.3}
    monkeypatch.setattr(base, "CACHE", CompiledModelCache())
    first = az.AttentionClassifier(**arguments).fit(x, y)
    before = first.predict_proba(x)
    compiled = list(base.CACHE)
    az.AttentionClassifier(**{**arguments, "random_state": 5}).fit(100 * x, y)
    again = az.AttentionClassifier(**arguments).fit(x, y)
    assert list(base.CACHE) == compiled
    np.testing.assert_array_equal(first.predict_proba(x), before)
    np.testing.assert_array_equal(again.predict_proba(x), before)


def test_a_sample_without_weight_is_not_there():
    x, y = table()
    weight = np.r_[np.ones(40), np.zeros(20)]
    x[40:] = 1e6
    some = az.AttentionClassifier(**QUICK).fit(x[:40], y[:40])
    weighted = az.AttentionClassifier(**QUICK).fit(x, y, sample_weight=weight)
    np.testing.assert_allclose(some.predict_proba(x), weighted.predict_proba(x), atol=1e-6)


def test_the_weights_of_classes_are_those_of_their_samples():
    x, y = table(n=40)
    y[:30] = "up"
    weights = {"up": len(y) / (2 * np.sum(y == "up")), "down": len(y) / (2 * np.sum(y == "down"))}
    plain, *weighted = [
        az.AttentionClassifier(**QUICK, class_weight=which).fit(x, y, each).predict_proba(x)
        for which, each in [
            (None, None), ("balanced", None), (weights, None),
            (None, np.array([weights[label] for label in y])),
        ]
    ]  # fmt: skip
    assert np.abs(plain - weighted[0]).max() > 1e-3
    for other in weighted[1:]:
        np.testing.assert_allclose(other, weighted[0], atol=1e-6)


def test_early_stopping_ends_with_the_best_weights():
    x, _ = table()
    y = np.arange(60) % 2  # nothing to learn: the loss of others begins to rise soon
    model = az.AttentionClassifier(
        units=32,
        epochs=200,
        learning_rate=0.05,
        early_stopping=True,
        n_iter_no_change=2,
        validation_fraction=0.2,
        random_state=0,
    ).fit(x, y)
    losses = model.history_["val_loss"]
    assert len(losses) == model.n_iter_ < 200 and int(np.argmin(losses)) == len(losses) - 3


def test_a_constant_column_changes_nothing_even_when_it_no_longer_is():
    x, y = table()
    x = np.c_[x, np.full(60, 1e6 + 0.1)]
    model = az.AttentionClassifier(**QUICK).fit(x, y)
    layer = model.model_.get_layer("standardize")
    scaled = keras.ops.convert_to_numpy(layer(x.astype("float32")))
    assert np.all(scaled[:, 3] == 0) and np.abs(scaled).max() < 5
    x[:, 3] += 1
    assert np.abs(keras.ops.convert_to_numpy(layer(x.astype("float32")))[:, 3]).max() < 2


def test_fit_leaves_the_users_random_numbers_alone():
    np.random.seed(7)
    expected = np.random.random(3)
    np.random.seed(7)
    az.AttentionClassifier(**QUICK).fit(*table())
    np.testing.assert_array_equal(np.random.random(3), expected)


def test_rows_of_a_table_that_are_series_may_be_padded():
    rows = np.random.default_rng(0).normal(size=(30, 8)) + 3
    padded = np.arange(8) >= np.random.default_rng(1).integers(3, 9, size=(30, 1))
    rows[padded] = 0
    model = az.AttentionClassifier("gru", units=3, epochs=1, mask_value=0.0, random_state=0)
    scores = model.fit(rows, np.arange(30) % 2).attention_scores(rows)["attention"]
    assert np.all(scores[padded] == 0) and np.all(scores.sum(1) > 0.99)


def test_it_is_cloned_with_a_layer():
    model = az.AttentionClassifier(attention=az.layers.FeatureAttention(normalizer="entmax15"))
    assert clone(model).attention.normalizer == "entmax15"


X, Y = table()
SERIES, ANSWERS = unequal()
TEXT = pd.DataFrame({"age": X[:, 0], "city": [7, *["Rome"] * 59]})


@pytest.mark.parametrize(
    "arguments, x, y, message",
    [
        ({"architecture": "dens"}, X, Y, "Unknown model. Did you mean 'dense'.*Received: 'dens'"),
        ({"attention": "feture"}, X, Y, "Unknown layer. Did you mean 'feature'"),
        ({"options": {"hiden_activation": "relu"}}, X, Y, "Did you mean 'hidden_activation'"),
        ({"options": {"units": 3}}, X, Y, "'units' is a parameter of its own"),
        ({"mask_value": np.nan}, X, Y, r"'mask_value' parameter .* a float in the range \(-inf"),
        ({"mask_value": "0"}, X, Y, "'mask_value' parameter of AttentionClassifier must be a"),
        ({"mask_value": 0.0}, X, Y, "and 'dense' reads a table"),
        ({"mask_value": 0.0}, SERIES, ANSWERS, "a list of series needs none"),
        ({"mask_value": 0.0}, np.zeros((6, 3, 2)), [0, 1] * 3, "all are padding"),
        ({}, X, [None, *Y[1:].astype(str)], "`y` has missing labels"),
        ({"epochs": 0}, X, Y, r"'epochs' parameter .* an int in the range \[1, inf\) or None"),
        ({"batch_size": 2.5}, X, Y, "'batch_size' parameter of AttentionClassifier must be an int"),
        ({"learning_rate": -1}, X, Y, r"'learning_rate' parameter .* in the range \(0.0, inf\)"),
        ({"n_iter_no_change": 0}, X, Y, "'n_iter_no_change' parameter"),
        ({"validation_fraction": 1.5}, X, Y, "'validation_fraction' parameter"),
        ({"early_stopping": True, "validation_fraction": 1e-9}, X, Y, "a share of 1e-09 of 60"),
        ({"class_weight": "even"}, X, Y, "'class_weight' parameter of AttentionClassifier must be"),
        ({"architecture": "dense"}, SERIES, ANSWERS, "must be one for series"),
        ({}, X, X[:, 0], "Unknown label type: continuous"),
        ({}, X, ["a"] * 60, r"one class only \('a'\)"),
        ({}, X, Y[:-1], "inconsistent numbers of samples"),
        ({}, X[:0], Y[:0], "0 sample"),
        ({}, [], [], "Expected 2D array"),
        ({}, np.where(X > 2, np.nan, X), Y, "X contains NaN"),
        ({}, [*SERIES[:-1], np.full((3, 2), np.inf)], ANSWERS, "X contains infinity"),
        ({}, [*SERIES[:-1], np.ones((3, 5))], ANSWERS, r"Received: X\[29\] of shape \(3, 5\)"),
        ({}, [*SERIES[:-1], np.ones((0, 2))], ANSWERS, r"at least one step.*X\[29\]"),
        ({}, [one[:, 0] for one in SERIES], ANSWERS, "give each as .time, 1."),
        ({}, TEXT, Y, r"Received: column 'city' with 'Rome'\. Leave such a column out, or encode"),
        ({}, TEXT.values, Y, "Received: column 1 with 'Rome'"),
        ({}, [TEXT] * 60, Y, "Received: column 'city' with 'Rome'"),
        ({}, TEXT.assign(city=pd.Timestamp(0)), Y, "Received: column 'city' with '1970-01-01"),
        ({}, np.zeros((4, 3, 2, 2)), [0, 1, 0, 1], "list of series. Received: shape"),
    ],
)  # fmt: skip
def test_bad_input_is_named(arguments, x, y, message):
    with pytest.raises(ValueError, match=message):
        az.AttentionClassifier(**arguments).fit(x, y)


def test_bad_targets_of_a_regressor_and_other_inputs_than_in_fit(of_table, of_series):
    with pytest.raises(ValueError, match="`y` must be numbers.*'up'|'down'"):
        az.AttentionRegressor().fit(*table())
    with pytest.raises(TypeError, match="'options' parameter of AttentionRegressor must be an in"):
        az.AttentionRegressor(options=["units"]).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="`X` was a table in fit. Received: series"):
        of_table.predict(np.zeros((2, 4, 3)))
    with pytest.raises(ValueError, match="`X` was series in fit. Received: a table"):
        of_series.predict(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="X has 4 features, but AttentionClassifier is expecting"):
        of_series.predict([np.zeros((3, 4))])
    with pytest.raises(az.training.TrainingError, match="The loss became"):
        az.AttentionRegressor(units=4, epochs=20, learning_rate=1e30).fit(X, X[:, 0])


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "attention_zoo.estimators")
    with pytest.raises(ImportError, match=r"attention-zoo\[sklearn\]"):
        importlib.import_module("attention_zoo.estimators")


def test_a_step_that_is_the_mean_is_no_padding():
    # Standardized it is 0, which is the value that marks padding
    x = np.full((30, 4, 1), 2.0, "float32")
    x[:, 1, 0] = np.tile([1.0, 3.0], 15)
    y = (x[:, 1, 0] > 2).astype(int)
    quick = {"epochs": 2, "random_state": 0}
    whole = az.AttentionClassifier("gru", **quick).fit(x, y)
    marked = az.AttentionClassifier("gru", mask_value=0.0, **quick).fit(x, y)
    np.testing.assert_allclose(marked.predict_proba(x), whole.predict_proba(x), atol=1e-5)
