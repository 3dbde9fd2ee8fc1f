"""An explanation as one `.npz`: plain arrays, and what they are as JSON."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from attention_zoo.core import files
from attention_zoo.core.arrays import npz

if TYPE_CHECKING:
    from attention_zoo.explain.explanation import Explanation

#: The version of what is written.
_FORMAT = 1
_PLAIN = ("axes", "attended", "step_names", "feature_names")
_NESTED = ("x", "predictions", "scores", "masks", "truth", "y")


def save(explanation: Explanation, path: str | Path, *, overwrite: bool) -> Path:
    """Write it all, or nothing; ValueError for a path that does not end in .npz."""
    path = _checked(path)
    arrays: list[np.ndarray] = []

    def number(array: Any) -> int:
        arrays.append(np.asarray(array))
        return len(arrays) - 1

    meta = {"format": _FORMAT} | {name: getattr(explanation, name) for name in _PLAIN}
    for name in _NESTED:
        value = getattr(explanation, name)
        meta[name] = None if value is None else keras.tree.map_structure(number, value)
    kinds = {array.dtype.kind for array in arrays} - set("fiubU")
    if kinds:
        raise ValueError(f"Only numbers and text can be saved. Received: dtype kinds {kinds}")
    text = np.frombuffer(json.dumps(meta).encode(), dtype="uint8")
    named: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays)}
    with files.new_file(path, overwrite=overwrite) as scratch:
        scratch.write_bytes(npz({"meta": text, **named}, compressed=True))
    return path


def load(path: str | Path) -> dict[str, Any]:
    """The fields of the explanation; ValueError for a file that holds none."""
    path = files.local_path("path", path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        # Opened here: np.load forgets to close a file that it cannot read
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            meta = json.loads(stored["meta"].tobytes())
            if meta["format"] != _FORMAT:
                raise ValueError(f"of format {meta['format']}, this version reads {_FORMAT}")
            found = {name: meta[name] for name in _PLAIN} | {
                name: _filled(meta[name], stored) for name in _NESTED
            }
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no saved explanation: {error}") from None
    found["axes"] = {layer: tuple(names) for layer, names in found["axes"].items()}
    return found


def _filled(structure: Any, stored: Any) -> Any:
    """The arrays in the places of their numbers."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: _filled(value, stored) for key, value in structure.items()}
    if isinstance(structure, list):
        return [_filled(value, stored) for value in structure]
    return stored[f"a{structure:d}"]


def _checked(path: str | Path) -> Path:
    path = files.local_path("path", path)
    if path.suffix != ".npz":
        raise ValueError(f"`path` must end in .npz. Received: {path}")
    return path
