"""An explanation as one `.npz`: plain arrays, and what they are as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo.core import checks, files, foreign, memory, npz, strict_json
from attention_zoo.core.arrays import npz_bytes

#: The version of what is written.
_FORMAT = 1
_PLAIN = ("axes", "attended", "step_names", "feature_names")
#: What older files of this format lack.
_ADDED = ("output", "class_names")
#: The fields of arrays, and their kinds: inputs and labels may be text.
_KINDS = {
    "x": "fiubU",
    "predictions": "fiub",
    "scores": "fiub",
    "masks": "fiub",
    "truth": "fiub",
    "y": "fiubU",
    "contributions": "fiub",
}
#: The arrays may take one of so many parts of the machine's memory.
_PARTS = 4


def save(fields: dict[str, Any], path: str | Path, *, overwrite: bool) -> Path:
    """Write the fields of an explanation; ValueError for a path that does not end in .npz."""
    path = files.local_path("path", path)
    if path.suffix != ".npz":
        raise ValueError(f"`path` must end in .npz. Received: {path}")
    arrays: list[np.ndarray] = []

    def number(array: Any) -> int:
        arrays.append(np.asarray(array))
        return len(arrays) - 1

    meta = {"format": _FORMAT, **{name: fields[name] for name in (*_ADDED, *_PLAIN)}}
    for name in _KINDS:
        value = fields[name]
        meta[name] = None if value is None else keras.tree.map_structure(number, value)
    kinds = {array.dtype.kind for array in arrays} - set("fiubU")
    if kinds:
        raise ValueError(f"Only numbers and text can be saved. Received: dtype kinds {kinds}")
    text = np.frombuffer(json.dumps(meta).encode(), dtype="uint8")
    named: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays)}
    with files.new_file(path, overwrite=overwrite) as scratch:
        scratch.write_bytes(npz_bytes({"meta": text, **named}, compressed=True))
    return path


def load(path: str | Path, max_bytes: int | None = None) -> dict[str, Any]:
    """The fields of the explanation; ValueError for a file that holds none."""
    checks.positive_int("max_bytes", max_bytes, none=True)
    path = files.local_path("path", path)
    limit = max_bytes or memory.share(_PARTS)
    cure = ". Raise max_bytes if you trust the file"
    with foreign.opened(path, what="saved explanation", links=True) as file:
        arrays = npz.read(file, limit=limit, kinds="fiubU", hint=cure)
        text = arrays.pop("meta").tobytes()
        if len(text) > foreign.RECORDS_LIMIT:
            raise ValueError(f"its description has {len(text):,} bytes")
        meta = strict_json.parse(text)
        if meta["format"] != _FORMAT:
            raise ValueError(f"it is of format {meta['format']}, this version reads {_FORMAT}")
        found = {name: meta[name] for name in _PLAIN} | {
            name: _filled(meta[name], arrays) for name in _KINDS if name != "contributions"
        }
        found |= {name: meta.get(name) for name in _ADDED}
        # Files of earlier versions have none
        found["contributions"] = _filled(meta.get("contributions", {}), arrays)
        _check(found)
    found["axes"] = {layer: tuple(names) for layer, names in found["axes"].items()}
    return found


def _check(found: dict[str, Any]) -> None:
    """ValueError for fields that are not those of an explanation."""
    scores, axes = found["scores"], found["axes"]
    lengths = {}
    for name, kinds in _KINDS.items():
        if found[name] is None and name in ("truth", "y"):
            continue
        arrays = keras.tree.flatten(found[name])
        for array in arrays:
            if array is None or array.dtype.kind not in kinds or not array.ndim:
                kind = "missing" if array is None else f"{array.dtype} {array.shape}"
                raise ValueError(f"its {name} must have numbers for each sample, and is {kind}")
        lengths[name] = {len(array) for array in arrays}
    if not isinstance(scores, dict) or len(lengths["scores"]) != 1:
        raise ValueError("its scores must be those of layers, of as many samples each")
    for name, sizes in lengths.items():
        if sizes - lengths["scores"]:
            raise ValueError(
                f"its {name} is of {min(sizes - lengths['scores'])} samples, its scores are of "
                f"{min(lengths['scores'])}"
            )
    texts = [found["step_names"] or [], found["feature_names"] or [], *axes.values()]
    if not all(isinstance(name, str) for names in texts for name in names):
        raise ValueError("its axes and names must be text")
    if not all(isinstance(name, (str, int, float)) for name in found["class_names"] or []):
        raise ValueError("its class names must be text or numbers")
    for layer, names in axes.items():
        if len(names) != scores[layer].ndim - 1 or found["attended"][layer] not in names:
            raise ValueError(f"its axes of the layer {layer!r} are not those of the scores")
    for name in ("masks", "contributions"):
        if not isinstance(found[name], dict) or set(found[name]) - set(scores):
            raise ValueError(f"it has {name} of layers without scores")
    for layer, array in found["contributions"].items():
        if array.ndim != 3 or array.shape[:2] != scores[layer].shape:
            raise ValueError(f"its contributions of the layer {layer!r} do not fit its scores")


def _filled(structure: Any, stored: Any) -> Any:
    """The arrays in the places of their numbers."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: _filled(value, stored) for key, value in structure.items()}
    if isinstance(structure, list):
        return [_filled(value, stored) for value in structure]
    return stored[f"a{structure:d}"]
