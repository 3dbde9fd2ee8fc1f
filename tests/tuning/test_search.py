"""A search: what it tries, what it keeps, and what it does when it is disturbed."""

import csv
import errno
import inspect
import itertools
import json
import random
import subprocess
import sys
import types

import keras
import keras_tuner
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.core import files
from attention_zoo.tuning import SearchCallback, TuningError, read_trials, trials
from attention_zoo.tuning.plan import make_plan

SMALL = {"dense/units": [16, 32], "dense/depth": [1, 2]}
#: With a learning rate, all that is searched.
FEW = {
    **SMALL, "dense/dropout": 0.0, "attention/normalizer": "softmax", "attention/dropout": 0.0,
    "attention/temperature": 1.0, "attention/sharpening": 0.0, "batch_size": 32,
}  # fmt: skip


def search(out=None, **more):
    options = {"max_trials": 4, "epochs": 2, "samples": 50, "space": SMALL, "out": out, **more}
    return az.tune("dense", "planted_feature", **options)


def points(found):
    return [(one.values, one.metrics, one.status) for one in found]


class Interrupt(SearchCallback):
    """Ctrl-C in some epoch of some trial, counted from the start of the session."""

    def __init__(self, trial, epoch):
        self.at = (trial, epoch)
        self.trial = -1

    def on_trial_begin(self, trial, values):
        self.trial += 1

    def on_epoch_end(self, trial, execution, epoch, logs):
        if (self.trial, epoch) == self.at:
            raise KeyboardInterrupt


def test_the_first_trial_is_the_plain_model(quick):
    found = search(space=None)
    plain = az.build("dense", input_shape=(32,), activation="sigmoid")
    mine = az.build("dense", **found_config(found.default))
    assert plain.count_params() == mine.count_params()
    assert found.default.values["learning_rate"] == 1e-3
    assert found.trials[0] is found.default


def found_config(trial):
    recipe = trial.executions[0]["recipe"]
    return {"input_shape": (32,), "activation": "sigmoid", **recipe["config"]}


def test_searches_of_neighbouring_seeds_have_only_the_default_in_common(quick):
    first, second = (
        {one.values["learning_rate"] for one in search(seed=seed).trials} for seed in (0, 1)
    )
    assert len(first) == len(second) == 4 and first & second == {1e-3}


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband", "grid", "tpe", "nsga2"])
def test_interrupted_three_times_it_tries_the_same_points(quick, tmp_path, tuner):
    space = {**SMALL, "learning_rate": [1e-3, 1e-2]} if tuner == "grid" else SMALL
    count, stops = 12, ((2, 1), (0, 0), (5, 2))
    if tuner == "hyperband":  # most of its trials have a single epoch
        stops = ((2, 0), (0, 0), (5, 0))
    if tuner == "bayesian":  # seconds for a point of the whole space
        space, count, stops = FEW, 6, ((1, 1), (0, 0), (3, 2))
    options = {"tuner": tuner, "max_trials": count, "epochs": 3, "space": space}
    if tuner == "nsga2":
        options["objective"] = ["log_loss", "parameters"]
    whole = search(**options)
    for stop in stops:
        resume = (tmp_path / "s").exists()
        with pytest.raises(KeyboardInterrupt):
            search(tmp_path / "s", callback=Interrupt(*stop), resume=resume, **options)
    again = search(tmp_path / "s", resume=True, **options)
    assert points(again.trials) == points(whole.trials)
    assert len({json.dumps(one.values) for one in again.trials}) == count


def test_a_finished_search_goes_on_with_a_larger_budget(quick, tmp_path):
    five = search(max_trials=5)
    search(tmp_path / "s", max_trials=3)
    assert points(search(tmp_path / "s", max_trials=5, resume=True).trials) == points(five.trials)


def test_a_finite_space_is_tried_whole_each_point_once(quick):
    free = {name: one.default for name, one in space_of("dense").entries.items()}
    space = {**{name: free[name] for name in free}, **SMALL}
    found = search(space=space, max_trials=50)
    tried = [(one.values["dense/units"], one.values["dense/depth"]) for one in found.trials]
    assert sorted(tried) == list(itertools.product([16, 32], [1, 2]))
    assert found.notes == ("The space has 4 points in all: each is tried once.",)
    assert found.trials[0].values["dense/units"] == 16  # 64, its default, is not among them


