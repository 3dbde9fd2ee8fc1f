"""From a model to a folder, whole or not at all."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.core import arrays, checks, files
from attention_zoo.explain.inputs import check_inputs
from attention_zoo.explain.watching import has_attention, watch
from attention_zoo.presets import hub
from attention_zoo.presets.card import Card, FileEntry
from attention_zoo.presets.folder import BESIDE, CARD, CONFIG, GOLDEN, VOUCHED, WEIGHTS
from attention_zoo.presets.plan import plan_of, realize
from attention_zoo.presets.weights import weights_bytes
from attention_zoo.version import __version__

GOLDEN_SAMPLES = 8


def save(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    examples: Any = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path | str:
    """Write a model as a preset: a folder that `load` turns into the same model anywhere.

    The folder takes its place when it is whole; whatever interrupts the saving, the old folder
    stays. The model keeps its dtype policy, whatever that of the process that loads it.

    Args:
        model: a model that `build`, `load` or `train` made, or any functional or Sequential Keras
            model of our layers and Keras's own.
        path: where the folder goes, or `"hf://owner/name"` for the Hugging Face Hub, where it
            becomes one commit (`pip install 'attention-zoo[hub]'`).
        examples: a few inputs (for a model of several inputs a list of arrays), whose outputs are
            kept so that `load(..., verify=True)` can compare; by default seeded noise.
        about: fields of the `Card` to fill: `recipe`, `kind`, `classes`, `names`, `scores`,
            `study`, `published`, `limits`, `license`, `provenance`.
        overwrite: whether a preset that is there may be replaced.

    Returns:
        The path, or the address.

    Raises:
        ValueError: for a subclassed or unbuilt model, or one with layers that `load` refuses, such
            as `Lambda`; for a path that ends in `.keras`, or an address elsewhere.
        TypeError: for an `overwrite` that is no boolean, and a path that is none.
        FileExistsError: if something is there and `overwrite` is false.
        OSError: if the disk is full; what was there is kept.

    Example:

    >>> model = az.build("dense", input_shape=(5,))
    >>> az.save(model, "my_preset").name
    'my_preset'
    """
    checks.boolean("overwrite", overwrite)
    if hub.is_address(path):
        hub.parse(str(path))
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "preset"
            save(model, folder, examples=examples, about=about)
            hub.send(folder, str(path), overwrite=overwrite)
        return str(path)
    path = files.local_path("path", path)
    if path.suffix == ".keras":
        raise ValueError(
            "A preset is a folder: leave the ending out. A .keras file is written by "
            f"model.save({str(path)!r}). Received: path={str(path)!r}"
        )
    plan = plan_of(model, path)
    about = {
        "license": "not stated",
        "provenance": "saved with attention_zoo.save",
        **(about or {}),
    }
    found = {entry.name for entry in path.iterdir()} if path.is_dir() and overwrite else set()
    if found and (CARD not in found or found - {CARD, *VOUCHED, *BESIDE}):
        raise FileExistsError(f"{path} holds other files than a preset's: it is kept as it is.")
    with files.new_folder(path, overwrite=overwrite) as folder:
        for name in found & set(BESIDE):
            shutil.copy2(path / name, folder / name)
        config = {"architecture": plan.architecture, "config": plan.config}
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
        # A copy, since a compiled model would save its optimizer as well
        bare = realize(plan.architecture, plan.config)
        models.copy_weights(model.get_weights(), bare)
        (folder / WEIGHTS).write_bytes(weights_bytes(bare))
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
        rng = np.random.default_rng(0)
        # From 0 to 1, so that what are tokens to the model are known ones
        examples = [
            rng.random((GOLDEN_SAMPLES, *(16 if size is None else size for size in x.shape[1:])))
            for x in model.inputs
        ]
    elif len(model.inputs) == 1:
        examples = [examples]
    inputs = [np.asarray(x, "float32")[:GOLDEN_SAMPLES] for x in examples]
    named: dict[str, Any] = {
        "x" if len(inputs) == 1 else f"x.{i}": x for i, x in enumerate(inputs, start=1)
    }
    named |= golden_outputs(model, inputs)
    path.write_bytes(arrays.npz(named))


def golden_outputs(model: keras.Model, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs that a preset is verified by: the predictions `y` and each layer's scores."""
    x = inputs[0] if len(inputs) == 1 else inputs
    scores: dict[str, np.ndarray] = {}
    if has_attention(model):
        seen = watch(model, x)
        predictions = seen.predictions
        scores = {f"scores.{name}": value for name, value in seen.scores.items()}
    else:
        predictions = model.predict(check_inputs(model, x), verbose=0)
    answers = keras.tree.flatten(predictions)
    named = {"y" if len(answers) == 1 else f"y.{i}": y for i, y in enumerate(answers, start=1)}
    return {**named, **scores}


def versions() -> dict[str, str]:
    """The versions that a model was made with."""
    return {
        "attention_zoo": __version__,
        "python": platform.python_version(),
        "keras": keras.version(),
        "backend": keras.backend.backend(),
        keras.backend.backend(): importlib.metadata.version(keras.backend.backend()),
    }
