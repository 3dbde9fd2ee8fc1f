"""A recipe decides the model; an interrupted run ends as an uninterrupted one would."""

import functools
import json
import os
import random

import keras
import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    roc_auc_score,
)

import attention_zoo as az
from attention_zoo import tasks
from attention_zoo.training import (
    TrainingError,
    backup,
    default_recipe,
    from_arrays,
    list_recipes,
    load_recipe,
    make_recipe,
    measure,
)
from attention_zoo.training.overrides import Overrides
from attention_zoo.training.study import softmax_control, uniform_control

train = functools.partial(az.train, verbose=0)
run_recipe = functools.partial(az.training.run_recipe, verbose=0)

SMALL = {
    "architecture": "gru",
    "task": "planted_step",
    "task_config": {"steps": 7, "index": 3},
    "config": {"units": 4, "attention": {"class_name": "temporal", "config": {"shared": True}}},
    "samples": 60,
    "validation": 20,
    "batch_size": 20,
    "phases": [
        {"epochs": 2},
        {"epochs": 2, "attention": {"scores_regularizer": {
            "class_name": "attention_zoo>EntropyRegularizer", "config": {"strength": 0.05}}}},
    ],
}  # fmt: skip


class Interrupt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def interrupt_in(phase, epoch):
    return lambda number: [Interrupt(epoch)] if number == phase else []


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_recipe(make_recipe(SMALL), out=tmp_path_factory.mktemp("whole") / "m")


def test_a_run_ends_in_a_preset_whose_card_holds_its_figures(whole):
    card = az.presets.read_card(whole.path)
    assert card.scores == whole.score
    assert card.recipe == make_recipe(SMALL).model_dump()
    assert len(whole.history.history["loss"]) == 4
    assert [p.name for p in whole.path.parent.iterdir()] == ["m"]
    layer = az.load(whole.path, verify=True).get_layer("attention")
    assert layer.scores_regularizer.strength == 0.05


def test_the_same_recipe_gives_the_same_model(whole):
    again = run_recipe(make_recipe(SMALL))
    assert again.history.history == whole.history.history
    assert again.score == whole.score
    assert again.path is None


@pytest.mark.parametrize(("phase", "epoch"), [(0, 1), (1, 0), (1, 1)])
def test_an_interrupted_run_goes_on_where_it_was(whole, tmp_path, phase, epoch):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        run_recipe(make_recipe(SMALL), out=out, callbacks=interrupt_in(phase, epoch))
    assert not out.exists()
    begun = []
    seen = keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, logs: begun.append(e))
    run = run_recipe(make_recipe(SMALL), out=out, resume=True, callbacks=lambda number: [seen])
    assert len(begun) == 4 - (2 * phase + epoch)
    assert len(run.history.history["loss"]) == 4
    np.testing.assert_allclose(
        run.history.history["loss"], whole.history.history["loss"], rtol=1e-5
    )
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_kill_between_the_files_of_an_epoch_loses_no_figures(whole, tmp_path, monkeypatch):
    class Killed(backup._KeepHistory):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1 and kills.pop():
                raise KeyboardInterrupt
            super().on_epoch_end(epoch, logs)
            if epoch == 1:
                raise KeyboardInterrupt

    out, kills = tmp_path / "m", [False, True]  # whether before the figures are written
    while kills:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(backup, "_KeepHistory", Killed)
            run_recipe(make_recipe(SMALL), out=out, resume=True)
    history = run_recipe(make_recipe(SMALL), out=out, resume=True).history.history
    np.testing.assert_allclose(history["loss"], whole.history.history["loss"], rtol=1e-5)


