"""Factories and the blueprint that each model they build carries."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np

from attention_zoo import layers
from attention_zoo.catalog import LAYERS, MODELS
from attention_zoo.core import arrays
from attention_zoo.core.registry import one_of
from attention_zoo.layers.many_to_one import ManyToOneAttention

#: The dtype policies that a model may be built with, by name.
POLICIES = ("float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64")


class Blueprint(NamedTuple):
    """What `build` needs to make the same architecture again: a name and plain JSON values."""

    architecture: str
    config: dict[str, Any]


_blueprints: WeakKeyDictionary[keras.Model, Blueprint] = WeakKeyDictionary()


def register_model(name: str) -> Callable[[Callable[..., keras.Model]], Callable[..., keras.Model]]:
    """Make a factory known to `build` under `name`; its models remember how they were built."""

    def decorate(factory: Callable[..., keras.Model]) -> Callable[..., keras.Model]:
        signature = inspect.signature(factory)

        @functools.wraps(factory)
        def build_one(*args: Any, **config: Any) -> keras.Model:
            policy = config.pop("dtype", None)
            for argument in config:
                if argument not in signature.parameters:
                    known = [*signature.parameters, "dtype"]
                    raise one_of(f"argument of {name!r}", argument, known)
            # Keras takes NumPy's numbers for none
            bound = signature.bind(*arrays.plain(args), **arrays.plain(config))
            bound.apply_defaults()
            values = dict(bound.arguments)
            with _dtype(policy) as dtype:
                if values["attention"] is not None:
                    given = values["attention"]
                    values["attention"] = _attention(given, values.get("bidirectional"))
                model = factory(**values)
            if values["attention"] is not None:
                values["attention"] = layers.describe(values["attention"])
            values["input_shape"] = list(values["input_shape"])
            values["dtype"] = dtype
            _blueprints[model] = Blueprint(name, values)
            return model

        MODELS.add(name, build_one)
        return build_one

    return decorate


@contextmanager
def _dtype(policy: str | None) -> Iterator[str]:
    """Layers made in the block have the dtype policy of this name; by default the process's own."""
    before = keras.config.dtype_policy()
    if policy is None:
        yield before.name
        return
    if policy not in POLICIES:
        raise one_of("dtype", policy, POLICIES)
    keras.config.set_dtype_policy(policy)
    try:
        yield policy
    finally:
        keras.config.set_dtype_policy(before)


def _attention(attention: Any, bidirectional: bool | None) -> keras.layers.Layer:
    """The layer, called "attention" where the user gave it no name.

    One that is not given as a layer, and whose query is the last state, knows whether that state
    has two halves.
    """
    if isinstance(attention, str):
        attention = {"class_name": attention}
    if isinstance(attention, Mapping) and isinstance(attention.get("config", {}), Mapping):
        given = {"name": "attention", **attention.get("config", {})}
        name = str(attention.get("class_name"))
        if bidirectional and name in LAYERS and issubclass(LAYERS.get(name), ManyToOneAttention):
            given.setdefault("bidirectional", True)
        attention = {**attention, "config": given}
    return layers.get(attention)


def build(architecture: str, **config: Any) -> keras.Model:
    """A new model of a registered architecture, with random weights.

    Args:
        architecture: a name from `list_models()`.
        **config: the factory's arguments, `input_shape` and `attention` first of all: see
            `attention_zoo.models` for each. Every factory also takes `dtype`, the name of the
            dtype policy of its layers, such as `"mixed_float16"`; by default
            `keras.config.dtype_policy()`.

    Returns:
        An ordinary functional `keras.Model`, not compiled.

    Raises:
        ValueError: for an unknown architecture or argument (the nearest is suggested), or an
            attention layer that does not fit the architecture's shapes.

    Example:

    >>> model = az.build("lstm_after", input_shape=(20, 2), attention="temporal", outputs=1)
    >>> model.output_shape
    (None, 1)
    """
    if "input_shape" not in config and architecture in MODELS:
        raise ValueError(
            f"`input_shape` is missing: the sizes of one sample, such as (20, 2) for 20 steps of "
            f"2 features. Received: build({architecture!r}) without it"
        )
    return MODELS.get(architecture)(**config)


def takes(architecture: str, argument: str) -> bool:
    """Whether a factory has an argument of that name."""
    return argument in inspect.signature(MODELS.get(architecture)).parameters


def blueprint(model: keras.Model) -> Blueprint:
    """How a model was built; ValueError if none of our factories built it."""
    try:
        return _blueprints[model]
    except (KeyError, TypeError):
        raise ValueError(
            f"{getattr(model, 'name', model)!r} was not built by `attention_zoo.build`, so its "
            "architecture is not known. Save it as an ordinary file: model.save('model.keras')"
        ) from None


def constants(model: keras.layers.Layer) -> list[list[Any]]:
    """What compiled code holds as constants: the mean and variance of each `Normalization`, and
    which layers are quantized or have LoRA factors. What was compiled with others is of another
    model."""
    found: list[list[Any]] = []
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            found.append(
                [np.array(keras.ops.convert_to_numpy(value)).tolist() for value in layer.variables]
            )
        lora, mode = getattr(layer, "lora_enabled", False), layer.quantization_mode
        if lora or mode is not None:
            found.append([layer.name, mode, lora])
    return found


def copy_weights(weights: list[Any], model: keras.layers.Layer) -> Any:
    """Give a model or a layer the weights that `get_weights` of one of the same shape returned."""
    model.set_weights(weights)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # its mean and variance are derived from the weights
    return model
