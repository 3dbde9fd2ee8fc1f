"""Every layer refuses what it cannot use: it names the argument and shows what it received."""

import json

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.layers.register import serializable
from tests.cases import CASES
from tests.contract import call

FIRST = {case.layer: case for case in reversed(CASES)}
NAN = float("nan")

ARGUMENTS = [
    ("dropout", -0.1, "`dropout` must be a number in"),
    ("dropout", 1.0, "`dropout` must be a number in"),
    ("dropout", "a", "`dropout` must be a number in"),
    ("dropout", True, "`dropout` must be a number in"),
    ("temperature", 0, "`temperature` must be a finite number > 0"),
    ("temperature", -1, "`temperature` must be a finite number > 0"),
    ("temperature", NAN, "`temperature` must be a finite number > 0"),
    ("temperature", float("inf"), "`temperature` must be a finite number > 0"),
    ("normalizer", "sparsmax", "Did you mean 'sparsemax'"),
    ("normalizer", {"name": "entmax", "alpha": 1}, "`alpha` must be a finite number > 1"),
    ("seed", 1.5, "`seed` must be an integer or None"),
    ("kernel_initializer", "glorot", "Could not interpret initializer"),
    ("kernel_regularizer", "l3", "Could not interpret regularizer"),
    ("kernel_constraint", "max", "Could not interpret constraint"),
    ("scores_regularizer", "entrpy", "Could not interpret regularizer"),
    ("return_attention_scores", True, "return_attention_scores"),
    ("unts", 3, "unts"),
]


@pytest.mark.parametrize(("argument", "value", "message"), ARGUMENTS)
@pytest.mark.parametrize("name", sorted(FIRST))
def test_shared_arguments(name, argument, value, message):
    with pytest.raises((ValueError, TypeError), match=message):
        az.layers.get(name, **{**FIRST[name].kwargs, argument: value})


SIZES = [
    (name, argument)
    for name, arguments in {
        "temporal": ["units"],
        "pooling": ["units", "hops"],
        "luong": ["units"],
        "conjunctive": ["units", "attention_units"],
        "bahdanau": ["units", "attention_units"],
        "self_attention": ["units", "window"],
        "cross_attention": ["units"],
        "multi_head": ["num_heads", "key_dim", "num_key_value_heads", "window"],
        "hierarchical": ["units", "window", "encoder_units"],
        "variable_selection": ["units"],
        "retain": ["units", "recurrent_units"],
        "attention_decoder": ["units", "attention_units"],
    }.items()
    for argument in arguments
]


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "8"])
@pytest.mark.parametrize(("name", "argument"), SIZES)
def test_sizes_are_positive_integers(name, argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be a positive integer.*{value}"):
        az.layers.get(name, **{**FIRST[name].kwargs, argument: value})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_masks_that_do_not_fit(case):
    layer, arrays = case.make(), case.arrays()
    for name, mask in case.visible().items():
        with pytest.raises(TypeError, match=f"`{name}` must be boolean"):
            call(layer, arrays, {**case.visible(), name: mask.astype("float32")})
        with pytest.raises(ValueError, match=f"`{name}` must have the shape"):
            call(layer, arrays, {**case.visible(), name: np.concatenate([mask, mask], axis=1)})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_another_width_than_built_names_both(case):
    layer, arrays = case.make(), case.arrays()
    for name, x in arrays.items():
        wide = np.concatenate([x, x], axis=-1)
        with pytest.raises(ValueError, match=f"{x.shape[-1]}.*{wide.shape[-1]}"):
            call(layer, {**arrays, name: wide})


@pytest.mark.parametrize(
    "name", sorted(set(FIRST) - {"feature", "hierarchical", "variable_selection"})
)
def test_a_rank_that_has_no_steps_says_what_to_do(name):
    case = FIRST[name]
    layer = az.layers.get(name, **case.kwargs)
    flat = {n: x[:, 0] for n, x in case.arrays().items()}
    with pytest.raises(ValueError, match="rank 3"):
        call(layer, flat)


def test_numpy_scalars_are_numbers():
    for spec in (
        {"layer": "retain", "recurrent_units": np.int64(3), "seed": np.int64(3)},
        {"layer": {"class_name": "retain", "config": {"recurrent_units": np.int64(3)}}},
    ):
        layer = az.layers.get(**spec)
        assert layer(np.ones((2, 4, 3), "float32")).shape == (2, 3)
        json.dumps(az.layers.describe(layer))


def test_registering_a_taken_name_or_key_is_refused():
    with pytest.raises(ValueError, match="The layer name 'luong' is taken"):

        @az.layers.register("luong", package="mine")
        class Other(az.layers.FeatureAttention):
            pass

    with pytest.raises(ValueError, match="'attention_zoo>FeatureAttention' is taken"):
        serializable(type("FeatureAttention", (keras.layers.Layer,), {}))
    assert az.layers.get("luong").__class__ is az.layers.LuongAttention


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("temprl", ValueError, "Did you mean 'temporal'"),
        ({"class_name": "Lambda", "config": {}}, ValueError, "Unknown layer"),
        ({"class_name": "temporal", "confg": {}}, ValueError, "'class_name' and 'config'"),
        (3, TypeError, "must be a name, a dictionary"),
        (None, TypeError, "must be a name, a dictionary"),
    ],
)
def test_what_is_no_layer(spec, error, message):
    with pytest.raises(error, match=message):
        az.layers.get(spec)