def test_patience_ends_a_run_at_its_best_epoch_interrupted_or_not(tmp_path):
    rng = np.random.default_rng(0)  # nothing to learn: the loss of others begins to rise soon
    data = from_arrays(rng.normal(size=(80, 3)), rng.integers(0, 2, 80))
    recipe = default_recipe("dense", None).changed(phases=[{"epochs": 50, "learning_rate": 0.05}])
    recipe = recipe.changed(patience=3)
    options = {"x": data, "validation_split": 0.2}
    whole = train(recipe=recipe, **options, out=tmp_path / "m")
    assert az.presets.read_card(whole.path).recipe["patience"] == 3
    losses = whole.history.history["val_loss"]
    assert int(np.argmin(losses)) == len(losses) - 4 < 46
    validation = whole.held_out
    answers = whole.model.predict(validation.x, verbose=0)[:, 0].astype("float64")
    assert log_loss(validation.y, answers) == pytest.approx(min(losses), rel=1e-4)

    class Killed(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            raise KeyboardInterrupt

    # After the best epoch; when the run is over and its weights not yet written
    for number, stop in enumerate([Interrupt(len(losses) - 2), Killed()]):
        out = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            train(recipe=recipe, **options, out=out, callbacks=lambda phase, stop=stop: [stop])
        again = train(recipe=recipe, **options, out=out, resume=True)
        np.testing.assert_allclose(again.history.history["val_loss"], losses, rtol=1e-5)
        for one, other in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_another_run_is_not_gone_on_with(tmp_path):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        run_recipe(make_recipe(SMALL), out=out, callbacks=interrupt_in(0, 1))
    with pytest.raises(FileExistsError, match="holds an interrupted run"):
        run_recipe(make_recipe(SMALL), out=out)
    other = make_recipe({**SMALL, "seed": 1})
    with pytest.raises(ValueError, match="another run: its recipe.seed is 0, this one's is 1"):
        run_recipe(other, out=out, resume=True)
    other = make_recipe({**SMALL, "batch_size": 30})
    with pytest.raises(ValueError, match="its recipe.batch_size is 20, this one's is 30"):
        run_recipe(other, out=out, resume=True)
    run_recipe(other, out=out, overwrite=True)


def test_an_existing_preset_is_kept(whole):
    with pytest.raises(FileExistsError, match="exists and is kept"):
        run_recipe(make_recipe(SMALL), out=whole.path)


def test_a_loss_that_is_no_number_stops_the_run_and_says_when(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32") * 1e30
    recipe = default_recipe("dense", None, "regression").changed(config={})
    with pytest.raises(TrainingError, match="in epoch 1 of phase 1"):
        train(recipe=recipe, x=from_arrays(x, x[:, 0]), out=tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_own_data_is_standardized_and_learnt(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)) * 1000 + 5000
    recipe = default_recipe("dense", None).changed(phases=[{"epochs": 15, "learning_rate": 0.01}])
    y = (x[:, 2] > 5000).astype(int)
    run = train(recipe=recipe, x=x, y=y, validation_split=0.2, out=tmp_path / "m")
    assert run.score["accuracy"] > 0.8
    card = az.presets.read_card(run.path)
    assert (card.classes, card.license) == ([0, 1], "not stated")


def test_the_fewer_samples_the_more_epochs():
    epochs = [default_recipe("gru", None, samples=n).phases[0].epochs for n in (60, 400, 10_000)]
    assert epochs == [500, 77, 30]
    assert default_recipe("gru", None).phases[0].epochs == 30


def test_masked_series_are_learnt():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 9, 2))
    lengths = rng.integers(3, 10, 60)
    mask = np.arange(9) < lengths[:, None]
    x[~mask] = np.nan
    data = from_arrays(x, lengths / 10, mask)
    run = train("gru", data, epochs=1, validation_split=0.2)
    held = run.held_out
    scores = az.attention_scores(run.model, held.x)["attention"]
    assert np.all(scores[np.all(held.x == held.mask_value, axis=-1)] == 0)


def test_controls_change_only_the_attention():
    recipe = make_recipe(SMALL)
    for control, name in ((softmax_control, "softmax"), (uniform_control, "uniform")):
        changed = control(recipe)
        assert changed.config["attention"]["config"]["normalizer"] == name
        assert changed.phases[1].attention == {}
        same = {**changed.model_dump(), "config": {}, "phases": []}
        assert same == {**recipe.model_dump(), "config": {}, "phases": []}


