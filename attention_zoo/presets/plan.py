"""How a model is made again from plain values: by a factory, or from Keras's own config."""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path
from typing import Any

import keras

from attention_zoo import models
from attention_zoo.capture.inputs import check_built
from attention_zoo.catalog import MODELS
from attention_zoo.core.registry import one_of
from attention_zoo.layers.traversal import all_layers
from attention_zoo.presets.card import PresetError
from attention_zoo.presets.config_guard import check_config

#: The architectures that are a whole Keras config, not the arguments of a factory.
KERAS = {"functional": keras.Model, "sequential": keras.Sequential}
#: Arguments of factories that an older format lacks: what its models were built with.
_BEFORE_3 = {"normalize": False, "positions": False}
#: Where Keras adds arguments between its versions to classes that take no others.
_GROWING = {
    "keras.initializers": keras.initializers,
    "keras.regularizers": keras.regularizers,
    "keras.constraints": keras.constraints,
}

_AS_KERAS = "Save it with model.save('my.keras'), which keras.models.load_model reads."


def plan_of(model: keras.Model, path: Path) -> models.Blueprint:
    """Return the architecture and config of a model; raise ValueError if it is made of code.

    A functional or Sequential model that none of our factories built keeps Keras's own config.
    """
    check_built(model)
    with contextlib.suppress(ValueError):
        return models.blueprint(model)
    config = keras.saving.serialize_keras_object(model)
    kinds = {"Functional": "functional", "Sequential": "sequential"}
    if config["class_name"] not in kinds or not config["module"].startswith("keras"):
        raise ValueError(
            f"A preset holds a model of attention_zoo's factories, a functional or a Sequential "
            f"one. {model.name!r} is a {type(model).__name__}: save it with model.save('my.keras')"
        )
    config.pop("compile_config", None)
    try:
        check_config(config, path)
    except PresetError as error:
        raise ValueError(
            f"The model {model.name!r} cannot be a preset, since loading it would be refused: "
            f"{error} {_AS_KERAS}"
        ) from None
    _refuse_words(model)
    return models.Blueprint(kinds[config["class_name"]], config)


def of_format(number: int, architecture: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a preset of that format as this version and this Keras read it."""
    config = _without_unknown(config)
    if number >= 3 or architecture not in MODELS:
        return config
    added = {name: v for name, v in _BEFORE_3.items() if models.takes(architecture, name)}
    return {**added, **config}


def _refuse_words(model: keras.Model) -> None:
    """Refuse a model that takes strings, or knows words that are not in its config."""
    for tensor in model.inputs:
        if tensor.dtype == "string":
            raise ValueError(
                f"The model {model.name!r} cannot be a preset, since its input {tensor.name!r} "
                "takes strings, and a preset holds numbers only: make a preset of the model behind "
                f"its TextVectorization or StringLookup. {_AS_KERAS}"
            )
    for layer in all_layers(model):
        if hasattr(layer, "save_assets") and layer.get_config().get("vocabulary") is None:
            raise ValueError(
                f"The model {model.name!r} cannot be a preset, since the words that its layer "
                f"{layer.name!r} learned in `adapt` are not in its config: make the layer with "
                f"vocabulary=layer.get_vocabulary(). {_AS_KERAS}"
            )


def _without_unknown(value: Any) -> Any:
    """Return the config without arguments of Keras's initializers, regularizers and constraints
    that are None and that only a newer Keras has: they change nothing."""
    if isinstance(value, list):
        return [_without_unknown(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: _without_unknown(item) for key, item in value.items()}
    config = result.get("config")
    if result.get("module") in _GROWING and isinstance(config, dict):
        kind = getattr(_GROWING[result["module"]], result["class_name"])
        known = inspect.signature(kind).parameters
        result["config"] = {k: v for k, v in config.items() if v is not None or k in known}
    return result


def realize(architecture: str, config: dict[str, Any]) -> keras.Model:
    """Return the model that a plan describes, with random weights."""
    if architecture not in KERAS:
        if architecture not in MODELS:
            raise one_of("architecture", architecture, [*MODELS.names(), *KERAS])
        # What was saved before the policy was kept is float32
        return models.build(architecture, **{**config, "dtype": config.get("dtype") or "float32"})
    model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    if not isinstance(model, KERAS[architecture]) or not model.built:
        raise ValueError(f"the config makes no {architecture} model")
    return model
