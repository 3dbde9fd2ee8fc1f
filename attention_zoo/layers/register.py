"""Make classes known to Keras's serialization and to the registry of layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras

from attention_zoo.catalog import LAYERS
from attention_zoo.core import arrays
from attention_zoo.layers.arguments import arguments_of

Class = TypeVar("Class", bound=type)


def serializable(cls: Class, package: str = "attention_zoo") -> Class:
    """Register a class with Keras as `package>ClassName`; a key taken by another is refused."""
    key = f"{package}>{cls.__name__}"
    taken = keras.saving.get_registered_object(key)
    if taken is not None and taken is not cls:
        raise ValueError(f"The serialization key {key!r} is taken by {taken.__module__}.")
    return keras.saving.register_keras_serializable(package)(cls)


def register(name: str, *, package: str = "attention_zoo") -> Callable[[Class], Class]:
    """Make an attention layer loadable by Keras and known as `name` to `layers.get` and `build`.

    Args:
        name: the registry name.
        package: the serialization package; give your own for your own layers.

    Returns:
        A class decorator.

    Raises:
        ValueError: for a name or a serialization key that is taken.

    Example:

    >>> @az.layers.register("mine", package="my_project")
    ... class MyAttention(az.layers.FeatureAttention):
    ...     pass
    """

    def decorate(cls: Class) -> Class:
        LAYERS.add(name, cls)
        return serializable(cls, package)

    return decorate


def get(layer: str | Mapping[str, Any] | keras.layers.Layer, **kwargs: Any) -> keras.layers.Layer:
    """An attention layer from its name, its config or itself.

    Args:
        layer: a registry name such as `"temporal"`; a dictionary
            `{"class_name": name or class name, "config": {...}}`, which is what `describe` and
            `keras.layers.serialize` return; or a registered layer, returned as it is.
        kwargs: arguments of the layer, for a name.

    Returns:
        The layer, not built yet unless it was given.

    Raises:
        ValueError: for an unknown name, with the nearest known one, or a missing argument.
        TypeError: for anything that is none of the three, or an argument that the layer lacks.

    Example:

    >>> az.layers.get("pooling", hops=2).hops
    2
    """
    if isinstance(layer, keras.layers.Layer) and not kwargs:
        return layer
    if isinstance(layer, Mapping) and not kwargs:
        if set(layer) - {"registered_name", "module", "build_config"} - {"class_name", "config"}:
            raise ValueError(
                "A layer's dictionary has the keys 'class_name' and 'config'. "
                f"Received: {sorted(map(str, layer))}"
            )
        name = str(layer.get("class_name"))
        known = {LAYERS.target(n): n for n in LAYERS.names()}
        name = known.get(name, name)
        config = arrays.plain(dict(layer.get("config") or {}))
        return _needing(name, config).from_config(config)
    if isinstance(layer, str):
        config = arrays.plain(kwargs)
        return _needing(layer, config)(**config)
    raise TypeError(
        "`layer` must be a name, a dictionary with 'class_name' and 'config', or an attention "
        f"layer. Received: {layer!r}" + (f" with {sorted(kwargs)}" if kwargs else "")
    )


def attention_config(attention: Any, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The dictionary of an attention layer, as `describe` returns it, with changed arguments.

    Args:
        attention: the layer's name, its dictionary or itself, as `get` takes them.
        changes: arguments that replace those of the layer.
    """
    if isinstance(attention, keras.layers.Layer):
        attention = describe(attention)
    elif isinstance(attention, str):
        attention = {"class_name": attention}
    return {**attention, "config": {**(attention.get("config") or {}), **(changes or {})}}


def _needing(name: str, config: Mapping[str, Any]) -> Any:
    """The class of that name; ValueError if the config lacks an argument that has no default."""
    cls = LAYERS.get(name)
    for argument, parameter in arguments_of(cls).items():
        if parameter.default is parameter.empty and argument not in config:
            raise ValueError(
                f"The layer {name!r} has no default for `{argument}`: give "
                f"{{'class_name': {name!r}, 'config': {{{argument!r}: ...}}}}, or the layer itself."
            )
    return cls


def describe(layer: keras.layers.Layer) -> dict[str, Any]:
    """The dictionary from which `get` makes the same layer.

    Args:
        layer: a registered attention layer.

    Returns:
        `{"class_name": registry name, "config": {...}}`, of plain JSON values.

    Raises:
        ValueError: for a layer that is not registered.

    Example:

    >>> az.layers.describe(az.layers.TemporalAttention())["class_name"]
    'temporal'
    """
    name = LAYERS.name_of(type(layer))
    if name is None:
        raise ValueError(
            f"{type(layer).__name__} is not a registered attention layer. Register it with "
            f"`attention_zoo.layers.register`. Known: {', '.join(LAYERS.names())}"
        )
    return {"class_name": name, "config": keras.saving.serialize_keras_object(layer)["config"]}
