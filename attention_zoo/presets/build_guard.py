"""Limits on what this thread lets Keras do while it builds and fills a model from outside."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras

from attention_zoo.presets.card import PresetError

#: Keras builds some layers more than once to make one of them, those of Bidirectional for instance.
_BUILT_AGAIN = 4
#: Calls of layers and operations: a model of thousands, or a short one that is nested in itself.
_CALLS = 5_000
_LOCK = threading.RLock()


@contextlib.contextmanager
def _checked(owner: type, method: str, check: Callable[..., None]) -> Iterator[None]:
    """Call `check` before each call of a method by this thread, with the same arguments."""
    thread = threading.get_ident()

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == thread:
            check(self, *args, **kwargs)
        return original(self, *args, **kwargs)

    with _LOCK:
        original = getattr(owner, method)
        setattr(owner, method, call)
        try:
            yield
        finally:
            setattr(owner, method, original)


@contextlib.contextmanager
def budget(parameters: int, path: Path) -> Iterator[None]:
    """Limit the weights and the calls of layers of a model that is built within.

    Raises:
        PresetError: before a weight is made that exceeds `parameters`, naming its layer and
            shape, and for a model whose building calls its layers without end.
    """
    spent = calls = 0

    def weight(layer: keras.layers.Layer, shape: Any = None, *args: Any, **kwargs: Any) -> None:
        nonlocal spent
        spent += math.prod(shape or ())
        if spent > _BUILT_AGAIN * parameters:
            raise PresetError(
                f"{path} describes a model of more than the {parameters} parameters that its "
                f"card says: its layer {layer.name!r} wants a weight of shape {shape}."
            )

    def call(operation: keras.Operation, *args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > _CALLS:
            raise PresetError(
                f"{path} describes a model that needs more than {_CALLS} calls of layers to "
                f"be made; the last was of {operation.name!r}."
            )

    # Keras has no limits of this kind: every weight is made and every layer called by these two
    layer = keras.layers.Layer
    with _checked(layer, "add_weight", weight), _checked(keras.Operation, "__call__", call):
        yield


@contextlib.contextmanager
def same_dtypes(path: Path) -> Iterator[None]:
    """Refuse numbers of one kind for a weight of another, which Keras would cast.

    Quantized numbers belong where the config says that a layer is quantized, and nowhere else.

    Raises:
        PresetError: which names the weight.
    """
    refusals: list[PresetError] = []

    def assign(weight: keras.Variable, value: Any) -> None:
        stored, wanted = _kind(getattr(value, "dtype", weight._dtype)), _kind(weight._dtype)
        if stored != wanted:
            message = f"{path} holds {stored} numbers for the weight {weight.path!r}, which has"
            refusals.append(PresetError(f"{message} {wanted} ones."))
            raise refusals[0]

    with _checked(keras.Variable, "assign", assign):
        try:
            yield
        except ValueError as error:
            # Keras collects the errors of its layers and raises another one
            raise refusals[0] if refusals else error from error


def _kind(dtype: Any) -> str:
    name = keras.backend.standardize_dtype(dtype)
    if name in ("int8", "uint8", "int4", "uint4"):
        return name
    return "floating" if "float" in name else "whole"
