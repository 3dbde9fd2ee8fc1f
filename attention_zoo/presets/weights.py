"""A model's weights, and what was done to its layers: quantization and LoRA factors.

Weights are written to memory first: HDF5 ends the process where its disk is full.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from attention_zoo.layers.traversal import all_layers
from attention_zoo.presets.card import PresetError

#: Where the weights' file has the LoRA factors, which Keras would merge into the kernels.
_LORA = "lora"
_FACTORS = ("lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b")
_KEYS = {"index", "name", "quantization", "lora"}
_MODES = ("int8", "int4", "float8")


class _Memory(io.BytesIO):
    """A file in memory with a name that Keras takes for one of weights."""

    def __str__(self) -> str:
        return "memory.weights.h5"


def weights_bytes(model: keras.Model) -> bytes:
    """Return what `model.save_weights` would write to a `.weights.h5`."""
    memory = _Memory()
    model.save_weights(memory)
    return memory.getvalue()


def load_weights_bytes(model: keras.Model, data: bytes) -> None:
    """Load what `weights_bytes` made of a model like this one, strictly as Keras does."""
    model.load_weights(_Memory(data))


def preset_weights(model: keras.Model) -> bytes:
    """Return the bytes of a preset's `.weights.h5`, LoRA factors beside their kernels."""
    tuned = _with_lora(model)
    for layer in tuned.values():
        layer.lora_enabled = False
    try:
        data = weights_bytes(model)
    finally:
        for layer in tuned.values():
            layer.lora_enabled = True
    if not tuned:
        return data
    memory = io.BytesIO(data)
    with h5py.File(memory, "a") as file:
        for where, _, factor in _factors(tuned):
            file[where] = factor.numpy()
    return memory.getvalue()


def load_factors(model: keras.Model, path: Path) -> None:
    """Load the LoRA factors of a model whose kernels were loaded.

    Raises:
        PresetError: if the file does not hold them.
    """
    tuned = _with_lora(model)
    if not tuned:
        return
    with h5py.File(path, "r") as file:
        for where, layer, factor in _factors(tuned):
            stored = file.get(where)
            if not isinstance(stored, h5py.Dataset) or stored.shape != tuple(factor.shape):
                raise PresetError(
                    f"{path} must hold {where} of shape {tuple(factor.shape)}: {layer.name!r} "
                    "has LoRA factors."
                )
            factor.assign(stored[()])


def changes(model: keras.Model, bare: keras.Model) -> list[dict[str, Any]]:
    """Return what `change` has to do to `bare`, made of the model's config, as plain values.

    Raises:
        ValueError: if `bare` has other layers.
    """
    rows = []
    for index, (layer, other) in enumerate(_pairs(model, bare)):
        row: dict[str, Any] = {}
        if _mode(layer) != _mode(other):
            row["quantization"] = {
                "mode": _mode(layer),
                "config": keras.saving.serialize_keras_object(layer.quantization_config),
            }
        if _has_lora(layer) and _lora(layer) != _lora(other):
            row["lora"] = _lora(layer)
        if row:
            rows.append({"index": index, "name": layer.name, **row})
    return rows


def change(model: keras.Model, rows: Any) -> keras.Model:
    """Quantize a model's layers and give them LoRA factors, as `changes` found it.

    Raises:
        ValueError: for rows that are no such changes of this model.
    """
    layers = weighted(model)
    if not isinstance(rows, list):
        raise ValueError("`layers` must be a list")
    for row in rows:
        if not isinstance(row, dict) or not {"index", "name"} <= set(row) <= _KEYS:
            raise ValueError(f"a change of a layer must have some of {sorted(_KEYS)}")
        index = row["index"]
        if type(index) is not int or not 0 <= index < len(layers):
            raise ValueError(f"there is no layer {index!r} to change")
        layer = layers[index]
        if layer.name != row["name"]:
            raise ValueError(f"layer {index} is {layer.name!r}, not {row['name']!r}")
        if "quantization" in row:
            _quantize(layer, **row["quantization"])
        if "lora" in row:
            _enable_lora(layer, **row["lora"])
    return model