def space_of(architecture):
    from attention_zoo.tuning.search_space import make_search_space

    return make_search_space([architecture])


def test_the_users_own_hyperparameter_takes_the_place_of_ours(quick):
    hp = keras_tuner.HyperParameters()
    hp.Int("any", 5, 7)
    found = search(space={**SMALL, "dense/units": hp.space[0]}, max_trials=6)
    assert {one.values["dense/units"] for one in found.trials} <= {5, 6, 7}
    assert len({one.values["dense/units"] for one in found.trials}) > 1


def test_time_is_a_budget_and_the_default_is_always_tried(quick):
    assert len(search(max_trials=None, max_minutes=1e-9).trials) == 1


def test_only_the_best_weights_stay_and_the_tables_are_written(quick, tmp_path):
    found = search(tmp_path / "s", max_trials=6, keep_best=2, executions=2)
    kept = sorted(path.parent.name for path in tmp_path.glob("s/trials/*/*.weights.h5"))
    ranked = sorted(found.trials, key=lambda one: one.metrics["log_loss"])
    assert kept == sorted(f"trial_{one.trial}" for one in ranked[:2])
    with open(tmp_path / "s" / "trials.csv") as file:
        table = list(csv.DictReader(file))
    assert [float(row["metric/log_loss"]) for row in table] == pytest.approx(
        [one.metrics["log_loss"] for one in found.trials]
    )
    with open(tmp_path / "s" / "epochs.csv") as file:
        assert len(list(csv.DictReader(file))) == 6 * 2 * 2
    assert [one.metrics for one in read_trials(tmp_path / "s")] == [
        one.metrics for one in found.trials
    ]
    assert len(json.loads((tmp_path / "s" / "trials.json").read_text())) == 6


def test_the_first_error_is_shown_when_every_trial_fails(monkeypatch, tmp_path):
    def fail(*args, **kwargs):
        raise RuntimeError("no memory for this")

    monkeypatch.setattr(trials, "fit", fail)
    with pytest.raises(TuningError, match="All 3 trials failed.*RuntimeError: no memory for this"):
        search(tmp_path / "s", max_trials=10)
    assert [one.error for one in read_trials(tmp_path / "s")] == [
        "RuntimeError: no memory for this"
    ] * 3


def test_some_failures_end_no_search(quick, monkeypatch):
    train, count = trials.fit, itertools.count()

    def fail_often(*args, **kwargs):
        if next(count) % 2 == 0:
            raise az.training.TrainingError("The loss became nan in epoch 1.")
        return train(*args, **kwargs)

    monkeypatch.setattr(trials, "fit", fail_often)
    found = search(max_trials=6)
    assert [one.status for one in found.trials] == ["FAILED", "COMPLETED"] * 3
    assert found.trials[0].error == "The loss became nan in epoch 1."
    assert found.best.trial % 2 == 1


def test_an_objective_that_is_no_number_is_a_failed_trial(quick, monkeypatch):
    measure = trials.measure_objectives
    nan = {"log_loss": float("nan")}
    monkeypatch.setattr(trials, "measure_objectives", lambda *args: {**measure(*args), **nan})
    with pytest.raises(TuningError, match="The objective 'log_loss' became nan"):
        search()


@pytest.mark.parametrize("wrong, match", [
    ({"objective": "acuracy"}, "Unknown objective. Did you mean 'accuracy'?"),
    ({"objective": "mse"}, "'mse' is not for binary targets"),
    ({"objective": []}, "`objective` must name at least one"),
    ({"objective": ["accuracy", "accuracy"]}, "each metric once"),
    ({"attention": []}, "`attention` must name at least one"),
    ({"initial": [{"dense/unit": 16}]}, "Did you mean 'dense/units'?"),
    ({"initial": [{"dense/units": 64}]}, "'dense/units' must be one of 16, 32. Received: 64"),
    ({"initial": [{"dense/units": True}]}, "Received: True"),
    ({"initial": [{"learning_rate": 1.0}]}, "'learning_rate' must be from 0.001 to 0.02"),
    ({"initial": [{"learning_rate": float("nan")}]}, "must be from 0.001 to 0.02"),
    ({"initial": [{"attention": "none", "attention/dropout": 0.1}],
      "attention": ["feature", "none"]}, "means nothing where 'attention' is 'none': it needs"),
    ({"initial": [{}] * 4}, "`max_trials` must be more than the 4 points of `initial`"),
    ({"folds": 1}, "`folds` is for data of your own"),
    ({"folds": 0}, "`folds` must be a positive integer"),
    ({"tuner": "randm"}, "Unknown tuner. Did you mean 'random'?"),
    ({"space": {"dense/unit": 3}}, "Did you mean 'dense/units'?"),
    ({"space": {"dense/units": "many"}}, "'dense/units' must be an integer"),
    ({"space": {"dense/units": []}}, "not empty"),
    ({"attention": "tempral"}, "Did you mean 'temporal'?"),
    ({"attention": "luong"}, "none of luong fits 'dense'"),
    ({"max_trials": 0}, "`max_trials` must be a positive integer"),
    ({"max_minutes": -1.0}, "`max_minutes` must be a finite number > 0"),
    ({"resume": True}, "`resume` needs `out`"),
    ({"tuner": "grid", "space": {}}, "'learning_rate' is a range"),
])  # fmt: skip
def test_bad_arguments_are_told_before_the_first_trial(monkeypatch, wrong, match):
    monkeypatch.setattr(trials, "fit", None)
    with pytest.raises(ValueError, match=match.replace("?", r"\?")):
        search(**wrong)


