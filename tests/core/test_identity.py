"""What holds arrays equals itself alone, and can be put in a set."""

import dataclasses
import importlib
import pkgutil
import typing

import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.core.identity import by_identity


def classes():
    """Every dataclass and NamedTuple of the package."""
    found = {}
    for module in pkgutil.walk_packages(az.__path__, "attention_zoo."):
        if module.name == "attention_zoo.__main__" or "data_parallel_" in module.name:
            continue  # runs the shell; needs one backend
        try:
            members = vars(importlib.import_module(module.name))
        except ImportError:  # an extra that is not installed
            continue
        for value in members.values():
            of_ours = isinstance(value, type) and value.__module__ == module.name
            if of_ours and (dataclasses.is_dataclass(value) or hasattr(value, "_fields")):
                found[f"{module.name}.{value.__name__}"] = value
    return found


def fields(cls):
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls)]
    return list(cls._fields)


def holds_arrays(cls):
    """Whether a field is said to be an array, or an object with arrays."""
    kinds = " ".join(str(kind) for base in cls.__mro__ for kind in _annotations(base)
                     if "Callable" not in str(kind))  # fmt: skip
    return "ndarray" in kinds or "Dataset" in kinds


def _annotations(cls):
    return vars(cls).get("__annotations__", {}).values()


def filled(cls):
    """An object with an array in each field, whatever belongs there."""
    arrays = [np.arange(3) for _ in fields(cls)]
    if not dataclasses.is_dataclass(cls):
        return tuple.__new__(cls, arrays)
    made = object.__new__(cls)
    for name, array in zip(fields(cls), arrays, strict=True):
        object.__setattr__(made, name, array)
    return made


CLASSES = {name: cls for name, cls in classes().items() if holds_arrays(cls)}


def test_the_classes_that_users_get_are_among_them():
    known = {name.rpartition(".")[2] for name in CLASSES}
    assert {"Explanation", "Dataset", "TrainingResult", "Sample", "Curve", "Adversary"} <= known


@pytest.mark.parametrize("name", CLASSES)
def test_an_object_that_holds_arrays_equals_itself_alone(name):
    one, other = filled(CLASSES[name]), filled(CLASSES[name])
    assert [one == one, one != one, one == other, one != other] == [True, False, False, True]
    assert len({one, other, one}) == 2
    assert one in [other, one] and [other, one].index(one) == 1


def test_other_tuples_are_no_more_equal():
    @by_identity
    class Pair(typing.NamedTuple):
        left: int
        right: int

    pair = Pair(1, 2)
    assert pair == pair and pair != Pair(1, 2) and pair != (1, 2)
    left, right = pair
    assert (left, right) == tuple(pair)
