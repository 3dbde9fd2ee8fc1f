"""What is compiled of a model, kept for as long as the model lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import keras

from attention_zoo.models.weights import constants

_Made = TypeVar("_Made")


class ModelCache(Generic[_Made]):
    """Values by model, made again once the model has another graph or other constants.

    A value must not hold its model, which it would keep alive.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[keras.Model, dict[Hashable, Any]] = WeakKeyDictionary()

    def get(self, model: keras.Model, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """The value of that key, from `make` if there is none, or one of the model as it was."""
        graph = model.outputs[0] if getattr(model, "outputs", None) else None
        known, now = self._known.setdefault(model, {}), constants(model)
        made, of, before = known.get(key, (None, None, None))
        if before != now or of is not graph:
            made = make()
            known[key] = made, graph, now
        return made
