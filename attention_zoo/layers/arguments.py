"""The arguments of layers: which there are, how saved files call them, and what an error says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import keras

from attention_zoo.core.registry import nearest

_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_WORD = re.compile(r"\b(str|Spec)\b")
#: What `keras.layers.Layer` takes beside the arguments in its signature.
_KERAS_EXTRA = ("input_shape", "input_dim")

#: Former name -> name. Saved files keep the former one, and are read by `from_saved`.
RENAMED = {"heads": "num_heads", "kv_heads": "num_key_value_heads", "causal": "use_causal_mask"}

#: Keras's name of the same thing, in its attention layers -> (name, a remark).
_KERAS_NAMES = {
    "num_query_heads": ("num_heads", ""),
    "head_dim": ("key_dim", ""),
    "output_shape": ("output_dim", ", an integer"),
    "score_mode": ("score", ""),
    "sliding_window": ("window", ", which is sliding_window - 1"),
}
_NO_COUNTERPART = {
    "attention_axes": "Sequences have one time axis. For (batch, space, time, features) wrap the "
    "layer in keras.layers.TimeDistributed; to attend over several axes, keras.layers.Reshape "
    "makes one of them.",
    "flash_attention": "Fused kernels are used by themselves where they compute the same.",
}


def arguments_of(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments that the constructors of a class and of its bases name."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        for name, parameter in inspect.signature(base.__init__).parameters.items():
            if name != "self" and parameter.kind not in _ANY:
                found.setdefault(name, parameter)
    return found


def refuse_unknown(cls: type, given: Mapping[str, Any]) -> None:
    """Raise TypeError for an argument that a layer does not have; it names the one that is meant.

    A former name, or one of Keras's attention layers, is answered with the name of today.
    """
    known = arguments_of(cls)
    for name, value in given.items():
        if name in known or name in _KERAS_EXTRA:
            continue
        meant, remark = _KERAS_NAMES.get(name, (RENAMED.get(name, name), ""))
        if meant in known:
            hint = f" Use `{meant}`{remark}."
        elif meant in inspect.signature(cls.call).parameters:  # type: ignore[attr-defined]
            hint = f" `{meant}` is an argument of the call: layer(..., {meant}={value!r})."
        else:
            hint = f" {_NO_COUNTERPART[name]}" if name in _NO_COUNTERPART else nearest(name, known)
        raise TypeError(
            f"{cls.__name__} has no argument `{name}`.{hint} Known: {', '.join(sorted(known))}. "
            f"Received: {name}={value!r}"
        )


def from_saved(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a layer as a saved config has them, under the names of today.

    Keras's reader of .h5 puts a function in the place of a word that names one: `keras.layers.dot`
    for "dot", and what the user gave it as `custom_objects` for any other. Words they become again.
    """
    known = arguments_of(cls)
    found = {name if name in known else RENAMED.get(name, name): v for name, v in config.items()}
    functions = {name: value for name, value in found.items() if inspect.isfunction(value)}
    if functions:
        with keras.saving.custom_object_scope({}) as scope:
            named = {**vars(keras.layers), **keras.saving.get_custom_objects(), **scope.backup}
        words = {value: word for word, value in named.items() if inspect.isfunction(value)}
        for name, value in functions.items():
            if name in known and _WORD.search(str(known[name].annotation)):
                found[name] = words.get(value, value)
    return found
