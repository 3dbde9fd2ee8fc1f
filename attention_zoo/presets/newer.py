"""A config that a newer Keras wrote, for the one that is here."""

from __future__ import annotations

import inspect
from typing import Any

import keras

#: Where Keras adds arguments between its versions to classes that take no others.
_ROOMS = {
    "keras.initializers": keras.initializers,
    "keras.regularizers": keras.regularizers,
    "keras.constraints": keras.constraints,
}


def without_unknown(value: Any) -> Any:
    """The config, checked, without arguments of Keras's initializers, regularizers and constraints
    that are None and that this Keras does not know: such change nothing."""
    if isinstance(value, list):
        return [without_unknown(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: without_unknown(item) for key, item in value.items()}
    config = found.get("config")
    if found.get("module") in _ROOMS and isinstance(config, dict):
        kind = getattr(_ROOMS[found["module"]], found["class_name"])
        known = inspect.signature(kind).parameters
        found["config"] = {k: v for k, v in config.items() if v is not None or k in known}
    return found
