"""A Sequential or functional model of Keras 2, layer by layer, in Keras 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from attention_zoo.compat.old_layers import carry, translate
from attention_zoo.compat.old_model import OldModel
from attention_zoo.core.foreign import Refused, parsing
from attention_zoo.layers.multi_head import MultiHeadAttention
from attention_zoo.presets.build_guard import budget


def rebuild(old: OldModel) -> keras.Model:
    """Return the model in Keras 3 with the old weights.

    Raises:
        ValueError: for a model that is neither Sequential nor functional, or a layer, a call or a
            weight that has no counterpart.
    """
    builders = {"Sequential": _sequential, "Functional": _functional, "Model": _functional}
    if old.class_name not in builders:
        raise Refused(
            f"{old.path} holds a model of the class {old.class_name!r}. migrate reads Sequential "
            "and functional ones, without code of their own."
        )
    with (
        parsing(old.path, what="description of a model"),
        budget(old.numbers, old.path),
    ):
        model = builders[old.class_name](old)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            carry(old.weights.get(layer.name, {}), layer, old.path)
    unknown = {name for name, weights in old.weights.items() if weights}
    unknown -= {layer.name for layer in model.layers}
    if unknown:
        raise Refused(f"{old.path} has weights of no layer: {', '.join(sorted(unknown))}")
    return model


def _sequential(old: OldModel) -> keras.Model:
    layers = []
    for number, entry in enumerate(old.config["layers"]):
        config = entry["config"]
        if number == 0 and entry["class_name"] != "InputLayer" and "batch_input_shape" in config:
            layers.append(keras.Input(batch_shape=config["batch_input_shape"]))
        layers.append(
            _input(config, old)
            if entry["class_name"] == "InputLayer"
            else translate(entry["class_name"], config, old.path)
        )
        if config.get("return_attention"):
            raise Refused(f"{config['name']!r} returns its attention in a Sequential model.")
    model = keras.Sequential(layers, name=old.config.get("name"))
    if not model.built:
        raise Refused(
            f"{old.path} does not say what its input is. In the old environment call the model "
            "once, or build it with model.build(shape), and save it again."
        )
    return model


def _functional(old: OldModel) -> keras.Model:
    tensors: dict[tuple[str, int], list] = {}
    layers: dict[str, keras.layers.Layer] = {}
    waiting = []
    for entry in old.config["layers"]:
        name = entry["config"]["name"]
        if entry["class_name"] == "InputLayer":
            tensors[name, 0] = [_input(entry["config"], old)]
            continue
        layers[name] = translate(entry["class_name"], entry["config"], old.path)
        scores = bool(entry["config"].get("return_attention"))
        waiting += [(name, at, node, scores) for at, node in enumerate(entry["inbound_nodes"])]
    while waiting:
        ready = [w for w in waiting if all((str(k[0]), k[1]) in tensors for k in w[2])]
        if not ready:
            raise Refused(f"{old.path}: the layer {waiting[0][0]!r} has an input from nowhere.")
        for name, at, node, scores in ready:
            inputs = [_tensor(tensors, key, old) for key in node]
            asked = {"return_attention_scores": True} if scores else {}
            done = _call(layers[name], inputs, asked)
            tensors[name, at] = list(done) if isinstance(done, (tuple, list)) else [done]
        waiting = [w for w in waiting if w not in ready]
    ends = [
        [_tensor(tensors, key, old) for key in _keys(old.config[side])]
        for side in ("input_layers", "output_layers")
    ]
    inputs, outputs = (end[0] if len(end) == 1 else end for end in ends)
    return keras.Model(inputs, outputs, name=old.config.get("name"))


def _call(layer: keras.layers.Layer, inputs: list, asked: dict[str, bool]) -> Any:
    if isinstance(layer, MultiHeadAttention) and len(inputs) == 3:
        query, key, value = inputs
        return layer(query, value, key)
    return layer(inputs[0] if len(inputs) == 1 else inputs, **asked)


def _keys(keys: list) -> list:
    return [keys] if keys and isinstance(keys[0], str) else keys


def _tensor(tensors: Mapping[tuple[str, int], list], key: list, old: OldModel) -> Any:
    name, node, place, *arguments = key
    given = {k: v for k, v in (arguments[0] if arguments else {}).items() if v is not None}
    if given:
        raise Refused(
            f"{old.path}: what follows the layer {name!r} is called with {sorted(given)}, which "
            "migrate does not read."
        )
    return tensors[name, node][place]


def _input(config: Mapping[str, Any], old: OldModel) -> Any:
    if config.get("sparse") or config.get("ragged"):
        raise Refused(f"{old.path}: the input {config['name']!r} is sparse or ragged.")
    return keras.Input(
        batch_shape=config["batch_input_shape"], dtype=config.get("dtype"), name=config.get("name")
    )