def test_controls_change_the_attention_before_too():
    config = {"units": 4, "attention_before": "feature"}
    recipe = make_recipe({**SMALL, "architecture": "rnn", "config": config})
    changed = uniform_control(recipe).config
    for place, name in (("attention_before", "feature"), ("attention", "temporal")):
        assert changed[place]["class_name"] == name
        assert changed[place]["config"]["normalizer"] == "uniform"
    without = uniform_control(recipe.changed(config={**config, "attention": None})).config
    assert without["attention"] is None
    with pytest.raises(ValueError, match="attention layer"):
        uniform_control(recipe.changed(config={"attention": None}))


def test_a_uniform_control_attends_uniformly():
    run = run_recipe(uniform_control(make_recipe(SMALL)))
    scores = az.attention_scores(run.model, run.held_out.x[:50])["attention"]
    np.testing.assert_allclose(scores, 1 / 7, atol=1e-6)


def test_figures_by_scikit_learn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(501, 3)).round(1).astype("float32")
    model = az.build("dense", input_shape=(3,), outputs=1, activation="sigmoid", attention=None)
    data = from_arrays(x, rng.integers(0, 2, 501))
    answers = model.predict(x, verbose=0)[:, 0]
    figures = measure(model, data)
    assert figures["auc"] == pytest.approx(roc_auc_score(data.y, answers), abs=1e-9)
    assert figures["accuracy"] == pytest.approx(accuracy_score(data.y, answers > 0.5))
    data = from_arrays(x, rng.normal(size=501))
    figures = measure(model, data)
    assert figures["mae"] == pytest.approx(mean_absolute_error(data.y, answers), rel=1e-6)
    assert figures["mse"] == pytest.approx(mean_squared_error(data.y, answers), rel=1e-6)


@pytest.mark.parametrize("name", tasks.list_tasks())
def test_every_task_trains_a_model_that_suits_it(name):
    task = tasks.get(name)
    architecture = {1: "dense", 2: "gru_before" if task.per_step else "dense_after"}
    plan = default_recipe(architecture[len(task.input_shape)], name)
    phases = [{**plan.phases[0].model_dump(), "epochs": 1}]
    small = {"samples": 20, "validation": 10, "batch_size": 10, "also": {}, "phases": phases}
    run = run_recipe(plan.changed(**small))
    assert np.isfinite(run.history.history["loss"]).all()
    assert task.metric in run.score
    assert 0 <= run.score["relevance_mass_accuracy"] <= 1


def test_other_sizes_of_a_task():
    plan = make_recipe(
        {
            "architecture": "dense_after", "task": "max_retrieval", "kind": "multiclass",
            "task_config": {"items": 5}, "samples": 20, "validation": 10, "batch_size": 10,
            "phases": [{"epochs": 1}], "also": {"7": {"items": 7}},
        }
    )  # fmt: skip
    scores = run_recipe(plan).score
    assert {"accuracy_at_7", "relevance_mass_accuracy_at_7"} <= set(scores)


