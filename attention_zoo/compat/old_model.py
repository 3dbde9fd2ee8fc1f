"""What a model saved by Keras 2 in HDF5 says, read as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from attention_zoo.core import strict_json
from attention_zoo.core.foreign import JSON_LIMIT, Refused, parsing
from attention_zoo.presets.card import PresetError
from attention_zoo.presets.data_guard import check_weights

#: How an HDF5 file begins.
_MAGIC = b"\x89HDF\r\n\x1a\n"
#: The most layers of a model, each of which takes time to build.
_LAYERS = 1000


@dataclass(frozen=True, eq=False)
class OldModel:
    """A model of Keras 2: its class and config, and the weights of each layer by their names."""

    path: Path
    class_name: str
    config: dict[str, Any]
    weights: dict[str, dict[str, np.ndarray]]
    numbers: int


def read(file: BinaryIO, path: Path) -> OldModel:
    """Return the model in an .h5 file that `model.save` of Keras 2 wrote.

    Args:
        file: from `foreign.opened`, which translates what is raised here.
        path: where it is.

    Raises:
        ValueError: if it is no such file, or holds weights alone.
        PresetError: if it holds links, packed data or anything but numbers.
    """
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise Refused(
            f"{path} is neither an HDF5 nor a .keras file. Load it in the old environment and "
            "save it with model.save('old.h5')."
        )
    numbers = check_weights(path, below="model_weights")
    with h5py.File(file, "r") as old:
        if "model_config" not in old.attrs or "model_weights" not in old:
            raise Refused(
                f"{path} holds no model, weights at most. Save the whole model in the old "
                "environment with model.save('old.h5')."
            )
        text = old.attrs["model_config"]
        data = text.encode("utf-8") if isinstance(text, str) else bytes(text)
        described = parse(data, path, "model_config")
        config = check_layers(described, path, "model_config")
        groups = old["model_weights"]
        weights = {name: _arrays(groups[name], path) for name in _names(groups, "layer_names")}
    return OldModel(path, described["class_name"], config, weights, numbers)


def parse(data: bytes, path: Path, where: str) -> Any:
    """Return the JSON that an old file holds, under limits."""
    if len(data) > JSON_LIMIT:
        raise Refused(f"{path}: its {where} has more than {JSON_LIMIT} bytes.")
    with parsing(f"{path}: its {where}", what="JSON"):
        return strict_json.parse(data)


def check_layers(described: Any, path: Path, where: str) -> dict[str, Any]:
    """Return the config of a described model, whose `layers` is a list."""
    if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
        raise Refused(f"{path}: its {where} must be an object with a 'class_name'.")
    config = described.get("config")
    # Early Keras 2 wrote the layers of a Sequential as a bare list
    if isinstance(config, list):
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise Refused(f"{path}: its {where} lists no layers.")
    if len(config["layers"]) > _LAYERS:
        raise Refused(
            f"{path}: its {where} lists {len(config['layers'])} layers, more than the {_LAYERS} "
            "allowed."
        )
    return config


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """Return the names in an attribute, which Keras splits into `name0`, `name1` if it is long."""
    if attribute in group.attrs:
        parts = [group.attrs[attribute]]
    else:
        parts = []
        while f"{attribute}{len(parts)}" in group.attrs:
            parts.append(group.attrs[f"{attribute}{len(parts)}"])
    names = [n.decode("utf-8") if isinstance(n, bytes) else str(n) for part in parts for n in part]
    outside = [name for name in names if name.startswith("/")]
    if outside:
        raise PresetError(f"The old file: {outside[0]!r} lies outside of {group.name}.")
    return names


def _arrays(group: h5py.Group, path: Path) -> dict[str, np.ndarray]:
    names = _names(group, "weight_names")
    for name in names:
        if not isinstance(group.get(name), h5py.Dataset):
            raise Refused(f"{path}: the weight {name!r} of {group.name} is not in the file.")
    return {name: group[name][()] for name in names}
