"""NSGA-II: the same table of knobs, the same folder, better trade-offs than chance."""

import sys

import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.tuning import Spectator, nsga2, trials
from attention_zoo.tuning.assembling import make_space

AIMS = ["log_loss", "parameters"]
KINDS = ["temporal", "pooling"]


def search(out=None, **more):
    options = {"max_trials": 13, "epochs": 1, "samples": 50, "objective": AIMS, "out": out, **more}
    return az.tune("dense_after", "planted_step", attention=KINDS, tuner="nsga2", **options)


def points(found):
    return [(one.values, one.figures, one.status) for one in found.trials]


class Interrupt(Spectator):
    def __init__(self, trial):
        self.left = trial

    def trial_begins(self, trial, values):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_interrupted_it_breeds_the_same_points(quick, tmp_path):
    whole = search()
    for trial in (3, 8):  # before and after the first that is bred, the eleventh
        with pytest.raises(KeyboardInterrupt):
            search(tmp_path / "s", spectator=Interrupt(trial), resume=(tmp_path / "s").exists())
    again = search(tmp_path / "s", resume=True)
    assert points(again) == points(whole)
    assert len({repr(one.values) for one in again.trials}) == 13
    assert again.best in again.pareto()


def test_a_failed_trial_is_no_parent_and_a_point_has_its_branch_alone(quick, monkeypatch):
    train = trials.fit

    def fail_often(recipe, *args, **kwargs):
        if recipe.config["attention"]["class_name"] == "pooling":
            raise az.training.TrainingError("The loss became nan in epoch 1.")
        return train(recipe, *args, **kwargs)

    monkeypatch.setattr(trials, "fit", fail_often)
    found = search(max_trials=8)
    assert {one.status for one in found.trials} == {"COMPLETED", "FAILED"}
    space = make_space(["dense_after"], KINDS)
    assert found.default.values == space.active({})
    for one in found.trials:
        assert one.values == space.active(one.values)


@pytest.mark.parametrize("seed", [0, 1])
def test_it_comes_closer_than_chance(seed):
    optuna = pytest.importorskip("optuna")
    space = make_space(["dense_after"], "temporal")
    distributions = nsga2._distributions(space)

    def aims(values):
        """Two aims that want opposite widths and one learning rate."""
        off = np.log10(values["learning_rate"] / 1e-3) ** 2 + values["dense_after/dropout"]
        return off + values["dense_after/units"] / 128, off + 8 / values["dense_after/units"]

    def run(breeds):
        with nsga2._quiet():
            study = optuna.create_study(directions=["minimize"] * 2)
        found = []
        for number in range(60):
            study.sampler = nsga2._sampler(1000 * seed + number)
            if not breeds:
                study.sampler = optuna.samplers.RandomSampler(1000 * seed + number)
            asked = study.ask(distributions)
            values = space.active(asked.params)
            found.append(sum(aims(values)))
            study.tell(asked, aims(values))
        return np.mean(found[-20:])

    assert run(True) < run(False)


def test_what_it_needs_is_told_before_the_first_trial(monkeypatch):
    monkeypatch.setattr(trials, "fit", None)
    with pytest.raises(ValueError, match="name two or more. Received: accuracy"):
        search(objective="accuracy")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'attention-zoo\[pareto\]'"):
        search()
