"""What a stranger's config may describe: our classes and Keras's own, of the size it says."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from attention_zoo.catalog import LAYERS
from attention_zoo.presets.card import PresetError

#: What Keras raises of a config that describes no model.
BROKEN = (
    TypeError, ValueError, KeyError, AttributeError, RecursionError, NotImplementedError,
)  # fmt: skip
#: Keras's own layers that run code or read files of somebody's choosing.
_NO_LAYERS = {"Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
#: Where Keras's own classes live, by the module that a config names.
_ROOMS = (
    "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints",
    "keras.dtype_policies", "keras.activations", "keras.models", "keras",
    "keras.quantizers",
)  # fmt: skip
#: Values that Keras writes in a config as if they were classes.
_PLAIN = {"__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__"}


def check_config(value: Any, path: Path) -> None:
    """Refuse a config that names any class but ours and Keras's own, whatever its depth.

    Raises:
        PresetError: which says what was named.
    """
    if isinstance(value, list):
        for item in value:
            check_config(item, path)
    elif isinstance(value, dict):
        if "class_name" in value:
            _check_class(value, path)
        for item in value.values():
            check_config(item, path)


def _check_class(value: dict[str, Any], path: Path) -> None:
    name, module = value["class_name"], value.get("module")
    registered = value.get("registered_name")
    refusal = PresetError(
        f"{path} names the class {name!r}"
        + (f" of the module {module!r}" if module is not None else "")
        + (f", registered as {registered!r}" if registered not in (None, name) else "")
        + ". A preset may name attention_zoo's and Keras's own classes only, and none that runs "
        "code of its own."
    )
    strings = (str, type(None))
    if not isinstance(name, str) or not isinstance(module, strings):
        raise refusal
    if not isinstance(registered, strings):
        raise refusal
    if (name, module) == ("Functional", "keras.src.models.functional"):
        return
    if name in _PLAIN and module in (None, "builtins", "keras"):
        return
    ours = name if name.startswith("attention_zoo>") else registered
    if isinstance(ours, str) and ours.startswith("attention_zoo>"):
        found = keras.saving.get_registered_object(ours)
        # What stands under our name must be ours, and be what Keras would look up
        if getattr(found, "__module__", "").startswith("attention_zoo."):
            return
        raise refusal
    if registered not in (None, name):
        raise refusal
    if module is None and name in LAYERS:
        return
    if module is not None and module.startswith("keras.src.ops.") and _is_operation(name, module):
        return
    if name in _NO_LAYERS or name.startswith("_") or (module is not None and module not in _ROOMS):
        raise refusal
    rooms = _ROOMS if module is None else (module,)
    if not any(_is_class(room, name) for room in rooms):
        raise refusal


def _is_class(room: str, name: str) -> bool:
    home: Any = keras
    for part in room.split(".")[1:]:
        home = getattr(home, part)
    return isinstance(getattr(home, name, None), type)


def _is_operation(name: str, module: str) -> bool:
    found = getattr(sys.modules.get(module), name, None)
    return isinstance(found, type) and issubclass(found, keras.Operation)


#: Keras builds some layers more than once to make one of them, those of Bidirectional for instance.
_BUILT_AGAIN = 4
_BUILDING = threading.RLock()


@contextlib.contextmanager
def budget(parameters: int, path: Path) -> Iterator[None]:
    """Refuse, before it is made, the weight with which a model would exceed `parameters`.

    Raises:
        PresetError: which names the layer and the weight's shape.
    """
    mine = threading.get_ident()
    spent = 0

    def counted(self: keras.layers.Layer, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        nonlocal spent
        if threading.get_ident() == mine:
            spent += math.prod(shape or ())
            if spent > _BUILT_AGAIN * parameters:
                raise PresetError(
                    f"{path} describes a model of more than the {parameters} parameters that its "
                    f"card says: its layer {self.name!r} wants a weight of shape {shape}."
                )
        return add_weight(self, shape, *args, **kwargs)

    # Every layer makes its weights by this one method, and none has them before it
    with _BUILDING:
        add_weight = keras.layers.Layer.add_weight
        keras.layers.Layer.add_weight = counted
        try:
            yield
        finally:
            keras.layers.Layer.add_weight = add_weight
