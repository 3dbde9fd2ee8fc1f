"""What a chief leaves in the search's folder for its workers."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np

from attention_zoo.core import files, strict_json
from attention_zoo.core.arrays import npz_bytes
from attention_zoo.data.dataset import Dataset
from attention_zoo.tuning.folder import TuningError
from attention_zoo.version import __version__

CREW = "workers"
_ARGUMENTS, _DATA, _ENDED = "arguments.json", "data.npz", "ended"
_ARRAYS = ("x", "y", "relevance")
_HP = keras_tuner.engine.hyperparameters


def versions() -> dict[str, str]:
    """What must be the same for a chief and its workers, or their figures do not compare."""
    backend = keras.backend.backend()
    return {
        "attention_zoo": __version__,
        "keras": keras.__version__,
        "keras_tuner": importlib.metadata.version("keras-tuner"),
        "backend": f"{backend} {importlib.metadata.version(backend)}",
        "dtype policy": str(keras.config.dtype_policy().name),
    }


@dataclasses.dataclass(frozen=True)
class Assignment:
    """What a worker finds in the folder.

    Attributes:
        token: the search's own; a chief listens to nobody without it.
        arguments: those of `make_plan`.
    """

    token: str
    arguments: dict[str, Any]


def assign(folder: Path, arguments: Mapping[str, Any]) -> str:
    """Write what workers need into the folder, and return the search's token.

    Args:
        folder: of the search.
        arguments: those of `make_plan`.
    """
    crew = folder / CREW
    crew.mkdir(mode=0o700, exist_ok=True)
    (crew / _ENDED).unlink(missing_ok=True)
    # Workers that outlive their chief know the next one by the token
    known = _read(crew / _ARGUMENTS) if (crew / _ARGUMENTS).exists() else {}
    told: dict[str, Any] = {"token": known.get("token") or uuid.uuid4().hex, "versions": versions()}
    plain = dict(arguments)
    data = plain.pop("data")
    plain["space"] = {name: _told(value) for name, value in (plain["space"] or {}).items()}
    told["arguments"], told["data"] = plain, None
    if data is not None:
        fields = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
        arrays = {name: fields.pop(name) for name in _ARRAYS}
        with files.new_file(crew / _DATA, overwrite=True) as scratch:
            scratch.write_bytes(npz_bytes({k: v for k, v in arrays.items() if v is not None}))
        told["data"] = fields
    # The token is for this user's processes alone
    with files.new_file(crew / _ARGUMENTS, overwrite=True, secret=True) as scratch:
        scratch.write_text(
            json.dumps(told, indent=1, default=lambda value: value.item()) + "\n", "utf-8"
        )
    return told["token"]


def assigned(folder: Path) -> bool:
    """Whether a chief has been here."""
    return (folder / CREW / _ARGUMENTS).exists()


def read_assignment(folder: Path) -> Assignment:
    """What the chief wrote.

    Raises:
        TuningError: if it cannot be read, or this process has other versions than the chief.
    """
    told = _read(folder / CREW / _ARGUMENTS)
    _check_versions(told["versions"])
    arguments = told["arguments"]
    arguments["space"] = {name: _heard(value) for name, value in arguments["space"].items()}
    arguments["data"] = None
    if told["data"] is not None:
        with np.load(folder / CREW / _DATA, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        arguments["data"] = Dataset(**{**told["data"], **arrays})
    return Assignment(told["token"], arguments)


def mark_ended(folder: Path) -> None:
    """Tell workers that come late that there is nothing left to do."""
    (folder / CREW / _ENDED).touch()


def ended(folder: Path) -> bool:
    """Whether the search in the folder came to its end."""
    return (folder / CREW / _ENDED).exists()


def _check_versions(theirs: dict[str, str]) -> None:
    for what, own in versions().items():
        if theirs.get(what) != own:
            raise TuningError(
                f"This worker has {what} {own}, its chief has {theirs.get(what)}: their figures "
                "would not compare. Give both the same environment."
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        return strict_json.parse(path.read_bytes())
    except ValueError as error:
        raise TuningError(
            f"{path} cannot be read: {error}. Remove it: the chief writes it anew when it starts."
        ) from None


def _told(value: Any) -> dict[str, Any]:
    """A value of `space` as JSON, which has no tuples."""
    if isinstance(value, _HP.HyperParameter):
        return {"hyperparameter": _HP.serialize(value)}
    if isinstance(value, tuple):
        return {"range": list(value)}
    return {"value": value}


def _heard(told: dict[str, Any]) -> Any:
    if "hyperparameter" in told:
        return _HP.deserialize(told["hyperparameter"])
    return tuple(told["range"]) if "range" in told else told["value"]
