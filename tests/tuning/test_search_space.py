"""The table of hyperparameters: complete, true to the defaults, trainable at both ends of each."""

import inspect

import keras
import keras_tuner
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.catalog import MODELS
from attention_zoo.layers.register import LAYERS
from attention_zoo.training.compiling import build_model, compile_model
from attention_zoo.tuning import HyperAttention, table
from attention_zoo.tuning.search_space import make_search_space

STEPS, WIDTH = 5, 8
SHAPES = {
    "table": (WIDTH,),
    "before": (STEPS, WIDTH),
    "after": (STEPS, WIDTH),
    "ahead": (STEPS, WIDTH),
}


def defaults(function):
    return {k: v.default for k, v in inspect.signature(function).parameters.items()}


def test_every_layer_and_factory_has_its_row():
    assert sorted(table.LAYERS) == az.list_layers()
    assert sorted(table.FACTORIES) == az.list_models()


def test_each_default_is_the_arguments_own():
    for name, row in table.LAYERS.items():
        own = defaults(LAYERS.get(name))
        own_rows = ("sharpening", "fit_first", *row.names)
        shared = (o for o in table.ATTENTION if o.name not in own_rows)
        for one in (*row.hyperparameters, *shared):
            if one.name in own:  # what is not there is inherited, and tested with the others
                assert one.argument(one.default) == own[one.name], (name, one.name)
    for name, row in table.FACTORIES.items():
        own = defaults(MODELS.get(name))
        for one in row.hyperparameters:
            assert one.argument(one.default) == own[one.name], (name, one.name)


def ends():
    """Both ends of every hyperparameter: of all of a row together, and under each condition."""
    for architecture, row in table.FACTORIES.items():
        entries = make_search_space([architecture]).entries
        for kind in entries["attention"].values:
            prefixes = (f"{architecture}/", f"attention/{kind}/", "attention/")
            mine = {n: e for n, e in entries.items() if n.rpartition("/")[0] + "/" in prefixes}
            conditions = {
                c for e in mine.values() for c in e.conditions if c[0].startswith(prefixes[1])
            }
            for end in (0, -1):
                values = {name: entry.values[end] for name, entry in mine.items()}
                values["attention"] = kind
                for parent, allowed in [(None, ()), *sorted(conditions)]:
                    forced = {parent: allowed[0]} if parent else {}
                    where = f"{architecture}-{kind}-{'low' if end == 0 else 'high'}"
                    yield pytest.param(
                        row.place, architecture, {**values, **forced},
                        id=where + (f"-{allowed[0]}" if parent else ""),
                    )  # fmt: skip


ENDS = list(ends())


def test_both_ends_of_every_hyperparameter_are_among_the_points():
    for architecture in table.FACTORIES:
        space = make_search_space([architecture])
        tried = [space.active(one.values[2]) for one in ENDS if one.values[1] == architecture]
        for name, entry in space.entries.items():
            if entry.values and name not in ("batch_size", "attention", "attention/fit_first"):
                found = {point[name] for point in tried if name in point}
                assert {entry.values[0], entry.values[-1]} <= found, name


# A layer behaves alike in all factories of its place: one of them stands for the others
STANDING = {"table": "dense", "before": "gru_before", "after": "gru", "ahead": "forecaster"}
OWN = {name: make_search_space([name]).entries["attention"].default for name in table.FACTORIES}