@pytest.mark.parametrize("wrong, match", [
    ({"attention": 3}, "`attention` must be a name or a list of names. Received: 3"),
    ({"objective": [3]}, "`objective` must be a name or a list of names"),
    ({"space": ["dense/units"]}, "`space` must be a dictionary"),
    ({"resume": "yes"}, "`resume` must be True or False"),
    ({"overwrite": 1}, "`overwrite` must be True or False"),
    ({"out": 3}, "`out` must be a path"),
])  # fmt: skip
def test_arguments_of_another_type_are_told_before_the_first_trial(monkeypatch, wrong, match):
    monkeypatch.setattr(trials, "fit", None)
    with pytest.raises(TypeError, match=match):
        search(**wrong)


def own_data(n=60, **more):
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, size=(n, 4)).astype("float32")
    return az.training.from_arrays(x, (x[:, 1] > 5).astype(int), **more)


def cross_validate(out=None, **more):
    options = {"space": SMALL, "max_trials": 2, "epochs": 3, "folds": 3, "out": out, **more}
    return az.tune("dense", data=own_data(), **options)


@pytest.mark.parametrize("initial, match", [
    ({"dense/units": 16}, "`initial` must be a list of dictionaries"),
    ([16], "Received in it: 16"),
])  # fmt: skip
def test_points_of_another_type_are_told(initial, match):
    with pytest.raises(TypeError, match=match):
        search(initial=initial)


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband", "grid", "tpe", "nsga2"])
def test_the_users_points_come_right_after_the_default(quick, tuner):
    aims = ["log_loss", "parameters"] if tuner == "nsga2" else None
    space = {**(FEW if tuner == "bayesian" else SMALL), "learning_rate": [1e-3, 3e-3, 1e-2]}
    options = {"tuner": tuner, "objective": aims, "space": space, "max_trials": 5, "epochs": 9}
    first = {"dense/units": np.int64(32), "dense/depth": 2}
    second = {"learning_rate": 0.01, "tuner/epochs": 3}
    # The same point again and the default are not tried twice
    found = search(initial=[first, second, dict(first), {}], **options)
    tried = [
        {name: value for name, value in one.values.items() if "tuner/" not in name}
        for one in found.trials
    ]
    assert tried[1] == {**tried[0], "dense/units": 32, "dense/depth": 2}
    assert tried[2] == {**tried[0], "learning_rate": 0.01}
    assert tried[3] not in tried[:3]


def test_the_best_point_of_an_earlier_search_is_a_beginning(quick, tmp_path):
    options = {"tuner": "hyperband", "epochs": 9, "objective": "parameters"}
    space = {"dense/units": [64, 16], "dense/depth": [1, 2]}
    earlier = search(tmp_path / "s", max_trials=9, space=space, **options)
    best = az.tuning.best_values(tmp_path / "s")
    assert best == earlier.best.values and "tuner/epochs" in best
    assert best["dense/units"] == 16  # which is not the default's
    found = search(initial=[best], seed=5, space=space)
    assert found.trials[1].values == {k: v for k, v in best.items() if "tuner/" not in k}


