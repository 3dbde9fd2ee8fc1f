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
from attention_zoo.presets.keras_classes import KERAS_CLASSES

#: What Keras raises of a config that describes no model.
BROKEN = (
    TypeError, ValueError, KeyError, AttributeError, RecursionError, NotImplementedError,
)  # fmt: skip
#: Values that Keras writes in a config as if they were classes.
_PLAIN = {"__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__"}
#: Those of them that are arrays, and the dtypes that take no more room than what is written.
_ARRAYS = {"__numpy__", "__tensor__"}
_DTYPES = {
    "bool", "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
}  # fmt: skip
#: Keras's own layers that take words in this argument, or the name of a file with words.
_WORDS = "vocabulary"
_OURS = "attention_zoo>"


def check_config(value: Any, path: Path) -> None:
    """Refuse a config that names any class but ours and Keras's own, whatever its depth.

    A class is named by a dictionary with `class_name`, or by a string that Keras would look up
    among the classes that somebody registered, such as `"userlib>Thing"` for an initializer.

    Raises:
        PresetError: which says what was named.
    """
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_config(item, path)
    elif isinstance(value, dict):
        if "class_name" in value:
            _check_class(value, path)
        if isinstance(value.get(_WORDS), str):
            raise PresetError(
                f"{path} names the file {value[_WORDS]!r} for `{_WORDS}`. A preset reads no file "
                "but its own: give the words as a list."
            )
        for key, item in value.items():
            check_config(key, path)
            check_config(item, path)


def _is_ours(found: Any) -> bool:
    return getattr(found, "__module__", "").startswith("attention_zoo.")


def _check_text(text: str, path: Path) -> None:
    """Refuse a string under which somebody else registered a class or function with Keras.

    All strings are looked at, since it is up to each class which of its arguments it looks up.
    """
    found = keras.saving.get_registered_object(text)
    if found is not None and not _is_ours(found):
        raise PresetError(
            f"{path} names the class {text!r}, registered by the module "
            f"{getattr(found, '__module__', None)!r}. A preset may name attention_zoo's and "
            "Keras's own classes only."
        )


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
    if name in _PLAIN and module in (None, "builtins", "keras"):
        _check_array(name, value.get("config"), path)
        return
    ours = [text for text in (name, registered) if text is not None and text.startswith(_OURS)]
    if ours:
        # Keras looks up the registered name first: what stands under it must be ours as well
        others = registered is not None and not registered.startswith(_OURS)
        if others or not all(_is_ours(keras.saving.get_registered_object(text)) for text in ours):
            raise refusal
        return
    if registered not in (None, name):
        raise refusal
    if module is None:
        if name not in LAYERS and not any(name in names for names in KERAS_CLASSES.values()):
            raise refusal
    elif name not in KERAS_CLASSES.get(module, ()) and not _is_operation(name, module):
        raise refusal


def _check_array(name: str, config: Any, path: Path) -> None:
    dtype = config.get("dtype") if isinstance(config, dict) else None
    if name in _ARRAYS and dtype not in _DTYPES:
        raise PresetError(
            f"{path} has an array of dtype {dtype!r}. It must be one of: "
            f"{', '.join(sorted(_DTYPES))}."
        )


def _is_operation(name: str, module: str) -> bool:
    """Whether it is one of Keras's operations, in the module that defines it."""
    found = getattr(sys.modules.get(module), name, None)
    return (
        module.startswith("keras.src.ops.")
        and isinstance(found, type)
        and issubclass(found, keras.Operation)
        and found.__module__ == module
    )


#: Keras builds some layers more than once to make one of them, those of Bidirectional for instance.
_BUILT_AGAIN = 4
#: Calls of layers and operations: a model of thousands, or a short one that is nested in itself.
_CALLS = 5_000
_BUILDING = threading.RLock()


@contextlib.contextmanager
def budget(parameters: int, path: Path) -> Iterator[None]:
    """Refuse, before it is made, the weight with which a model would exceed `parameters`, and a
    model whose making calls its layers without end.

    Raises:
        PresetError: which names the layer and the weight's shape.
    """
    mine = threading.get_ident()
    spent = calls = 0

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

    def called(self: keras.Operation, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        if threading.get_ident() == mine:
            calls += 1
            if calls > _CALLS:
                raise PresetError(
                    f"{path} describes a model that needs more than {_CALLS} calls of layers to "
                    f"be made; the last was of {self.name!r}."
                )
        return call(self, *args, **kwargs)

    # Every layer makes its weights by the one method, none has them before it, and is called by
    # the other, as every operation is
    with _BUILDING:
        add_weight, call = keras.layers.Layer.add_weight, keras.Operation.__call__
        keras.layers.Layer.add_weight, keras.Operation.__call__ = counted, called
        try:
            yield
        finally:
            keras.layers.Layer.add_weight, keras.Operation.__call__ = add_weight, call