@pytest.mark.parametrize("place, architecture, values", [
    point for point in ENDS
    if point.values[1] == STANDING[point.values[0]]
    or point.values[2]["attention"] == OWN[point.values[1]]
])  # fmt: skip
def test_both_ends_of_every_hyperparameter_train_a_step(place, architecture, values):
    hyper = HyperAttention(architecture, input_shape=SHAPES[place])
    recipe = hyper.recipe({"learning_rate": 1e-3, "batch_size": 3, **values})
    model = build_model(recipe, hyper.input_shape, 1)
    compile_model(model, "regression", 1e-3, steps=1)
    model.run_eagerly = True  # one step is not worth its compilation
    x = np.random.default_rng(0).normal(size=(3, *SHAPES[place])).astype("float32")
    before = [np.array(w) for w in model.get_weights()]
    assert np.isfinite(model.train_on_batch(x, np.ones((3, 1), "float32"))).all()
    changed = [np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert any(changed)


@pytest.mark.parametrize("name", ["cross_attention", "attention_decoder"])
def test_layers_that_fit_no_factory_have_their_hyperparameters_all_the_same(name):
    query, value = np.ones((2, 3, WIDTH), "float32"), np.ones((2, STEPS, WIDTH), "float32")
    decodes = name == "attention_decoder"
    for one in table.LAYERS[name].hyperparameters:
        for end in (0, -1):
            cell = {"cell": keras.layers.GRUCell(WIDTH)} if decodes else {}
            layer = az.layers.get(name, **cell, **{one.name: one.argument(one.values[end])})
            # torch gives no array of what has a gradient, which Keras turns off now and then
            assert np.isfinite(keras.ops.convert_to_numpy(layer(query, value))).all()


def test_names_of_what_is_not_chosen_are_in_no_point():
    space = make_search_space(["gru", "lstm_before", "dense_after"])
    random = np.random.default_rng(0)
    for _ in range(50):
        drawn = {
            n: e.values[random.integers(len(e.values))] if e.values else e.default
            for n, e in space.entries.items()
        }
        active = space.active(drawn)
        chosen, kind = active["architecture"], active[space.attention[active["architecture"]]]
        for name in active:
            above = name.split("/")[0]
            if above in table.FACTORIES:
                assert above == chosen
            if "/" in name and name.split("/")[1] in table.LAYERS:
                assert name.split("/")[:2] == [space.attention[chosen], kind]


def test_a_hypermodel_serves_kerastuners_own_tuners(tmp_path):
    hyper = HyperAttention(
        ["gru", "lstm_before"], input_shape=(STEPS, WIDTH), kind="multiclass", outputs=3,
        attention=["temporal", "pooling"], space={"learning_rate": 1e-2, "gru/units": (8, 16)},
    )  # fmt: skip
    hp = keras_tuner.HyperParameters()
    model = hyper.build(hp)
    assert hp.get("architecture") == "gru" and hp.get("gru/units") == 8
    assert float(np.array(model.optimizer.learning_rate)) == pytest.approx(1e-2)
    oracle = keras_tuner.oracles.RandomSearchOracle(objective="loss", max_trials=8, seed=1)
    oracle.update_space(hp)
    keras_tuner.Tuner(oracle, hyper, directory=str(tmp_path))
    for number in range(8):
        trial = oracle.create_trial(f"tuner{number}")
        assert hyper.build(trial.hyperparameters).output_shape == (None, 3)


def test_what_no_model_can_have_together_is_a_failed_trial():
    hyper = HyperAttention("gru", input_shape=(None, WIDTH), attention=["pooling", "hierarchical"])
    hp = keras_tuner.HyperParameters()
    hyper.declare_hyperparameters(hp)
    hp.values["attention/normalizer"] = "nothing"
    with pytest.raises(keras_tuner.errors.FailedTrialError, match="nothing"):
        hyper.build(hp)


def test_ranges_and_lists_of_the_user_replace_ours():
    space = make_search_space(["gru"], space={
        "gru/units": (16, 64), "learning_rate": (1e-5, 1e-4), "gru/depth": 2,
        "attention/pooling/units": [None, 8],
    })  # fmt: skip
    assert space.entries["gru/units"].values == (16, 32, 64)
    assert space.entries["learning_rate"].default == 1e-4
    assert space.entries["gru/depth"].values == (2,)
    assert space.entries["attention/pooling/units"].values == (0, 8)
    hp = keras_tuner.HyperParameters()
    hp.Int("a", 5, 7)
    hp.Float("b", 1e-5, 1.0, sampling="linear", default=0.5)
    own = make_search_space(
        ["gru"], space=dict(zip(["gru/units", "learning_rate"], hp.space, strict=True))
    ).entries
    assert own["gru/units"].values == (5, 6, 7) and own["learning_rate"].sampling == "linear"
    declared = keras_tuner.HyperParameters()
    own["learning_rate"].declare(declared)
    assert declared.get("learning_rate") == 0.5


@pytest.mark.parametrize("wrong, match", [
    ({"gru/bidirectional": (0, 1)}, "'gru/bidirectional' takes a value or a list"),
    ({"gru/units": [0]}, "must be more than 0. Received: 0"),
    ({"gru/dropout": [0.1, 1.0]}, "must be 0 or more, and below 1. Received: 1.0"),
    ({"gru/dropout": (0.1, 2.0)}, "below 1. Received: 2.0"),
    ({"learning_rate": float("nan")}, "must be more than 0"),
    ({"attention/normalizer": ["softmax", "softmin"]}, "among 'softmax', .*Received: 'softmin'"),
    ({"attention": ["temporal", "none"]}, "among 'temporal', .*Received: 'none'"),
    ({"attention/temporal/score": "location"}, "among 'additive' here. Received: 'location'"),
    ({"attention/hierarchical/window": None}, "must be an integer"),
])  # fmt: skip
def test_a_value_that_cannot_be_built_is_no_value_of_the_space(wrong, match):
    with pytest.raises(ValueError, match=match):
        make_search_space(["gru"], space=wrong, any_length=True)


def test_a_penalty_acts_in_the_last_share_of_the_epochs():
    hyper = HyperAttention("gru", input_shape=(STEPS, WIDTH))

    def phases(**part):
        values = {"attention/sharpening": 0.05, "attention/fit_first": 0.25}
        found = hyper.recipe(values, epochs=8, **part).phases
        return [(one.epochs, "scores_regularizer" in one.attention) for one in found]

    assert phases() == [(2, False), (6, True)]
    # Hyperband trains a part at a time
    assert phases(end=2) == [(2, False)]
    assert phases(begin=1, end=4) == [(1, False), (2, True)]
    assert phases(begin=4) == [(4, True)]
    assert [one.epochs for one in hyper.recipe({}, epochs=8).phases] == [8]
    config = hyper.recipe(values={}).config["attention"]["config"]
    assert "fit_first" not in config and "scores_regularizer" not in config
