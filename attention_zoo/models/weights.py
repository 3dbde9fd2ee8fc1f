"""The weights of models that compiled code is shared by."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.layers.traversal import all_layers


def constants(model: keras.layers.Layer) -> list[list[Any]]:
    """What compiled code holds as constants: the mean and variance of each `Normalization`, and
    which layers are quantized or have LoRA factors. What was compiled with others is of another
    model.

    Args:
        model: a built model.

    Returns:
        A list of JSON values, one for each such layer; empty if there is none.

    Example:

    >>> az.models.constants(az.build("dense", input_shape=(5,)))
    []
    """
    found: list[list[Any]] = []
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Normalization):
            found.append(
                [np.array(keras.ops.convert_to_numpy(value)).tolist() for value in layer.variables]
            )
        lora, mode = getattr(layer, "lora_enabled", False), layer.quantization_mode
        if lora or mode is not None:
            found.append([layer.name, mode, lora])
    return found


def copy_weights(weights: list[Any], model: keras.layers.Layer) -> Any:
    """Give a model or a layer the weights that `get_weights` of one of the same shape returned.

    Args:
        weights: arrays, as `get_weights` returns them.
        model: the model or layer that receives them.

    Returns:
        The same `model`.

    Example:

    >>> one, other = (az.build("dense", input_shape=(5,)) for _ in range(2))
    >>> az.models.copy_weights(one.get_weights(), other) is other
    True
    """
    model.set_weights(weights)
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # its mean and variance are derived from the weights
    return model
