"""A recipe decides the model; an interrupted run ends as an uninterrupted one would."""

import json

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.training import (
    TrainingError,
    default_recipe,
    from_arrays,
    list_recipes,
    load_recipe,
    make_recipe,
    train,
)
from attention_zoo.training.study import no_attention_control, softmax_control

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
    return train(make_recipe(SMALL), out=tmp_path_factory.mktemp("whole") / "m")


def test_a_run_ends_in_a_preset_whose_card_holds_its_figures(whole):
    card = az.presets.read_card(whole.path)
    assert card.scores == whole.scores
    assert card.recipe == make_recipe(SMALL).model_dump()
    assert len(whole.history["loss"]) == 4
    assert [p.name for p in whole.path.parent.iterdir()] == ["m"]
    layer = az.load(whole.path, verify=True).get_layer("attention")
    assert layer.scores_regularizer.strength == 0.05


def test_the_same_recipe_gives_the_same_model(whole):
    again = train(make_recipe(SMALL))
    assert again.history == whole.history
    assert again.scores == whole.scores
    assert again.path is None


@pytest.mark.parametrize(("phase", "epoch"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_an_interrupted_run_goes_on_where_it_was(whole, tmp_path, phase, epoch):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(SMALL), out=out, callbacks=interrupt_in(phase, epoch))
    assert not out.exists()
    begun = []
    seen = keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, logs: begun.append(e))
    run = train(make_recipe(SMALL), out=out, resume=True, callbacks=lambda number: [seen])
    assert len(begun) == 4 - (2 * phase + epoch)
    assert len(run.history["loss"]) == 4
    before = 2 * phase + epoch
    np.testing.assert_allclose(run.history["loss"][:before], whole.history["loss"][:before])
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_another_run_is_not_gone_on_with(tmp_path):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(SMALL), out=out, callbacks=interrupt_in(0, 1))
    with pytest.raises(FileExistsError, match="holds an interrupted run"):
        train(make_recipe(SMALL), out=out)
    other = make_recipe({**SMALL, "seed": 1})
    with pytest.raises(ValueError, match="another run: its recipe.seed is 0, this one's is 1"):
        train(other, out=out, resume=True)
    other = make_recipe({**SMALL, "batch_size": 30})
    with pytest.raises(ValueError, match="its recipe.batch_size is 20, this one's is 30"):
        train(other, out=out, resume=True)
    train(other, out=out, overwrite=True)


def test_an_existing_preset_is_kept(whole):
    with pytest.raises(FileExistsError, match="exists and is kept"):
        train(make_recipe(SMALL), out=whole.path)


def test_a_loss_that_is_no_number_stops_the_run_and_says_when(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32") * 1e30
    recipe = default_recipe("dense", None, "regression").changed(config={})
    with pytest.raises(TrainingError, match="in epoch 1 of phase 1"):
        train(recipe, data=from_arrays(x, x[:, 0]), out=tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_own_data_is_standardized_and_learnt(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)) * 1000 + 5000
    recipe = default_recipe("dense", None).changed(phases=[{"epochs": 15, "learning_rate": 0.01}])
    run = train(recipe, data=from_arrays(x, (x[:, 2] > 5000).astype(int)), out=tmp_path / "m")
    assert run.scores["accuracy"] > 0.8
    card = az.presets.read_card(run.path)
    assert (card.classes, card.license) == ([0, 1], "not stated")


def test_masked_series_are_learnt():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 9, 2))
    lengths = rng.integers(3, 10, 60)
    mask = np.arange(9) < lengths[:, None]
    x[~mask] = np.nan
    run = train(default_recipe("gru", None, "regression").changed(phases=[{"epochs": 1}]),
                data=from_arrays(x, lengths / 10, mask))  # fmt: skip
    scores = az.attention_scores(run.model, run.test.x)["attention"]
    assert np.all(scores[np.all(run.test.x == run.test.mask_value, axis=-1)] == 0)


def test_controls_change_only_the_attention():
    recipe = make_recipe(SMALL)
    softmax = softmax_control(recipe)
    assert softmax.config["attention"]["config"]["normalizer"] == "softmax"
    assert softmax.phases[1].attention == {}
    assert no_attention_control(recipe).config == {"units": 4, "attention": None}


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_of_the_package_names_its_preset(name):
    recipe = load_recipe(name)
    assert name == f"{recipe.architecture}.{recipe.task}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "`samples` of the recipe"),
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
    with pytest.raises(ValueError, match="Give a task or your own data"):
        train("dense")
    with pytest.raises(ValueError, match="Did you mean 'planted_step'"):
        train("gru", "planted_stepp")


def test_the_backup_survives_a_torn_history(tmp_path):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(SMALL), out=out, callbacks=interrupt_in(0, 1))
    rows = json.loads((tmp_path / "m.training" / "run" / "phase_0.json").read_text())
    assert [set(row) >= {"loss", "val_loss"} for row in rows] == [True]
