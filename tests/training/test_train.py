"""`az.train` takes what Keras's `fit` takes; what is held out is what the user gives."""

import keras
import numpy as np
import pandas as pd
import pytest

import attention_zoo as az
from attention_zoo.training import fit as fitting
from attention_zoo.training import run as running
from attention_zoo.training.overrides import Overrides, with_normalizer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(61, 5)).astype("float32")
Y = (X[:, 1] > 0).astype(int)
OTHER = RNG.normal(size=(23, 5)).astype("float32")
OTHER_Y = (OTHER[:, 1] > 0).astype(int)
QUICK = {"epochs": 1, "units": 3, "verbose": 0}


@pytest.fixture
def seen(monkeypatch):
    """What the trainer is given: (train, validation)."""
    found = []

    def fit(recipe, train, validation, **options):
        found.append((train, validation))
        return fitting.fit(recipe, train, validation, **options)

    monkeypatch.setattr(running, "fit", fit)
    return found


def weights(result):
    return np.concatenate([w.ravel() for w in result.model.get_weights()])


def test_all_samples_train_and_the_users_own_validate_and_test(seen):
    run = az.train("dense", X, Y, validation_data=(OTHER, OTHER_Y), test_data=(X[:7], Y[:7]),
                   **QUICK)  # fmt: skip
    ((train, validation),) = seen
    np.testing.assert_array_equal(train.x, X)
    np.testing.assert_array_equal(train.y, Y)
    np.testing.assert_array_equal(validation.x, OTHER)
    np.testing.assert_array_equal(validation.y, OTHER_Y)
    np.testing.assert_array_equal(run.held_out.x, X[:7])
    assert run.scored_on == "test"
    assert "val_loss" in run.history.history


def test_nothing_is_put_away_without_being_asked(seen):
    run = az.train("dense", X, Y, **QUICK)
    assert len(seen[0][0]) == len(X) and seen[0][1] is None
    assert (run.score, run.baseline, run.scored_on, run.held_out) == (None,) * 4
    assert "Not measured: give validation_data" in repr(run)


def test_a_split_has_its_share_of_each_class_and_of_ordered_data_the_last(seen):
    y = np.repeat([0, 1], [41, 20])
    run = az.train("dense", X, y, validation_split=0.2, **QUICK)
    train, validation = seen.pop()
    assert run.scored_on == "validation" and run.held_out is validation
    assert [int((validation.y == label).sum()) for label in (0, 1)] == [8, 4]
    both = np.concatenate([train.x, validation.x])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(X, axis=0))
    az.train("dense", X, Y, validation_split=0.2, ordered=True, **QUICK)
    train, validation = seen.pop()
    np.testing.assert_array_equal(validation.x, X[-12:])
    np.testing.assert_array_equal(train.x, X[:-12])


def test_the_history_is_keras_own():
    run = az.train("dense", X, Y, validation_split=0.2, epochs=3, units=3)
    assert isinstance(run.history, keras.callbacks.History)
    assert run.history.epoch == [0, 1, 2] and len(run.history.history["val_loss"]) == 3
    assert run.history.model is run.model


def test_frames_text_labels_and_the_rows_of_a_table_as_series():
    frame = pd.DataFrame(X, columns=list("abcde"))
    labels = pd.Series(np.where(Y, "yes", "no"))
    other = pd.DataFrame(OTHER, columns=list("abcde"))[["e", "d", "c", "b", "a"]]
    held = np.array(["yes", "no"])[OTHER_Y - 1]
    held = np.where(OTHER_Y, "yes", "no")
    run = az.train("gru", frame, labels, test_data=(other, held), **QUICK)
    assert run.held_out.names == list("abcde") and run.held_out.classes == ["no", "yes"]
    np.testing.assert_array_equal(run.held_out.x[..., 0], OTHER)
    np.testing.assert_array_equal(run.held_out.y, OTHER_Y)
    explanation = az.explain(run.model, OTHER[..., None], y=held)
    assert explanation.class_names == ["no", "yes"] and set(explanation.predicted) <= {"no", "yes"}
    with pytest.raises(ValueError, match="class 'maybe', which the training data of `test_data`"):
        az.train("dense", frame, labels, test_data=(other, ["maybe"] * 23), **QUICK)
    with pytest.raises(ValueError, match="Missing: 'a'. Unknown: 'f'"):
        az.train("dense", frame, labels, test_data=(other.rename(columns={"a": "f"}), held))


