"""A `.keras` file from outside, under the same guard as a preset."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import keras

from attention_zoo.core import foreign, npz, strict_json
from attention_zoo.presets.build_guard import budget, same_dtypes
from attention_zoo.presets.card import PresetError
from attention_zoo.presets.config_guard import check_config
from attention_zoo.presets.data_guard import check_weights

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
_ENCRYPTED = 1
_ENTRIES = {"metadata.json", CONFIG, WEIGHTS}


def load_archive(path: Path) -> keras.Model:
    """Return the model in a `.keras` file, not compiled.

    Raises:
        FileNotFoundError: if there is no file at the path.
        PresetError: if it holds other files, packed ones, other classes than attention_zoo's and
            Keras's own, or a model larger than its weights.
    """
    with foreign.opened(path, what=".keras file", links=True, error=PresetError) as file:
        with npz.archive_of(file) as archive, tempfile.TemporaryDirectory() as scratch:
            config = _config(archive, path)
            numbers = check_weights(Path(archive.extract(WEIGHTS, scratch)), said=path)
        if str(config.get("module")).startswith("tf_keras."):
            raise PresetError(
                f"{path} was saved by Keras 2. Convert it with: "
                f"attention-zoo migrate {path} NEW.keras"
            )
        check_config({k: v for k, v in config.items() if k != "compile_config"}, path)
        described = foreign.parsing(path, what="model", error=PresetError)
        with described, budget(numbers, path), same_dtypes(path):
            return keras.models.load_model(path, compile=False, safe_mode=True)


def _config(archive: zipfile.ZipFile, path: Path) -> dict:
    entries = archive.infolist()
    if len(entries) != len(_ENTRIES) or {entry.filename for entry in entries} != _ENTRIES:
        raise PresetError(
            f"{path} must hold {', '.join(sorted(_ENTRIES))} and nothing else. "
            f"Received: {', '.join(sorted(entry.filename for entry in entries))[:200]}. A file of "
            "your own, with a vocabulary in it, is read by keras.models.load_model."
        )
    for entry in entries:
        check_entry(entry, path)
    with foreign.parsing(f"{path}: {CONFIG}", what="JSON", error=PresetError):
        config = strict_json.parse(archive.read(CONFIG))
        if not isinstance(config, dict):
            raise ValueError("it must be an object")
    return config


def check_entry(entry: zipfile.ZipInfo, path: Path) -> None:
    """Refuse a packed file in an archive, or a description that is longer than sensible."""
    packed = entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size
    if packed or entry.flag_bits & _ENCRYPTED:
        raise PresetError(f"{path}: {entry.filename} is packed or locked, as Keras does not.")
    if entry.filename != WEIGHTS and entry.file_size > foreign.JSON_LIMIT:
        raise PresetError(f"{path}: {entry.filename} has more than {foreign.JSON_LIMIT} bytes.")