def test_other_first_points_are_another_search(quick, tmp_path):
    search(tmp_path / "s", initial=[{"dense/units": 32}])
    with pytest.raises(ValueError, match="initial"):
        search(tmp_path / "s", resume=True)
    again = search(tmp_path / "s", resume=True, initial=[{"dense/units": 32}], max_trials=5)
    assert [one.values["dense/units"] for one in again.trials][:2] == [16, 32]


def test_where_there_is_no_search_there_is_no_best_point(quick, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no search"):
        az.tuning.best_values(tmp_path)


def test_each_fold_is_measured_and_the_means_are_compared(tmp_path):
    from attention_zoo.data.splitting import folds
    from attention_zoo.training import fit as fitting

    found = cross_validate(tmp_path / "s", executions=2)
    pairs, whole, test = folds(own_data(), 3, seed=0)
    for one in found.trials:
        assert [(e["seed"], e["fold"]) for e in one.executions] == [
            (seed, fold) for seed in (0, 1) for fold in range(3)
        ]
        figures = [e["metrics"]["log_loss"] for e in one.executions]
        assert one.metrics["log_loss"] == pytest.approx(np.mean(figures))
        assert one.spread("log_loss") == pytest.approx(np.std(figures)) and np.ptp(figures) > 0
    # The recipe that is kept gives the figure, though the model standardizes by itself there
    one = found.trials[1].executions[4]
    recipe = az.training.make_recipe(one["recipe"])
    train, validation = pairs[1]
    model, history = fitting.fit(recipe, train, validation)
    assert history["val_loss"] == pytest.approx(one["history"]["val_loss"], rel=1e-3)
    # The best is trained on all folds, for the median of their best epochs
    epochs = round(np.median([e["best_epochs"][0] for e in found.best.executions]))
    recipe = az.training.make_recipe(found.best.executions[0]["recipe"])
    phase = {**recipe.phases[0].model_dump(), "epochs": epochs}
    model, _ = fitting.fit(recipe.changed(phases=[phase], patience=None), whole, whole)
    expected = model.predict(test.x, verbose=0)
    np.testing.assert_allclose(found.model.predict(test.x, verbose=0), expected, atol=1e-4)
    kept = az.load(tmp_path / "s" / "best", verify=True)
    np.testing.assert_allclose(kept.predict(test.x, verbose=0), expected, atol=1e-4)
    assert found.best.metrics["parameters"] == found.model.count_params()
    assert not list(tmp_path.glob("s/trials/*/*.weights.h5"))
    with open(tmp_path / "s" / "epochs.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 6 * 3 and {row["fold"] for row in rows} == {"0", "1", "2"}
    with open(tmp_path / "s" / "trials.csv") as file:
        row = next(csv.DictReader(file))
    assert float(row["spread/log_loss"]) == pytest.approx(found.trials[0].spread("log_loss"))
    assert "on 3 folds" in found.notes[-1]


def test_folds_of_a_point_are_compiled_once(monkeypatch):
    from attention_zoo.training import compiled_cache

    compiled = []
    once = compiled_cache.compile_model
    monkeypatch.setattr(
        compiled_cache,
        "compile_model",
        lambda *args, **more: compiled.append(1) or once(*args, **more),
    )
    found = cross_validate(max_trials=1, executions=2)
    assert len(found.best.executions) == 6 and len(compiled) == 1


def test_folds_interrupted_give_the_same_figures(quick, tmp_path):
    whole = cross_validate()
    with pytest.raises(KeyboardInterrupt):
        cross_validate(tmp_path / "s", callback=Interrupt(1, 1))
    again = cross_validate(tmp_path / "s", resume=True)
    assert points(again.trials) == points(whole.trials)
    with pytest.raises(ValueError, match="its folds is 3, this one's is 4"):
        cross_validate(tmp_path / "s", resume=True, folds=4)


def test_ordered_data_are_cross_validated_by_their_future(quick, monkeypatch):
    data = own_data(ordered=True)
    seen = []
    train = trials.fit

    def note(recipe, train_data, validation, **more):
        seen.append((len(train_data.x), len(validation.x)))
        return train(recipe, train_data, validation, **more)

    monkeypatch.setattr(trials, "fit", note)
    az.tune("dense", data=data, max_trials=1, epochs=1, folds=2)
    assert seen == [(17, 17), (34, 17), (51, 51)]


@pytest.mark.parametrize("more, match", [
    ({"folds": 1}, "`folds` must be 2 or more"),
    ({"folds": 51}, "`folds` must be less than the number of samples"),
    ({"tuner": "hyperband"}, "do not go together"),
    ({"folds": 2.0}, "`folds` must be a positive integer"),
])  # fmt: skip
def test_folds_that_cannot_be_are_told(more, match):
    with pytest.raises(ValueError, match=match):
        cross_validate(**more)


def test_a_figure_that_one_execution_left_undefined_has_no_mean(quick, tmp_path):
    search(tmp_path / "s", max_trials=1, executions=2)
    path = next((tmp_path / "s").glob("trials/trial_*/execution_1.json"))
    execution = json.loads(path.read_text())
    del execution["metrics"]["log_loss"]
    path.write_text(json.dumps(execution))
    (trial,) = read_trials(tmp_path / "s")
    assert "log_loss" not in trial.metrics and "accuracy" in trial.metrics
    assert trial.spread("log_loss") == 0


def test_a_search_leaves_the_draws_of_its_caller_as_they_were(quick):
    np.random.seed(5)
    random.seed(5)
    expected = np.random.random(), random.random()
    np.random.seed(5)
    random.seed(5)
    search(max_trials=1)
    assert (np.random.random(), random.random()) == expected


def test_a_pair_of_arrays_is_told_what_to_make_of_it():
    with pytest.raises(TypeError, match=r"from_arrays\(x, y\).*Received: tuple"):
        az.tune("dense", data=(np.zeros((5, 3)), np.zeros(5)))


def test_an_architecture_that_does_not_fit_the_data_is_told(monkeypatch):
    monkeypatch.setattr(trials, "fit", None)
    with pytest.raises(ValueError, match=r"`input_shape` must be a tuple \(time, features\)"):
        az.tune("gru", "planted_feature")
    with pytest.raises(ValueError, match="Did you mean 'dense'"):
        az.tune("dens", "planted_feature")
    with pytest.raises(ValueError, match="`architecture` must name at least one"):
        az.tune([], "planted_feature")
    with pytest.raises(TypeError, match="`architecture` must be a name or a list of names"):
        az.tune(3, "planted_feature")
    x = np.random.default_rng(0).normal(size=(60, 4))
    own = az.training.from_arrays(x, (x[:, 0] > 0).astype(int))
    with pytest.raises(ValueError, match="needs to know where the answer is"):
        az.tune("dense", data=own, objective="pointing_game")


def test_a_folder_is_only_that_of_its_own_search(quick, tmp_path):
    folder = tmp_path / "s"
    search(folder)
    before = (folder / "trials.csv").read_bytes()
    with pytest.raises(FileExistsError, match="holds a search"):
        search(folder)
    with pytest.raises(ValueError, match="its epochs is 2, this one's is 3"):
        search(folder, epochs=3, resume=True)
    with pytest.raises(ValueError, match=r"holds another search: its space.dense/units"):
        search(folder, space={**SMALL, "dense/units": [16, 64]}, resume=True)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with pytest.raises(ValueError, match="holds another search: its config"):
            search(folder, resume=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert (folder / "trials.csv").read_bytes() == before
    other = tmp_path / "mine"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other files"):
        search(other, overwrite=True)
    assert (other / "notes.txt").read_text() == "mine"
    assert len(search(folder, max_trials=2, overwrite=True).trials) == 2


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[]", b"\xff"])
@pytest.mark.parametrize("name", ["search.json", "trials/trial_1/trial.json"])
def test_a_torn_file_is_named_with_the_cure(quick, tmp_path, name, content):
    folder = tmp_path / "s"
    search(folder)
    (folder / name).write_bytes(content)
    with pytest.raises(TuningError, match="is no valid JSON: .* (Remove the folder|Bring it back)"):
        search(folder, resume=True)


@pytest.mark.parametrize("options", [{"resume": True}, {"overwrite": True}])
def test_a_lock_that_is_a_link_is_not_followed(quick, tmp_path, options):
    folder = tmp_path / "s"
    search(folder, max_trials=1)
    (tmp_path / "secret").write_text("mine")
    (folder / "search.lock").unlink()
    (folder / "search.lock").symlink_to(tmp_path / "secret")
    before = sorted(folder.rglob("*"))
    with pytest.raises(TuningError, match="search.lock is a link, which is not followed"):
        search(folder, max_trials=2, **options)
    assert (tmp_path / "secret").read_text() == "mine"
    assert sorted(folder.rglob("*")) == before


def test_the_cure_for_a_torn_trial_works(quick, tmp_path):
    folder = tmp_path / "s"
    whole = search(folder)
    for path in (folder / "trials" / "trial_1").iterdir():
        path.unlink()
    (folder / "trials" / "trial_1").rmdir()
    found = search(folder, max_trials=5, resume=True)
    assert [one.status for one in found.trials] == [
        "COMPLETED", "FAILED", "COMPLETED", "COMPLETED", "COMPLETED",
    ]  # fmt: skip
    assert points([*found.trials[:1], *found.trials[2:4]]) == points(
        [*whole.trials[:1], *whole.trials[2:]]
    )


@pytest.mark.parametrize("what", ["trial.json", "execution_0.json", "best.weights.h5"])
def test_a_full_disk_ends_the_search_which_then_goes_on(quick, monkeypatch, tmp_path, what):
    whole = search()
    write = files.new_file

    def full(path, **options):
        if path.name == what and next(count) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, **options)

    count = itertools.count()
    monkeypatch.setattr(files, "new_file", full)
    limit = 5 if what == "trial.json" else 3
    count = itertools.count(5 - limit)
    with pytest.raises(OSError, match="No space left"):
        search(tmp_path / "s")
    monkeypatch.setattr(files, "new_file", write)
    assert points(search(tmp_path / "s", resume=True).trials) == points(whole.trials)


def test_two_searches_do_not_share_a_folder(quick, tmp_path):
    class Second(SearchCallback):
        def on_trial_begin(self, trial, values):
            code = (
                "import fcntl, sys\n"
                f"file = open({str(tmp_path / 's' / 'search.lock')!r}, 'w')\n"
                "try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
                "except OSError: print('held')"
            )
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            self.seen = done.stdout.strip()
            with pytest.raises(TuningError, match="in use by another search"):
                search(tmp_path / "s", resume=True, max_trials=1)

    watching = Second()
    search(tmp_path / "s", max_trials=1, callback=watching)
    assert watching.seen == "held"


@pytest.mark.parametrize("architecture, attention, objective, left", [
    ("dense", ["feature", "none"], "pointing_game", ("feature",)),
    ("gru", ["temporal", "feature"], "comprehensiveness_minus_sufficiency", ("temporal",)),
    ("gru", ["temporal", "feature"], "pointing_game", ("temporal", "feature")),
])  # fmt: skip
def test_attention_that_an_objective_cannot_be_measured_of_is_left_out(
    architecture, attention, objective, left
):
    known = inspect.signature(az.tune).parameters.items()
    asked = types.SimpleNamespace(**{name: one.default for name, one in known})
    asked.task = {"dense": "planted_feature", "gru": "planted_step"}[architecture]
    asked.architecture, asked.attention, asked.objective = architecture, attention, objective
    asked.samples = 20
    plan = make_plan(asked)
    assert plan.hypermodel.space.entries["attention"].values == left
    assert len(plan.notes) == (len(left) < 2)
    asked.attention = "none"
    with pytest.raises(ValueError, match="cannot be measured in .* where `attention` is 'none'"):
        make_plan(asked)


def test_a_trial_of_two_phases_is_remade_by_its_recipe(tmp_path):
    space = {**FEW, "attention/sharpening": 0.05, "attention/fit_first": 0.5}
    found = search(tmp_path / "s", space=space, max_trials=1, epochs=4)
    record = found.best.executions[0]
    assert [one["epochs"] for one in record["recipe"]["phases"]] == [2, 2]
    assert len(record["history"]["loss"]) == 4 and len(record["best_epochs"]) == 2
    card = json.loads((tmp_path / "s" / "best" / "card.json").read_text())
    assert [one["epochs"] for one in card["recipe"]["phases"]] == record["best_epochs"]


def test_the_front_of_two_aims(quick):
    found = search(max_trials=8, objective=["log_loss", "parameters"])
    front = found.pareto()
    for one in found.trials:
        better = [
            other for other in found.trials
            if other.metrics["log_loss"] <= one.metrics["log_loss"]
            and other.metrics["parameters"] <= one.metrics["parameters"]
            and any(other.metrics[n] != one.metrics[n] for n in ("log_loss", "parameters"))
        ]  # fmt: skip
        assert (one in front) == (not better)
    assert found.best in front
    with pytest.raises(ValueError, match="Did you mean 'parameters'"):
        found.pareto("log_loss", "parameter")
