"""From a model to a folder, whole or not at all."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.core import files
from attention_zoo.explain.scores import watch
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.presets.card import Card, FileEntry
from attention_zoo.presets.folder import CARD, CONFIG, GOLDEN, VOUCHED, WEIGHTS
from attention_zoo.version import __version__

GOLDEN_SAMPLES = 8


def save(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    examples: Any = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a model as a preset: a folder that `load` turns into the same model anywhere.

    The folder takes its place when it is whole; whatever interrupts the saving, the old folder
    stays.

    Args:
        model: a model that `build`, `load` or `train` made.
        path: where the folder goes.
        examples: a few inputs, whose outputs are kept so that `load(..., verify=True)` can
            compare; by default seeded noise.
        about: fields of the `Card` to fill: `recipe`, `kind`, `classes`, `names`, `scores`,
            `study`, `license`, `provenance`.
        overwrite: whether a preset that is there may be replaced.

    Returns:
        The path.

    Raises:
        ValueError: if the model was not built by a factory of ours.
        FileExistsError: if something is there and `overwrite` is false.

    Example:

    >>> model = az.build("dense", input_shape=(5,))
    >>> az.save(model, "my_preset").name
    'my_preset'
    """
    plan = models.blueprint(model)
    about = {
        "license": "not stated",
        "provenance": "saved with attention_zoo.save",
        **(about or {}),
    }
    path = Path(path)
    if path.is_dir() and any(path.iterdir()) and not (path / CARD).is_file() and overwrite:
        raise FileExistsError(f"{path} holds other files, not a preset: it is kept as it is.")
    with files.new_folder(path, overwrite=overwrite) as folder:
        config = {"architecture": plan.architecture, "config": plan.config}
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
        # A copy, since a compiled model would save its optimizer as well
        bare = models.build(plan.architecture, **plan.config)
        models.copy_weights(model.get_weights(), bare).save_weights(folder / WEIGHTS)
        _write_golden(folder / GOLDEN, model, examples)
        entries = {
            name: FileEntry(sha256=files.sha256(folder / name), size=(folder / name).stat().st_size)
            for name in VOUCHED
        }
        card = Card(
            architecture=plan.architecture,
            parameters=model.count_params(),
            versions=versions(),
            files=entries,
            **about,
        )
        (folder / CARD).write_text(
            card.model_dump_json(indent=1, exclude_none=True) + "\n", "utf-8"
        )
    return path


def _write_golden(path: Path, model: keras.Model, examples: Any) -> None:
    if examples is None:
        shape = [16 if size is None else size for size in model.input_shape[1:]]
        examples = np.random.default_rng(0).normal(size=(GOLDEN_SAMPLES, *shape))
    x = np.asarray(examples, "float32")[:GOLDEN_SAMPLES]
    np.savez(path, allow_pickle=False, x=x, **golden_outputs(model, x))


def golden_outputs(model: keras.Model, x: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs that a preset is verified by: the predictions `y` and each layer's scores."""
    if not any(isinstance(layer, AttentionLayer) for layer in model.layers):
        return {"y": model.predict(x, verbose=0)}
    seen = watch(model, x)
    scores = {f"scores.{name}": value for name, value in seen["scores"].items()}
    return {"y": seen["predictions"], **scores}


def versions() -> dict[str, str]:
    """The versions that a model was made with."""
    return {
        "attention_zoo": __version__,
        "python": platform.python_version(),
        "keras": keras.version(),
        "backend": keras.backend.backend(),
        keras.backend.backend(): importlib.metadata.version(keras.backend.backend()),
    }