def test_a_preset_is_measured_in_its_own_dtype_policy_and_a_run_has_its_own(tmp_path):
    plan = make_recipe(
        {
            "architecture": "dense_after", "task": "max_retrieval", "kind": "multiclass",
            "task_config": {"items": 5}, "samples": 60, "validation": 10, "batch_size": 10,
            "phases": [{"epochs": 1}], "also": {"7": {"items": 7}},
        }
    )  # fmt: skip
    run_recipe(plan, out=tmp_path / "m")
    with pytest.raises(KeyboardInterrupt):
        run_recipe(plan, out=tmp_path / "n", callbacks=interrupt_in(0, 0))
    expected = az.evaluate(tmp_path / "m", samples=200)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = az.evaluate(tmp_path / "m", samples=200)
        half = run_recipe(plan)
        with pytest.raises(ValueError, match="another run: its recipe.config"):
            run_recipe(plan, out=tmp_path / "n", resume=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert found == expected
    assert half.recipe.config["dtype"] == "mixed_bfloat16"
    again = run_recipe(half.recipe).model
    assert again.get_layer("attention").dtype_policy.name == "mixed_bfloat16"


def test_files_of_others_are_never_removed(tmp_path):
    state = tmp_path / "m.training"
    state.mkdir()
    (state / "mine.txt").write_text("mine")
    for options in ({"overwrite": True}, {"resume": True}, {}):
        with pytest.raises(FileExistsError, match="holds other files than a run's"):
            run_recipe(make_recipe(SMALL), out=tmp_path / "m", **options)
    assert (state / "mine.txt").read_text() == "mine"


def test_series_with_a_mask_are_not_for_tables():
    x, mask = np.ones((20, 3, 2)), np.ones((20, 3), bool)
    data = from_arrays(x, np.arange(20) % 2, mask)
    with pytest.raises(ValueError, match="'dense' is for tables, and the data are series with a"):
        train("dense", x=data)


def test_fresh_figures_beside_the_card(whole):
    result = az.evaluate(whole.path, samples=50)
    assert result.card == whole.score
    assert set(result.measured) == set(whole.score)
    assert result.measured != result.card
    assert az.evaluate(whole.path, samples=50) == result
    with pytest.raises(ValueError, match="`samples` must be a positive integer"):
        az.evaluate(whole.path, samples=0)


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_of_the_package_names_its_preset(name):
    recipe = load_recipe(name)
    assert name.startswith(f"{recipe.architecture}.{recipe.task}")
    assert recipe.limits
    assert recipe.kind == tasks.get(recipe.task, **recipe.task_config).kind


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "`samples` of the recipe"),
        ({"patience": 0}, "`patience` of the recipe"),
        ({"phases": []}, "`phases` of the recipe"),
        ({"phases": [{"epochs": -1}]}, "`phases.0.epochs` of the recipe"),
        ({"epochs": 3}, "`epochs` of the recipe: Extra inputs"),
        ({"kind": "ternary"}, "`kind` of the recipe"),
    ],
)
def test_a_recipe_that_is_none(changes, message):
    with pytest.raises(ValueError, match=message):
        make_recipe({**SMALL, **changes})


def test_a_run_needs_one_source_of_data():
    with pytest.raises(TypeError, match="`x` is missing.*training.run_recipe"):
        train("dense")
    with pytest.raises(ValueError, match="data of its own, draws of the task 'planted_step'"):
        train(recipe=make_recipe(SMALL), x=np.zeros((4, 7, 1)), y=np.arange(4))
    with pytest.raises(ValueError, match=r"has no task: train\(recipe=recipe, x=x, y=y\)"):
        run_recipe(make_recipe({**SMALL, "task": None}))
    with pytest.raises(ValueError, match="`patience` must be a positive integer or None"):
        train("gru", np.zeros((4, 3, 2)), np.arange(4), patience=0)
    with pytest.raises(TypeError, match="`y` is missing: the targets"):
        train("gru", np.zeros((4, 3, 2)))
    with pytest.raises(TypeError, match="`architecture` must be a name.*a Recipe goes to recipe="):
        train(make_recipe(SMALL))
    with pytest.raises(TypeError, match="`recipe` must be a training.Recipe, the name of one"):
        train(recipe=3)


@pytest.mark.parametrize("name", ["resume", "overwrite", "distribute"])
def test_switches_are_booleans(name):
    with pytest.raises(TypeError, match=f"`{name}` must be True or False"):
        run_recipe("dense.planted_feature", **{name: "yes"})


def test_a_run_is_written_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="`out` must be a path of this machine.*'s3://a/b'"):
        run_recipe("dense.planted_feature", out="s3://a/b")
    assert list(tmp_path.iterdir()) == []


def test_a_run_leaves_the_draws_of_its_caller_as_they_were():
    np.random.seed(5)
    random.seed(5)
    expected = np.random.random(), random.random()
    np.random.seed(5)
    random.seed(5)
    run_recipe(make_recipe(SMALL))
    assert (np.random.random(), random.random()) == expected


def test_values_whose_squares_overflow_are_named():
    x = np.random.default_rng(0).random((60, 3)) * 3e38
    data = from_arrays(x, np.arange(60) % 2)
    with pytest.raises(ValueError, match="`x` is too large to be standardized.*up to [23]"):
        train("dense", x=data)


@pytest.fixture(scope="module")
def three_epochs():
    recipe = make_recipe({**SMALL, "phases": [{"epochs": 3}]})
    return recipe, run_recipe(recipe).history.history["loss"]


