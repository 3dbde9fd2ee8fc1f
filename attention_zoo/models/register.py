"""Factories and the blueprint that each model they build carries."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras

from attention_zoo import layers
from attention_zoo.catalog import LAYERS, MODELS
from attention_zoo.core import arrays
from attention_zoo.core.registry import one_of
from attention_zoo.layers.many_to_one import ManyToOneAttention
from attention_zoo.layers.register import attention_config

#: The dtype policies that a model may be built with, by name.
POLICIES = ("float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64")


class Blueprint(NamedTuple):
    """What `build` needs to make the same architecture again: a name and plain JSON values.

    Args:
        architecture: the name of a factory, as in `az.list_models()`.
        config: the arguments of the factory, by name.

    Example:

    >>> made = az.models.blueprint(az.build("dense", input_shape=(5,)))
    >>> made.architecture, made.config["input_shape"]
    ('dense', [5])
    """

    architecture: str
    config: dict[str, Any]


#: The arguments of factories that are attention layers, in the order in which they are made.
PLACES = ("attention_before", "attention")

_blueprints: WeakKeyDictionary[keras.Model, Blueprint] = WeakKeyDictionary()


def register_model(
    name: str, signature: inspect.Signature | None = None
) -> Callable[[Callable[..., keras.Model]], Callable[..., keras.Model]]:
    """Make a factory known to `build`; its models remember their name and arguments.

    Without a `signature` it is the factory's, but for arguments with a leading underscore.
    """

    def decorate(factory: Callable[..., keras.Model]) -> Callable[..., keras.Model]:
        own = inspect.signature(factory)
        public = [p for n, p in own.parameters.items() if not n.startswith("_")]
        shown = signature or own.replace(parameters=public)

        @functools.wraps(factory)
        def build_one(*args: Any, **config: Any) -> keras.Model:
            policy = config.pop("dtype", None)
            for argument in config:
                if argument not in shown.parameters:
                    raise _unknown(name, argument, shown, config)
            # Keras takes NumPy's numbers for none
            bound = shown.bind(*arrays.plain(args), **arrays.plain(config))
            bound.apply_defaults()
            values = dict(bound.arguments)
            with _dtype(policy) as dtype:
                for place in [p for p in PLACES if p in values]:
                    values[place] = _attention(values[place], place, values.get("bidirectional"))
                model = factory(**values)
            for place in PLACES:
                if values.get(place) is not None:
                    values[place] = layers.describe(values[place])
            values["input_shape"] = list(values["input_shape"])
            values["dtype"] = dtype
            _blueprints[model] = Blueprint(name, values)
            return model

        vars(build_one)["__signature__"] = shown
        MODELS.add(name, build_one)
        return build_one

    return decorate


def _unknown(name: str, argument: str, shown: inspect.Signature, config: Any) -> ValueError:
    """The error for an argument that the factory lacks, and where it is known instead."""
    error = one_of(f"argument of {name!r}", argument, [*shown.parameters, "dtype"])
    kind = config.get("attention", shown.parameters["attention"].default)
    kind = kind.get("class_name") if isinstance(kind, Mapping) else kind
    if isinstance(kind, str) and kind in LAYERS:
        bases = LAYERS.get(kind).__mro__
        if any(argument in inspect.signature(base.__init__).parameters for base in bases):
            return ValueError(
                f"`{argument}` is an argument of the layer {kind!r}: give attention="
                f"{{'class_name': {kind!r}, 'config': {{{argument!r}: ...}}}}. {error}"
            )
    others = [other for other in MODELS.names() if takes(other, argument)]
    return ValueError(f"{error} It is one of {', '.join(others)}.") if others else error


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


def _attention(attention: Any, name: str, bidirectional: bool | None) -> Any:
    """The layer, with this name unless the user named it, or None.

    A layer that the user gave by name, and whose query is the last state, learns whether that state
    has two halves.
    """
    if attention is None or isinstance(attention, keras.layers.Layer):
        return attention
    if not isinstance(attention, (str, Mapping)):
        return layers.get(attention)  # which says what an attention layer is given as
    attention = attention_config(attention)
    given: dict[str, Any] = {"name": name}
    kind = str(attention.get("class_name"))
    if bidirectional and kind in LAYERS and issubclass(LAYERS.get(kind), ManyToOneAttention):
        given["bidirectional"] = True
    return layers.get({**attention, "config": {**given, **attention["config"]}})


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
    """Whether a factory has an argument of that name.

    Args:
        architecture: the name of a factory, as in `az.list_models()`.
        argument: the name of an argument.

    Returns:
        True if the factory has it.

    Example:

    >>> az.models.takes("gru", "bidirectional"), az.models.takes("dense", "bidirectional")
    (True, False)
    """
    return argument in inspect.signature(MODELS.get(architecture)).parameters


def blueprint(model: keras.Model) -> Blueprint:
    """Return how a model was built.

    Args:
        model: a model from `az.build` or `az.load`.

    Returns:
        A `Blueprint`: the name of the factory and its arguments.

    Raises:
        ValueError: if none of the package's factories built the model.

    Example:

    >>> az.models.blueprint(az.build("dense", input_shape=(5,))).architecture
    'dense'
    """
    try:
        return _blueprints[model]
    except (KeyError, TypeError):
        raise ValueError(
            f"{getattr(model, 'name', model)!r} was not built by `attention_zoo.build`, so its "
            "architecture is not known. Save it as an ordinary file: model.save('model.keras')"
        ) from None
