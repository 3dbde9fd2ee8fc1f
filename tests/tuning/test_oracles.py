"""How points are chosen: points of the space, none twice, better than chance, by public means."""

import ast
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.tuning import trials
from attention_zoo.tuning.hyperparameters import Hyperparameter
from attention_zoo.tuning.oracles import key_of, make_oracle
from attention_zoo.tuning.search_space import SearchSpace, make_search_space

#: With hyperparameters of layers under a condition, flags, and a range.
SPACE = make_search_space(["dense_after"], ["temporal", "pooling", "none"])


def numbers(count):
    names = [f"x{number}" for number in range(count)]
    entries = {
        name: Hyperparameter(name, 0.05, low=0.0, high=1.0, sampling="linear") for name in names
    }
    return SearchSpace((), entries, {})


def run(tuner, space, function, folder, trials=20, seed=0, objectives=("log_loss",), running=1):
    """The values of trials, so many at a time, and of a function there."""
    oracle = make_oracle(
        tuner, space, objectives, max_trials=trials, epochs=1, seed=seed, initial=(),
        directory=str(folder),
    )  # fmt: skip
    found, begun = [], []
    for number in range(trials + running - 1):
        if number < trials:
            begun.append(oracle.create_trial(f"worker{number}"))
            assert begun[-1].status == "RUNNING"
        if number >= running - 1:
            trial = begun.pop(0)
            values = dict(trial.hyperparameters.values)
            found.append((values, function(values)))
            oracle.update_trial(trial.trial_id, dict.fromkeys(objectives, found[-1][1]))
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
    return found


def bowl(values):
    return sum((value - 0.3 - 0.1 * place) ** 2 for place, value in enumerate(values.values()))


@pytest.mark.parametrize("tuner", ["tpe", "gp"])
def test_it_finds_what_chance_does_not(tmp_path, tuner):
    if tuner == "gp":
        pytest.importorskip("torch")
    best = {
        name: np.mean([
            min(value for _, value in run(name, numbers(2), bowl, tmp_path / f"{name}{s}", seed=s))
            for s in (0, 1, 2)
        ])
        for name in (tuner, "random")
    }  # fmt: skip
    assert best[tuner] < best["random"]


def test_what_is_still_being_trained_is_not_proposed_again(tmp_path):
    found = run("bayesian", numbers(2), bowl, tmp_path, trials=7, running=2)
    assert len({key_of(values) for values, _ in found}) == 7
    assert all(0 <= value <= 1 for values, _ in found for value in values.values())


@pytest.mark.parametrize("tuner", ["random", "tpe", "nsga2", "hyperband"])
def test_a_point_has_the_values_of_its_branch_alone_and_no_point_comes_twice(tmp_path, tuner):
    objectives = ("log_loss", "parameters") if tuner == "nsga2" else ("log_loss",)
    found = run(
        tuner, SPACE, lambda values: values["learning_rate"], tmp_path, objectives=objectives,
        running=3,
    )  # fmt: skip
    points = [
        {name: value for name, value in values.items() if "tuner/" not in name}
        for values, _ in found
        if "tuner/trial_id" not in values  # Hyperband goes on with a point
    ]
    assert points[0] == SPACE.active({})
    for values in points:
        assert values == SPACE.active(values)
        for name, value in values.items():
            entry = SPACE.entries[name]
            assert type(value) is type(entry.default)
            assert value in entry.values if entry.values else entry.low <= value <= entry.high
    assert len(set(map(key_of, points))) == len(points)


@pytest.mark.parametrize("tuner, missing, extra", [
    ("nsga2", "optuna", "optuna"), ("tpe", "optuna", "optuna"), ("gp", "torch", "torch"),
    ("bayesian", "sklearn", "sklearn"),
])  # fmt: skip
def test_what_is_missing_is_told_before_the_first_trial(monkeypatch, tuner, missing, extra):
    if missing == keras.backend.backend():
        pytest.skip("without it there is no backend")
    monkeypatch.setattr(trials, "fit", None)
    monkeypatch.setitem(sys.modules, missing, None)
    objective = ["log_loss", "parameters"] if tuner == "nsga2" else None
    with pytest.raises(ImportError, match=rf"pip install 'attention-zoo\[{extra}\]'"):
        az.tune("dense", "planted_feature", tuner=tuner, objective=objective, samples=50)


def test_nsga2_wants_several_objectives(monkeypatch):
    monkeypatch.setattr(trials, "fit", None)
    with pytest.raises(ValueError, match="name two or more. Received: accuracy"):
        az.tune("dense", "planted_feature", tuner="nsga2", objective="accuracy", samples=50)


@pytest.mark.parametrize("path", sorted(Path(az.tuning.__file__).parent.glob("*.py")), ids=str)
def test_nothing_private_of_others_is_used(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith(("keras_tuner.src", "keras_tuner.engine")), (
                f"line {node.lineno}"
            )
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            assert not any(name.startswith("keras_tuner.") for name in names), names
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            # which KerasTuner does not document
            assert (node.value.id, node.attr) != ("keras_tuner", "engine"), f"line {node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            assert own or node.attr.startswith("__"), f"line {node.lineno}: {node.attr}"