@pytest.mark.parametrize(
    ("epoch", "file", "size"),
    [
        (1, "latest.weights.h5", 0.5),  # nothing was before it: from the beginning
        (1, "latest.weights.h5", 0),
        (1, "training_metadata.json", None),
        (2, "latest.weights.h5", 0.5),  # back to the one before it
        (2, "training_metadata.json", 0),
    ],
)
def test_a_backup_torn_by_a_full_disk_goes_back_to_the_one_before(
    three_epochs, tmp_path, epoch, file, size
):
    recipe, losses = three_epochs
    with pytest.raises(KeyboardInterrupt):
        run_recipe(recipe, out=tmp_path / "m", callbacks=interrupt_in(0, epoch))
    path = tmp_path / "m.training" / "run" / "phase_0" / file
    if size is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: int(size * path.stat().st_size)])
    begun = []
    seen = keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, logs: begun.append(e))
    run = run_recipe(recipe, out=tmp_path / "m", resume=True, callbacks=lambda number: [seen])
    assert begun == list(range(epoch - 1, 3))
    np.testing.assert_allclose(run.history.history["loss"], losses, rtol=1e-5)


def test_a_backup_of_another_model_is_told_with_the_cure(three_epochs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_recipe(three_epochs[0], out=tmp_path / "m", callbacks=interrupt_in(0, 1))
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save_weights(
        path := tmp_path / "m.training" / "run" / "phase_0" / "latest.weights.h5"
    )
    os.utime(path, (0, 0))
    with pytest.raises(ValueError, match="no valid backup of this training.*Begin again with --ov"):
        run_recipe(three_epochs[0], out=tmp_path / "m", resume=True)


def test_a_state_with_a_link_in_it_is_not_written_to(three_epochs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_recipe(three_epochs[0], out=tmp_path / "m", callbacks=interrupt_in(0, 1))
    (tmp_path / "secret").write_text("mine")
    weights = tmp_path / "m.training" / "run" / "phase_0" / "latest.weights.h5"
    weights.unlink()
    weights.symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="latest.weights.h5 is a link, which is not followed"):
        run_recipe(three_epochs[0], out=tmp_path / "m", resume=True)
    (tmp_path / "m.training").rename(tmp_path / "elsewhere")
    (tmp_path / "m.training").symlink_to(tmp_path / "elsewhere")
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(FileExistsError, match="m.training is no folder, and is kept"):
            run_recipe(three_epochs[0], out=tmp_path / "m", **options)
    assert (tmp_path / "secret").read_text() == "mine"
    assert (tmp_path / "elsewhere" / "run").is_dir()


def test_the_backup_survives_a_torn_history(tmp_path):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        run_recipe(make_recipe(SMALL), out=out, callbacks=interrupt_in(0, 1))
    rows = json.loads((tmp_path / "m.training" / "run" / "phase_0.json").read_text())
    assert [set(row) >= {"loss", "val_loss"} for row in rows] == [True]


def test_a_preset_of_data_that_leave_a_metric_undefined_can_be_read(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = np.r_[1, 1, np.zeros(58, int)]
    run = train("dense", x, y, epochs=1, test_data=(x[2:], y[2:]), out=tmp_path / "m")
    assert "auc" not in run.score and run.score["accuracy"] >= 0
    assert az.presets.read_card(tmp_path / "m").scores == run.score


def test_a_study_without_a_folder_is_refused_before_any_training():
    with pytest.raises(ValueError, match="A study over seeds needs `out`"):
        run_recipe("dense.planted_feature", seeds=2)


@pytest.mark.parametrize(
    ("epochs", "phases", "shares"),
    [(3, [30], [3]), (5, [10, 15], [2, 3]), (2, [1, 100], [1, 1]), (40, [20, 20], [20, 20])],
)
def test_the_phases_of_a_recipe_share_the_epochs(epochs, phases, shares):
    recipe = make_recipe({**SMALL, "phases": [{"epochs": n} for n in phases]})
    found = Overrides(epochs=epochs).apply(recipe).phases
    assert [phase.epochs for phase in found] == shares
    with pytest.raises(ValueError, match="one for each phase of the recipe. Received: epochs=1"):
        Overrides(epochs=1).apply(make_recipe(SMALL))