def _quantize(layer: keras.layers.Layer, mode: Any, config: Any) -> None:
    if mode not in _MODES:
        raise ValueError(f"the quantization {mode!r} is not one of {', '.join(_MODES)}")
    layer.quantize(mode, config=keras.saving.deserialize_keras_object(config))


def _enable_lora(layer: keras.layers.Layer, rank: Any, lora_alpha: Any) -> None:
    if type(rank) is not int or rank < 1 or type(lora_alpha) not in (int, float):
        raise ValueError(f"there is no LoRA of rank {rank!r} and alpha {lora_alpha!r}")
    if not layer.lora_enabled:
        layer.enable_lora(rank, lora_alpha=lora_alpha)
    elif layer.lora_rank == rank:
        layer.lora_alpha = lora_alpha  # Keras forgets it where a config enables LoRA
    else:
        raise ValueError(f"the LoRA of {layer.name!r} has the rank {layer.lora_rank!r}")


def transfer(source: keras.layers.Layer, target: keras.layers.Layer) -> Any:
    """Copy the weights of a model or layer into one of the same config, and return that.

    Raises:
        ValueError: if the two do not have the same weights.
    """
    for layer, other in _pairs(source, target):
        weights, places = _own_weights(layer), _own_weights(other)
        if _described(weights) != _described(places):
            raise ValueError(
                f"its layer {layer.name!r} has weights of {_described(weights)}; made again from "
                f"its config, of {_described(places)}"
            )
        for weight, place in zip(weights, places, strict=True):
            place.assign(weight.numpy())
        if isinstance(other, keras.layers.Normalization):
            other.finalize_state()  # its mean and variance are derived from the weights
    return target


def weighted(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers with weights that are not those of a layer in them, in Keras's order."""
    return [layer for layer in all_layers(model) if _own_weights(layer)]


def _pairs(
    model: keras.layers.Layer, other: keras.layers.Layer
) -> Iterator[tuple[keras.layers.Layer, keras.layers.Layer]]:
    layers, others = weighted(model), weighted(other)
    if len(layers) != len(others):
        raise ValueError(
            f"it has {len(layers)} layers with weights; made again from its config, {len(others)}"
        )
    return zip(layers, others, strict=True)


def _own_weights(layer: keras.layers.Layer) -> list[Any]:
    """Return the weights of a layer itself, not of the layers in it."""
    inside = {id(weight) for sub in all_layers(layer, include_self=False) for weight in sub.weights}
    own = [weight for weight in layer.weights if id(weight) not in inside]
    # A layer that is built quantized makes its weights in another order than one that becomes it
    changed = _mode(layer) is not None or _has_lora(layer)
    return sorted(own, key=lambda weight: weight.name) if changed else own


def _described(weights: list[Any]) -> list[tuple[str, tuple]]:
    return [(str(weight.dtype), tuple(weight.shape)) for weight in weights]


def _mode(layer: keras.layers.Layer) -> str | None:
    return getattr(layer, "quantization_mode", None)


def _has_lora(layer: keras.layers.Layer) -> bool:
    return bool(getattr(layer, "lora_enabled", False))


def _lora(layer: keras.layers.Layer) -> dict[str, Any] | None:
    return {"rank": layer.lora_rank, "lora_alpha": layer.lora_alpha} if _has_lora(layer) else None


def _with_lora(model: keras.Model) -> dict[int, keras.layers.Layer]:
    return {i: layer for i, layer in enumerate(weighted(model)) if _has_lora(layer)}


def _factors(tuned: dict[int, keras.layers.Layer]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the place in the file, the layer and the variable of each LoRA factor."""
    for index, layer in tuned.items():
        for name in _FACTORS:
            if hasattr(layer, name):
                yield f"{_LORA}/{index}/{name}", layer, getattr(layer, name)