def test_the_baseline_is_the_majority_the_mean_or_the_last_value():
    y = np.repeat([0, 1, 2], [11, 17, 33])
    run = az.train("dense", X, y, test_data=(X, y), **QUICK)
    assert run.baseline.name == "majority class"
    assert run.baseline.score["accuracy"] == pytest.approx(33 / 61)
    quantity = X[:, 0] * 3 + 7
    run = az.train("dense", X, quantity, test_data=(X, quantity), **QUICK)
    assert run.baseline.name == "mean"
    assert run.baseline.score["mse"] == pytest.approx(quantity.var(), rel=1e-4)
    walk = np.cumsum(RNG.normal(size=80))
    windows = np.lib.stride_tricks.sliding_window_view(walk, 8)[..., None]
    x, y = windows[:, :7], windows[:, 7, 0]
    run = az.train("gru", x, y, validation_split=0.2, ordered=True, **QUICK)
    assert run.baseline.name == "last value"
    error = np.abs(x[-15:, -1, 0] - y[-15:]).mean()
    assert run.baseline.score["mae"] == pytest.approx(error, rel=1e-4)


def test_the_word_worse_stands_where_the_model_is_worse_than_the_baseline():
    y = np.arange(61) % 4 == 0
    run = az.train("dense", X, y, epochs=1, units=3, test_data=(X, ~y))
    assert run.worse_than_baseline == (run.score["accuracy"] < run.baseline.score["accuracy"])
    bad = az.training.TrainingResult(run.model, run.history, {"accuracy": 0.4},
                                     run.baseline._replace(score={"accuracy": 0.6}), run.recipe,
                                     None, "test", run.held_out)  # fmt: skip
    assert bad.worse_than_baseline
    assert "accuracy 0.4, worse than the baseline's 0.6" in bad.summary()
    assert "dense, trained for 1 epoch. On 61 test samples:" in repr(bad)


def test_weights_of_samples_and_classes_change_the_model_and_are_the_same():
    plain = weights(az.train("dense", X, Y, **QUICK))
    by_class = weights(az.train("dense", X, np.where(Y, "b", "a"), class_weight={"b": 5}, **QUICK))
    by_sample = weights(az.train("dense", X, Y, sample_weight=np.where(Y, 5, 1), **QUICK))
    assert np.abs(by_class - plain).max() > 1e-4
    np.testing.assert_array_equal(by_class, by_sample)
    with pytest.raises(ValueError, match="Unknown class in `class_weight`"):
        az.train("dense", X, Y, class_weight={2: 5}, **QUICK)


