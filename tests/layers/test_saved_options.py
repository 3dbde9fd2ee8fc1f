"""Every word that a layer takes as an option comes back from both of Keras's file formats."""

import inspect
import re

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.ops.normalizers import NORMALIZERS
from tests.cases import CASES

FIRST = {case.layer: case for case in reversed(CASES)}
NAMES = sorted(FIRST)


def words(make, argument):
    """The words that an argument may be, which the error for any other word lists."""
    with pytest.raises(ValueError, match="Known: ") as refused:
        make(**{argument: "no such word"})
    return re.search(r"Known: (.*)\. Received", str(refused.value)).group(1).split(", ")


def options(name):
    """One dictionary of arguments for each value of each argument of a layer that is a word."""
    cls = type(FIRST[name].make())
    signatures = [inspect.signature(base.__init__).parameters for base in cls.__mro__[:-1]]
    arguments = {
        argument
        for parameters in signatures
        for argument, parameter in parameters.items()
        if re.search(r"\b(str|Spec)\b", str(parameter.annotation))
    }
    base = {k: v for k, v in FIRST[name].kwargs.items() if k not in arguments}

    def make(**more):
        return az.layers.get(name, **base, **more)

    found = [{**base, a: word} for a in sorted(arguments) for word in words(make, a)]
    return [*found, {**base, "normalizer": {"name": "entmax", "alpha": 1.3}}]


def model_with_all(name):
    """A model with one layer for each of `options`, all on the same inputs."""
    case = FIRST[name]
    shapes = {n: (s[0], *s[1:-1], 3) for n, s in case.inputs.items()}  # one width, as "dot" needs
    tensors = {n: keras.Input(shape[1:], name=n) for n, shape in shapes.items()}
    first, *rest = tensors.values()
    more = dict(zip(list(tensors)[1:], rest, strict=True))
    if name == "attention_decoder":
        cell = {"class_name": "GRUCell", "config": {"units": 3}}
        rows = [{**row, "cell": cell} for row in options(name)]
    else:
        rows = options(name)
    outputs = [
        az.layers.get(name, name=f"row_{i}", **row)(first, **more) for i, row in enumerate(rows)
    ]
    return keras.Model(tensors, outputs), rows


def same(model, other, rows):
    for i, row in enumerate(rows):
        one, two = model.get_layer(f"row_{i}"), other.get_layer(f"row_{i}")
        assert one.get_config() == two.get_config(), row
        for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_words_are_found():
    found = {value for row in options("attention_decoder") for value in map(str, row.values())}
    assert found >= {*NORMALIZERS, "dot", "general", "scaled_dot", "soft", "hard"}
    assert {row.get("encoder") for row in options("hierarchical")} == {None, "gru", "lstm"}


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("name", NAMES)
def test_every_word_comes_back(name, ending, tmp_path):
    model, rows = model_with_all(name)
    model.save(tmp_path / f"model.{ending}")
    same(model, keras.models.load_model(tmp_path / f"model.{ending}"), rows)


@pytest.mark.parametrize("name", NAMES)
def test_functions_of_the_user_by_the_same_names_change_nothing(name, tmp_path):
    model, rows = model_with_all(name)
    model.save(tmp_path / "model.h5")
    theirs = {
        value: (lambda x: x) for row in rows for value in row.values() if isinstance(value, str)
    }
    same(model, keras.models.load_model(tmp_path / "model.h5", custom_objects=theirs), rows)


def test_other_layers_with_words_too(tmp_path):
    inputs = keras.Input((2, 5, 3))
    pooled = keras.layers.TimeDistributed(az.layers.AttentionPooling(score="dot"))(inputs)
    model = keras.Model(inputs, [az.layers.TimePooling(r)(pooled) for r in ("sum", "flatten")])
    model.save(tmp_path / "model.h5")
    theirs = {"sum": lambda x: x, "flatten": lambda x: x}
    loaded = keras.models.load_model(tmp_path / "model.h5", custom_objects=theirs)
    assert loaded.layers[1].layer.score == "dot"
    assert [layer.reduction for layer in loaded.layers[2:]] == ["sum", "flatten"]


def test_a_function_where_one_is_meant_stays_a_function():
    @keras.saving.register_keras_serializable("tests")
    def halves(shape, dtype=None):
        return 0.5 * keras.ops.ones(shape, dtype)

    config = az.layers.FeatureAttention().get_config()
    layer = az.layers.FeatureAttention.from_config({**config, "kernel_initializer": halves})
    assert layer.kernel_initializer is halves
