"""What a model saved by Keras 2 in a `.keras` file says, read as data."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from attention_zoo.compat.old_model import OldModel, check_layers, parse
from attention_zoo.core import npz
from attention_zoo.core.foreign import Refused, parsing
from attention_zoo.presets.archive import CONFIG, WEIGHTS, check_entry
from attention_zoo.presets.data_guard import check_weights

_ENTRIES = ("metadata.json", CONFIG, WEIGHTS)
#: The weights of a layer in the order in which they are stored, by the group that holds them.
_ORDER: dict[str, dict[str, tuple[str, ...]]] = {
    "Dense": {"": ("kernel", "bias")},
    "Conv1D": {"": ("kernel", "bias")},
    "Embedding": {"": ("embeddings",)},
    "BatchNormalization": {"": ("gamma", "beta", "moving_mean", "moving_variance")},
    "LSTM": {"cell": ("kernel", "recurrent_kernel", "bias")},
    "GRU": {"cell": ("kernel", "recurrent_kernel", "bias")},
    "Attention": {
        "luong_w": ("luong_w/kernel",),
        "bahdanau_w1": ("bahdanau_w1/kernel",),
        "bahdanau_w2": ("bahdanau_w2/kernel",),
        "bahdanau_v": ("bahdanau_v/kernel",),
        "w_c": ("attention_vector/kernel",),
    },
    "SeqSelfAttention": {"": ("Add_Wt", "Add_Wx", "Add_bh", "Add_Wa", "Add_ba")},
    "SeqWeightedAttention": {"": ("W", "b")},
    "MultiHeadAttention": {"": ("Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo")},
}
#: Without which argument which of these weights is not there.
_UNLESS = {
    "gamma": "scale",
    "beta": "center",
    "Add_bh": "use_additive_bias",
    "Add_ba": "use_attention_bias",
    "Mul_ba": "use_attention_bias",
    **dict.fromkeys(("bias", "b", "bq", "bk", "bv", "bo"), "use_bias"),
}
#: Names that packages share with layers of Keras's own.
_OURS = ("Attention", "MultiHeadAttention")
#: Whose classes a description may mean, by the first part of their module.
_PACKAGES = {"keras", "tf_keras", "attention", "keras_self_attention", "keras_multi_head"}


def read(file: BinaryIO, path: Path) -> OldModel:
    """Return the model in a `.keras` file that `model.save` of Keras 2 wrote.

    Whatever else is in it, such as an optimizer's state, is not opened.

    Args:
        file: from `foreign.opened`, which translates what is raised here.
        path: what errors call the file.

    Raises:
        ValueError: if it is no such file, or one of Keras 3, which needs no migration.
        PresetError: if its weights are packed, links or anything but numbers.
    """
    with npz.archive_of(file) as archive:
        missing = set(_ENTRIES) - set(archive.namelist())
        if missing:
            raise Refused(f"{path} is no .keras file: it lacks {', '.join(sorted(missing))}")
        for name in _ENTRIES:
            check_entry(archive.getinfo(name), path)
        saved_by, described = (parse(archive.read(n), path, n) for n in _ENTRIES[:2])
        _check_version(saved_by, path)
        with tempfile.TemporaryDirectory() as scratch:
            return _model(path, described, Path(archive.extract(WEIGHTS, scratch)))


def _check_version(saved_by: Any, path: Path) -> None:
    version = str(saved_by.get("keras_version") if isinstance(saved_by, Mapping) else None)
    if not version.startswith("2."):
        raise Refused(
            f"{path} was saved by Keras {version[:20]}, not by Keras 2: there is nothing to "
            "migrate. attention_zoo.load or keras.saving.load_model reads a file of Keras 3."
        )


def _model(path: Path, described: Any, weights: Path) -> OldModel:
    config = check_layers(described, path, CONFIG)
    for entry in config["layers"]:
        _qualify(entry, path)
    numbers = check_weights(weights, below="layers", said=path)
    with h5py.File(weights, "r") as file:
        if not isinstance(file.get("layers"), h5py.Group):
            raise Refused(
                f"{path} keeps its weights in another way than the last versions of Keras 2. In "
                "the old environment save the model with model.save('old.h5')."
            )
        with parsing(path, what="model"):
            found = dict(_stored(file["layers"], config["layers"], path))
    return OldModel(path, described["class_name"], config, found, numbers)


def _qualify(entry: Any, path: Path) -> None:
    """Rename what is called like a layer of Keras's, but is not one, wrapped or not."""
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        raise Refused(f"{path}: its {CONFIG} does not describe its layers.")
    module, registered = str(entry.get("module") or ""), entry.get("registered_name")
    package, name = module.partition(".")[0], entry["class_name"]
    own = package in ("keras", "tf_keras")
    if package not in _PACKAGES or registered not in (None, name) or (own and name in _OURS):
        entry["class_name"] = f"{module}.{name}" if module else str(registered)
    for inner in ("layer", "backward_layer"):
        if isinstance(entry.get("config"), dict) and isinstance(entry["config"].get(inner), dict):
            _qualify(entry["config"][inner], path)


def _stored(group: h5py.Group, entries: list, path: Path) -> Any:
    """Yield each layer's name and its weights; the groups are named by class and order."""
    uses: Counter[str] = Counter()
    for entry in entries:
        short = _snake(re.split("[.>]", entry["class_name"])[-1])
        place = f"{short}_{uses[short]}" if uses[short] else short
        uses[short] += 1
        if isinstance(group.get(place), h5py.Group):
            kind, config = entry["class_name"], entry["config"]
            yield config["name"], _weights(group[place], kind, config, path)


def _weights(group: h5py.Group, kind: str, config: Mapping, path: Path) -> dict[str, np.ndarray]:
    if kind == "Bidirectional":
        inner = config["layer"]
        return {
            f"{side}/{name}": array
            for side in ("forward_layer", "backward_layer")
            for name, array in _weights(
                group[side], inner["class_name"], inner["config"], path
            ).items()
        }
    found: dict[str, np.ndarray] = {}
    for place, names in _ORDER.get(kind, {}).items():
        if kind == "SeqSelfAttention" and config.get("attention_type") == "multiplicative":
            names = ("Mul_Wa", "Mul_ba")
        names = tuple(n for n in names if config.get(_UNLESS.get(n, ""), True))
        home = group.get(f"{place}/vars" if place else "vars")
        arrays = [] if home is None else [np.asarray(home[str(i)]) for i in range(len(home))]
        if home is not None and len(arrays) != len(names):
            raise Refused(
                f"The layer {config.get('name')!r} of {path} has {len(arrays)} weights in "
                f"{home.name}, where {kind} has {', '.join(names)}."
            )
        found.update(zip(names, arrays, strict=False))
    return found


def _snake(name: str) -> str:
    """Return `GlobalMaxPooling1D` as `global_max_pooling1d`, as Keras names its groups."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
