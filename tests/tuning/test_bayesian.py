"""The Bayesian proposals: points of the space, the same each time, and better than chance."""

import itertools

import keras_tuner
import numpy as np

from attention_zoo.tuning.assembling import make_space
from attention_zoo.tuning.bayesian import Cube
from attention_zoo.tuning.knobs import Entry, Knob
from attention_zoo.tuning.oracles import make_oracle
from attention_zoo.tuning.space import SearchSpace

#: With widths of layers that another knob makes active, and a range.
KNOBS = make_space(["dense_after"], ["temporal", "pooling", "none"])


def numbers(count):
    own = keras_tuner.engine.hyperparameters.Float
    names = [f"x{number}" for number in range(count)]
    knobs = {name: own(name, 0.0, 1.0, default=0.05) for name in names}
    return SearchSpace((), {n: Entry(n, Knob(n, 0.05), own=knobs[n]) for n in names}, {})


def asked(tuner, space, folder, seed=0, trials=20, objective="log_loss"):
    oracle = make_oracle(
        tuner, space, [objective], max_trials=trials, max_seconds=None, epochs=1, seed=seed
    )
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    oracle.update_space(hp)
    oracle._set_project_dir(folder, "search")
    return oracle


def end(oracle, trial, value):
    oracle.update_trial(trial.trial_id, {oracle.objective.name: value})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def run(oracle, function, count=20):
    """Trials in turn; the values of each point and of the function there."""
    found = []
    for _ in range(count):
        trial = oracle.create_trial("tuner0")
        values = dict(trial.hyperparameters.values)
        found.append((values, function(values)))
        end(oracle, trial, found[-1][1])
    return found


def bowl(values):
    return sum((value - 0.3 - 0.1 * place) ** 2 for place, value in enumerate(values.values()))


def mixed(values):
    away = abs(np.log10(values["learning_rate"] / 3e-3)) + values["dense_after/dropout"]
    return away + values.get("attention/pooling/hops", 8) / 8


def test_it_finds_the_best_point_where_chance_does_not(tmp_path):
    best = {
        (tuner, seed): min(
            value
            for _, value in run(asked(tuner, numbers(3), tmp_path / f"{tuner}{seed}", seed), bowl)
        )
        for tuner, seed in itertools.product(("bayesian", "random"), (0, 1000))
    }
    ours, chance = (
        np.mean([value for (tuner, _), value in best.items() if tuner == name])
        for name in ("bayesian", "random")
    )
    assert ours < chance / 3


def test_more_is_better_where_the_objective_says_so(tmp_path):
    oracle = asked("bayesian", numbers(2), tmp_path, objective="accuracy")
    found = run(oracle, lambda values: 1 - bowl(values))
    assert max(value for _, value in found[6:]) > 0.999


def test_a_point_has_the_values_of_its_branch_alone_and_no_point_comes_twice(tmp_path):
    found = [values for values, _ in run(asked("bayesian", KNOBS, tmp_path), mixed)]
    assert found[0] == KNOBS.active({})
    for values in found:
        assert values == KNOBS.active(values)
        for name, value in values.items():
            possible = KNOBS.entries[name].possible
            assert value in possible if possible else 1e-4 <= value <= 1e-2
    assert len({repr(sorted(values.items())) for values in found}) == len(found)


def test_places_are_those_of_values(tmp_path):
    oracle = asked("bayesian", KNOBS, tmp_path)
    cube, rng = Cube(oracle.hyperparameters.space), np.random.default_rng(0)
    drawn = cube.draw(rng, 50)
    for place in (*drawn, *cube.around(rng, drawn, 3)):
        np.testing.assert_allclose(cube.place(oracle._vector_to_values(place)), place, atol=1e-9)


def test_it_goes_on_as_if_it_had_not_been_interrupted(tmp_path):
    whole = run(asked("bayesian", KNOBS, tmp_path / "whole", trials=14), mixed, 14)
    folder = tmp_path / "parts"
    first = run(asked("bayesian", KNOBS, folder, trials=14), mixed, 9)
    oracle = asked("bayesian", KNOBS, folder, trials=14)
    oracle.reload()
    assert [*first, *run(oracle, mixed, 5)] == whole


def test_what_others_are_training_is_not_proposed_again(tmp_path):
    oracle = asked("bayesian", numbers(2), tmp_path)
    run(oracle, bowl, 15)
    proposed = [oracle.create_trial(f"tuner{n}").hyperparameters.values for n in range(3)]
    for one, other in itertools.combinations(proposed, 2):
        assert max(abs(one[name] - other[name]) for name in one) > 0.01


def test_a_small_space_is_tried_whole(tmp_path):
    fixed = {name: one.default for name, one in make_space(["dense"]).entries.items()}
    free = {"dense/units": [16, 32, 64], "dense/depth": [1, 2]}
    oracle = asked("bayesian", make_space(["dense"], None, {**fixed, **free}), tmp_path, trials=6)
    found = run(oracle, lambda values: values["dense/units"] + values["dense/depth"], 6)
    assert len({repr(sorted(values.items())) for values, _ in found}) == 6
