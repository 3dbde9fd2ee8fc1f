"""What a search aims at, what mattered in it, and its pictures."""

import dataclasses

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.capture.scores import capture_model
from attention_zoo.training.measure import measure
from attention_zoo.tuning import OBJECTIVES, Search, TrialResult, objectives
from attention_zoo.tuning.objectives import TrialError, check_objectives, measure_objectives


def dataset(x, y, **more):
    return az.training.from_arrays(x, y, **more)


@pytest.fixture(scope="module")
def planted():
    """A model that answers by the sum of the first feature, and data with that truth."""
    x = np.random.default_rng(0).normal(size=(60, 5)).astype("float32")
    model = az.build("dense", input_shape=(5,), activation="sigmoid", units=4)
    return model, dataset(x, (x[:, 0] > 0).astype(int))


def test_every_objective_that_can_be_had_is_measured(planted):
    model, data = planted
    aims = [
        name for name, row in OBJECTIVES.items()
        if data.kind in row.kinds and not row.truth and name != "val_loss"
    ]  # fmt: skip
    found = measure_objectives(model, data, aims)
    assert set(aims) <= set(found) and np.isfinite(list(found.values())).all()
    assert found["parameters"] == model.count_params()
    assert found["accuracy"] == measure(model, data)["accuracy"]


@pytest.mark.parametrize("knows_truth", [True, False])  # which is measured in another way
def test_few_samples_are_measured_without_a_compiler_to_the_same_measure_objectives(
    planted, monkeypatch, knows_truth
):
    model, data = planted
    if knows_truth:
        truth = np.zeros(data.x.shape, bool)
        truth[:, 0] = True
        data = dataclasses.replace(data, relevance=truth)
    few = measure_objectives(model, data, ["log_loss"])
    for one in (model, capture_model(model)):
        compiled = one.predict_function is not None
        # JAX would compile each operation by itself
        assert not one.run_eagerly and (not compiled or keras.backend.backend() == "jax")
    monkeypatch.setattr(objectives, "_WHOLE", 0)
    assert few == pytest.approx(measure_objectives(model, data, ["log_loss"]), abs=1e-5)
    assert any(one.predict_function is not None for one in (model, capture_model(model)))


def test_costly_metrics_are_measured_only_as_aims(planted):
    found = measure_objectives(*planted, [])
    assert not {"latency", "comprehensiveness_minus_sufficiency"} & set(found)


def test_trust_cannot_be_measured_without_attention(planted):
    plain = az.build("dense", input_shape=(5,), activation="sigmoid", attention=None)
    with pytest.raises(TrialError, match="without attention"):
        measure_objectives(plain, planted[1], ["comprehensiveness_minus_sufficiency"])


def test_attention_that_matters_is_more_faithful_than_one_that_does_not():
    x = np.random.default_rng(0).normal(size=(80, 6)).astype("float32")
    entry = keras.Input((6,))
    faithful, fake = az.layers.FeatureAttention(), az.layers.FeatureAttention()
    models = {}
    for name, layer, column in (("faithful", faithful, 0), ("fake", fake, 1)):
        y = keras.layers.Dense(1, "sigmoid")(layer(entry))
        models[name] = keras.Model(entry, y)
        layer.set_weights([
            np.zeros((6, 6), "float32"),
            np.where(np.arange(6) == column, 9.0, 0.0).astype("float32"),
        ])  # fmt: skip
        answer = 300.0 * (np.arange(6) == 0)[:, None] * (1 if name == "faithful" else 1e4)
        models[name].layers[-1].set_weights([answer.astype("float32"), np.zeros(1, "float32")])
    data = dataset(x, (x[:, 0] > 0).astype(int))
    name = "comprehensiveness_minus_sufficiency"
    got = {key: measure_objectives(model, data, [name])[name] for key, model in models.items()}
    assert got["faithful"] > 0.3 > got["fake"] + 0.3


def test_val_loss_and_names_are_checked_before_anything_is_trained(planted):
    check_objectives(["val_loss", "latency"], planted[1])
    with pytest.raises(ValueError, match="Did you mean 'parameters'"):
        check_objectives(["paramters"], planted[1])


def made_up(count=24, status="COMPLETED"):
    random = np.random.default_rng(0)
    trials = []
    for number in range(count):
        kind = ["pooling", "luong"][number % 2]
        values = {"attention": kind, "learning_rate": float(10 ** random.uniform(-4, -2)),
                  f"attention/{kind}/units": int(random.choice([8, 16]))}  # fmt: skip
        loss = float(kind == "luong") + 0.1 * random.random()
        found = {"log_loss": loss, "parameters": float(100 + number), "latency": random.random()}
        execution = {"seed": 0, "seconds": 1.0, "metrics": found, "history": {"loss": [loss]}}
        trials.append(TrialResult(number, status, values, found, [execution]))
    failed = TrialResult(count, "FAILED", trials[0].values, {}, [], "it died")
    return Search(("log_loss", "parameters", "latency"), [*trials, failed], None, {})


def test_what_decides_is_the_most_important():
    shares = made_up().importance()
    assert next(iter(shares)) == "attention" and shares["attention"] > 0.9
    assert max(share for name, share in shares.items() if name != "attention") < 0.3


@pytest.mark.parametrize("kind", ["progress", "parallel", "importance", "pareto"])
@pytest.mark.parametrize("count", [1, 24])
def test_every_picture_of_a_search_can_be_drawn(kind, count):
    figure = made_up(count).plot(kind)
    figure.canvas.draw()
    assert max(figure.get_size_inches()) <= 20


def test_the_progress_is_the_best_so_far():
    search = made_up()
    (line,) = [one for one in search.plot().axes[0].lines if one.get_label() == "best so far"]
    losses = [one.metrics["log_loss"] for one in search.completed]
    assert line.get_ydata() == pytest.approx(np.minimum.accumulate(losses))


def test_an_unknown_picture_or_figure_is_told():
    with pytest.raises(ValueError, match="Did you mean 'pareto'"):
        made_up().plot("paretto")
    with pytest.raises(ValueError, match="Did you mean 'latency'"):
        made_up().plot("pareto", objectives=["log_loss", "latncy"])
    with pytest.raises(ValueError, match="needs two objectives"):
        made_up().plot("pareto", objectives=["log_loss"])


def test_an_optuna_study_has_the_trials_whichever_tuner_chose_them():
    pytest.importorskip("optuna")
    search = made_up()
    study = search.to_optuna()
    assert [one.values for one in study.trials] == [
        [trial.metrics[name] for name in search.objectives] for trial in search.completed
    ]
    assert [one.params for one in study.trials] == [trial.values for trial in search.completed]
