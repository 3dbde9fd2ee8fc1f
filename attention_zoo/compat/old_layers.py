"""One layer of Keras 2, from its config and weights, as one of Keras 3 or attention_zoo."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo.compat.attention import Attention
from attention_zoo.compat.keras_multi_head import MultiHeadAttention
from attention_zoo.compat.keras_self_attention import SeqSelfAttention, SeqWeightedAttention
from attention_zoo.core.foreign import Refused
from attention_zoo.presets.config_guard import check_config

#: Layers whose arguments and arithmetic are the same in Keras 2 and 3.
_LAYERS = """
Activation Add BatchNormalization Bidirectional Concatenate Conv1D Dense Dropout Embedding Flatten
GRU GlobalAveragePooling1D GlobalMaxPooling1D LSTM Masking Multiply Permute RepeatVector Reshape
"""
_SAME = frozenset(_LAYERS.split())
_OLD: dict[str, Callable[..., keras.layers.Layer]] = {
    layer.__name__: layer
    for layer in (Attention, MultiHeadAttention, SeqSelfAttention, SeqWeightedAttention)
}
#: Where each weight of an old layer goes, by the last part of its name; None if it is left out.
_PLACES = {
    "luong_w": "score_kernel",
    "bahdanau_w1": "query_kernel",
    "bahdanau_w2": "key_kernel",
    "bahdanau_v": "score_vector",
    "attention_vector": "output_kernel",
    "Add_Wt": "query_kernel",
    "Add_Wx": "key_kernel",
    "Add_bh": "score_bias",
    "Add_Wa": "score_vector",
    "Add_ba": None,
    "Mul_Wa": "score_kernel",
    "Mul_ba": None,
    "W": "queries",
    "b": None,
    "Wq": "query_kernel",
    "bq": "query_bias",
    "Wk": "key_kernel",
    "bk": "key_bias",
    "Wv": "value_kernel",
    "bv": "value_bias",
    "Wo": "output_kernel",
    "bo": "output_bias",
}
#: What tells an old package's layer from Keras's of the same name.
_MARK = {"Attention": "score", "MultiHeadAttention": "head_num"}
#: Not `hard_sigmoid`, whose slope is 1/5 in Keras 2 and 1/6 in Keras 3.
_WORDS = "linear relu tanh sigmoid softmax elu selu softplus softsign exponential swish silu gelu"
_ACTIVATIONS = frozenset(_WORDS.split())
#: Arguments that Keras 3 has no use for, and that change no result.
_DROPPED = {"batch_input_shape", "implementation", "input_length"}
_BASE = {"name", "trainable", "dtype", "activity_regularizer"}


def translate(class_name: Any, config: Mapping[str, Any], path: Path) -> keras.layers.Layer:
    """Return an old layer as one of Keras 3 or of attention_zoo.

    Raises:
        ValueError: for a class, an argument or an activation that has no counterpart.
        PresetError: for an initializer, regularizer or constraint that is not Keras's own.
    """
    arguments = dict(config)
    if "dtype" in arguments:
        arguments["dtype"] = _dtype(arguments["dtype"])
    check_config({k: v for k, v in arguments.items() if k not in ("layer", "backward_layer")}, path)
    if class_name in _OLD and _MARK.get(class_name, "name") in arguments:
        arguments.pop("return_attention", None)
        arguments.pop("batch_input_shape", None)
        return _OLD[class_name](**arguments)
    if class_name not in _SAME:
        raise Refused(
            f"The layer {config.get('name')!r} of {path} is of the class {class_name!r}, which "
            "migrate does not know or does not run. Rebuild that model in Keras 3 by hand. Known: "
            f"{', '.join(sorted((*_SAME, *_OLD)))}; Attention is that of the package `attention`, "
            "MultiHeadAttention that of keras-multi-head"
        )
    return getattr(keras.layers, class_name)(**_arguments(class_name, arguments, path))


def _arguments(class_name: str, config: dict[str, Any], path: Path) -> dict[str, Any]:
    known = set(inspect.signature(getattr(keras.layers, class_name).__init__).parameters) | _BASE
    arguments: dict[str, Any] = {}
    for name, value in config.items():
        if name.endswith("activation") and str(value) not in _ACTIVATIONS:
            raise Refused(
                f"The layer {config.get('name')!r} of {path} has {name}={value!r}, which Keras 3 "
                f"computes in another way or not at all. Known: {', '.join(sorted(_ACTIVATIONS))}"
            )
        if name in ("layer", "backward_layer") and isinstance(value, Mapping):
            value = translate(value["class_name"], value["config"], path)
        if name in known:
            arguments[name] = value
        elif name not in _DROPPED and value not in (None, False):
            raise Refused(
                f"The layer {config.get('name')!r} of {path} has {name}={value!r}, for which "
                f"{class_name} of Keras 3 has no counterpart."
            )
    if class_name == "GRU":
        arguments.setdefault("reset_after", False)  # the default of the first Keras 2
    if class_name == "BatchNormalization" and isinstance(arguments.get("axis"), list):
        (arguments["axis"],) = arguments["axis"]
    return arguments


def _dtype(value: Any) -> str:
    name = value["config"]["name"] if isinstance(value, Mapping) else value
    if name not in ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"):
        raise Refused(f"Unknown dtype of an old layer. Received: {name!r}")
    return name


def carry(old: Mapping[str, np.ndarray], layer: keras.layers.Layer, path: Path) -> None:
    """Copy an old layer's weights into the new one, each under its name and of its shape.

    Raises:
        ValueError: for a weight that is missing, of another name or of another shape.
    """
    wanted = [(variable.name, tuple(variable.shape)) for variable in layer.weights]
    if type(layer).__module__.startswith("attention_zoo."):
        weights = _renamed(old, layer, path)
        order = [name for name, _ in wanted]
        weights.sort(key=lambda pair: [*order, pair[0]].index(pair[0]))
    else:
        weights = [(name.partition(":")[0].rpartition("/")[2], w) for name, w in old.items()]
    received = [(name, tuple(weight.shape)) for name, weight in weights]
    if received != wanted:
        raise Refused(
            f"The weights of the layer {layer.name!r} of {path} are not those that "
            f"{type(layer).__name__} needs, {wanted}. Received: {received}"
        )
    layer.set_weights([weight for _, weight in weights])


def _renamed(
    old: Mapping[str, np.ndarray], layer: keras.layers.Layer, path: Path
) -> list[tuple[str, np.ndarray]]:
    renamed = []
    for name, weight in old.items():
        parts = name.partition(":")[0].split("/")
        last = parts[-2] if parts[-1] == "kernel" else parts[-1].removeprefix(f"{layer.name}_")
        if last not in _PLACES:
            raise Refused(f"Unknown weight {name!r} of the layer {layer.name!r} of {path}.")
        place = _PLACES[last]
        if last == "luong_w":
            weight = weight.T
        if place == "score_vector" and weight.ndim == 2 and weight.shape[1] == 1:
            weight = weight[:, 0]
        if place is not None:
            renamed.append((place, weight))
    return renamed