def test_callbacks_learning_rate_and_verbose_reach_keras(capsys):
    rates = []

    class Rate(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append((float(self.model.optimizer.learning_rate), self.params["verbose"]))
            self.model.stop_training = epoch == 1

    run = az.train("dense", X, Y, epochs=5, learning_rate=0.25, units=3, callbacks=[Rate()],
                   verbose=2)  # fmt: skip
    assert rates == [(0.25, 2), (0.25, 2)] and len(run.history.epoch) == 2
    assert "Epoch 1/5" in capsys.readouterr().out


def test_patience_needs_what_validates():
    with pytest.raises(ValueError, match="`patience` needs samples to validate on"):
        az.train("dense", X, Y, patience=2)


@pytest.mark.parametrize(("name", "near"), [
    ("epohcs", "epochs"), ("unitts", "units"), ("validation_dta", "validation_data"),
    ("atention", "attention"),
])  # fmt: skip
def test_a_typo_answers_with_the_nearest_of_both_sets(name, near):
    with pytest.raises(ValueError, match=f"Unknown argument of train.*Did you mean '{near}'"):
        az.train("gru", X, Y, **{name: 3})


@pytest.mark.parametrize(("given", "name"), [
    ({"epochs": 3}, "epochs"), ({"units": 3}, "units"), ({"patience": 3}, "patience"),
    ({"architecture": "gru"}, "architecture"),
])  # fmt: skip
def test_what_a_recipe_decides_is_not_given_beside_it(given, name):
    with pytest.raises(ValueError, match=f"`recipe` decides `{name}`: leave it out"):
        az.train(recipe="dense.planted_feature", x=X, y=Y, **given)


@pytest.mark.parametrize(("given", "error", "message"), [
    ({"outputs": 3}, ValueError, "`outputs` is decided by y"),
    ({"validation_split": 1.5}, ValueError, "`validation_split` must be a number in"),
    ({"validation_split": 0.2, "validation_data": (OTHER, OTHER_Y)}, ValueError, "one of the two"),
    ({"validation_data": OTHER}, TypeError, r"`validation_data` must be \(x, y\)"),
    ({"test_data": (OTHER[:, :3], OTHER_Y)}, ValueError, "samples of shape"),
    ({"sample_weight": -np.ones(61)}, ValueError, "`sample_weight` must be one number of at least"),
    ({"epochs": 0}, ValueError, "`epochs` must be a positive integer"),
])  # fmt: skip
def test_what_cannot_be_trained_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        az.train("dense", X, Y, **given)


def test_several_outputs_by_their_names(tmp_path):
    y = {"up": Y, "size": 100 + X[:, 0], "kind": np.array(["a", "b", "c"])[np.arange(61) % 3],
         "both": X[:, :2]}  # fmt: skip
    run = az.train("dense", X, y, validation_split=0.2, epochs=2, units=3, out=tmp_path / "m")
    found = run.model.predict(X, verbose=0)
    assert {name: value.shape for name, value in found.items()} == {
        "up": (61, 1), "size": (61, 1), "kind": (61, 3), "both": (61, 2)
    }  # fmt: skip
    assert {"up_accuracy", "size_mae", "kind_log_loss", "both_mse"} <= set(run.score)
    assert set(run.score) == set(run.baseline.score)
    assert abs(found["size"].mean() - 100) < 3
    again = az.load(tmp_path / "m", verify=True).predict(X, verbose=0)
    np.testing.assert_allclose(again["size"], found["size"], rtol=1e-5)


def test_vectors_as_targets():
    y = X[:, :2] * [1, 1000] + [0, 5000]
    run = az.train("dense", X, y, test_data=(X, y), epochs=2, units=3)
    assert run.model.output_shape == (None, 2)
    assert run.baseline.score["mse"] == pytest.approx(y.var(0).mean(), rel=1e-3)
    classes = az.train("dense", X, np.eye(3)[np.arange(61) % 3], epochs=1, units=3)
    assert classes.model.output_shape == (None, 3) and classes.recipe.kind == "multiclass"
    labels = az.train("dense", X, (X[:, :2] > 0).astype(int), test_data=(X, X[:, :2] > 0), **QUICK)
    assert labels.recipe.kind == "binary" and "accuracy" in labels.score


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(16 * index, 16 * index + 16)
        return X[rows], Y[rows]


def streams():
    yield Batches()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        yield tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
    if keras.backend.backend() == "torch":
        import torch

        samples = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
        yield torch.utils.data.DataLoader(samples, batch_size=16)


def test_streams_train_as_their_arrays():
    held = {"validation_data": Batches(), "test_data": (OTHER, OTHER_Y)}
    for source in streams():
        run = az.train("dense", source, epochs=3, units=3, **held)
        assert run.recipe.kind == "binary" and "val_loss" in run.history.history
        mean = run.model.get_layer("standardize").adapt_mean
        np.testing.assert_allclose(keras.ops.convert_to_numpy(mean).ravel(), X.mean(0), atol=1e-5)
        assert run.baseline.score["accuracy"] == pytest.approx(np.mean((Y.mean() > 0.5) == OTHER_Y))
        scored = az.train("dense", source, epochs=1, units=3, test_data=source)
        assert scored.score["accuracy"] >= 0 and len(scored.held_out) == 61
    with pytest.raises(TypeError, match="read more than once.*Received: generator"):
        az.train("dense", (batch for batch in [(X, Y)]))


def test_a_recipe_of_the_users_own_from_a_file(tmp_path):
    recipe = az.train("dense", X, Y, **QUICK).recipe
    (tmp_path / "r.json").write_text(recipe.model_dump_json())
    again = az.train(recipe=tmp_path / "r.json", x=X, y=Y)
    assert again.recipe == recipe
    np.testing.assert_array_equal(weights(again), weights(az.train("dense", X, Y, **QUICK)))


def test_the_values_of_padding_are_not_standardized_with_the_others():
    x = RNG.normal(5, 1, size=(40, 6, 2))
    x[:, 4:] = -9.0
    run = az.train("gru", x, np.arange(40) % 2, mask_value=-9.0, **QUICK)
    mean = keras.ops.convert_to_numpy(run.model.get_layer("standardize").adapt_mean)
    np.testing.assert_allclose(mean.ravel(), x[:, :4].mean((0, 1)), rtol=1e-4)


def test_no_phase_of_a_tasks_recipe_undoes_the_normalizer_that_was_asked_for():
    """The recipe of syn4 begins with softmax."""
    asked = Overrides(normalizer="sparsemax", samples=50, epochs=6, config={"units": 3})
    recipe = asked.apply(az.training.default_recipe("dense", "syn4"))
    assert not any("normalizer" in phase.attention for phase in recipe.phases)
    assert [phase.epochs for phase in recipe.phases] == [1] * 6
    run = az.training.run_recipe(recipe)
    assert run.model.get_layer("attention").normalizer == "sparsemax"


def test_a_normalizer_without_an_attention_layer_is_refused():
    with pytest.raises(ValueError, match="`normalizer` .* Received: attention=None"):
        with_normalizer("gru", {"attention": None}, "sparsemax")
