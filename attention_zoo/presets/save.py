"""From a model to a folder, whole or not at all."""

from __future__ import annotations

import copy
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

from attention_zoo.capture.input_steps import resolution
from attention_zoo.capture.inputs import check_inputs
from attention_zoo.core import arrays, checks, files
from attention_zoo.core.parsing import BROKEN, reason
from attention_zoo.layers.traversal import all_layers
from attention_zoo.models import Blueprint, class_names
from attention_zoo.presets import hub
from attention_zoo.presets.card import Card, FileEntry, PresetError
from attention_zoo.presets.folder import BESIDE, CARD, CONFIG, GOLDEN, VOUCHED, WEIGHTS
from attention_zoo.presets.golden import difference, golden_outputs
from attention_zoo.presets.load import load_folder
from attention_zoo.presets.plan import plan_of, realize
from attention_zoo.presets.weights import change, changes, preset_weights, transfer, weighted
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

    The folder takes its place when it is whole and was loaded back; whatever interrupts the saving,
    the old folder stays. The model keeps its dtype policy, its quantized layers, and its LoRA
    factors, which can be trained further; Keras's own file merges them.

    Args:
        model: a model that `build`, `load` or `train` made, or any functional or Sequential Keras
            model of our layers and Keras's own.
        path: where the folder goes, or `"hf://owner/name"` for the Hugging Face Hub, where it
            becomes one commit (`pip install 'attention-zoo[hub]'`).
        examples: a few inputs, as `predict` takes them, whose outputs are stored so that
            `load(..., verify=True)` can compare; by default seeded noise.
        about: fields of the `Card` to fill: `recipe`, `kind`, `classes`, `names`, `scores`,
            `study`, `published`, `limits`, `license`, `provenance`. A model that was trained on
            labels has its `classes` by itself.
        overwrite: whether a preset that is there may be replaced.

    Returns:
        The path, or the address.

    Raises:
        ValueError: for a model that would not load as it is, such as a subclassed or unbuilt one,
            or one with a `Lambda` or a class of your own, with what to do instead; for a path that
            ends in `.keras`, or an address elsewhere.
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
    stated: dict[str, Any] = {"license": "not stated", "classes": class_names(model)}
    stated["provenance"] = "saved with attention_zoo.save"
    there = {entry.name for entry in path.iterdir()} if path.is_dir() and overwrite else set()
    if there and (CARD not in there or there - {CARD, *VOUCHED, *BESIDE}):
        raise FileExistsError(f"{path} holds other files than a preset's: it is kept as it is.")
    with files.new_folder(path, overwrite=overwrite) as folder:
        for name in there & set(BESIDE):
            shutil.copy2(path / name, folder / name)
        # A copy, since a compiled model would save its optimizer as well
        bare, rows = _copy(model, plan)
        config: dict[str, Any] = {"architecture": plan.architecture, "config": plan.config}
        config |= {"layers": rows} if rows else {}
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
        (folder / WEIGHTS).write_bytes(preset_weights(bare))
        _write_golden(folder / GOLDEN, model, examples)
        entries = {
            name: FileEntry(sha256=files.sha256(folder / name), size=(folder / name).stat().st_size)
            for name in VOUCHED
        }
        made = {
            "parameters": model.count_params(),
            "versions": versions(),
            "files": entries,
            "resolution": resolution(model),
        }
        card = Card(architecture=plan.architecture, **{**made, **stated, **(about or {})})
        text = card.model_dump_json(indent=1, exclude_none=True)
        (folder / CARD).write_text(text + "\n", "utf-8")
        _check_back(model, folder, path, card)
    return path


def _copy(model: keras.Model, plan: Blueprint) -> tuple[keras.Model, list[dict[str, Any]]]:
    """Return the model that the plan makes, with the weights of this one, and what was changed."""
    try:
        # A copy, since Keras changes a config as it reads it
        bare = realize(plan.architecture, copy.deepcopy(plan.config))
        _refuse_shared(model, bare)
        rows = changes(model, bare)
        return transfer(model, change(bare, rows)), rows
    except _Shared:
        raise
    except BROKEN as error:
        raise _no_preset(model, reason(error)) from error


class _Shared(ValueError):
    """A layer of a sub-model is used outside of it too, which no config of Keras's says."""


def _refuse_shared(model: keras.Model, bare: keras.Model) -> None:
    if len(weighted(model)) == len(weighted(bare)):
        return
    users: dict[int, list[str]] = {}
    for parent in all_layers(model):
        for layer in all_layers(parent, include_self=False, recursive=False):
            users.setdefault(id(layer), []).append(parent.name)
    for layer in weighted(model):
        if len(users.get(id(layer), [])) > 1:
            raise _Shared(
                f"The model {model.name!r} cannot be a preset, nor loaded from a .keras file: its "
                f"layer {layer.name!r} is used in {' and in '.join(map(repr, users[id(layer)]))}. "
                "Call the layers of the sub-model in its place, or keep the weights with "
                "model.save_weights('my.weights.h5') and build the model in Python."
            )


def _check_back(model: keras.Model, folder: Path, path: Path, card: Card) -> None:
    """Refuse to keep a folder that `load` would refuse, or turn into another model."""
    try:
        different = difference(load_folder(folder, card), folder / GOLDEN)
        # A model that draws random numbers is not even equal to itself
        if different is None or difference(model, folder / GOLDEN) is not None:
            return
    except PresetError as error:
        raise _no_preset(model, reason(error).replace(str(folder), str(path))) from error
    raise _no_preset(model, f"loaded again, {different.rstrip('.')}")


def _no_preset(model: keras.Model, why: str) -> ValueError:
    return ValueError(
        f"The model {model.name!r} cannot be a preset, since it would not load as it is: {why}. "
        "Save it with model.save('my.keras')"
    )


def _write_golden(path: Path, model: keras.Model, examples: Any) -> None:
    if examples is None:
        rng = np.random.default_rng(0)
        # From 0 to 1, which are tokens that every model has
        examples = [
            rng.random((GOLDEN_SAMPLES, *(16 if size is None else size for size in x.shape[1:])))
            for x in model.inputs
        ]
    else:
        examples = keras.tree.flatten(check_inputs(model, examples))
    inputs = [np.asarray(x, "float32")[:GOLDEN_SAMPLES] for x in examples]
    named = {"x" if len(inputs) == 1 else f"x.{i}": x for i, x in enumerate(inputs, start=1)}
    path.write_bytes(arrays.npz_bytes({**named, **golden_outputs(model, inputs)}))


def versions() -> dict[str, str]:
    """Return the versions of the packages that a model is made with."""
    backend = keras.backend.backend()
    return {
        "attention_zoo": __version__,
        "python": platform.python_version(),
        "keras": keras.version(),
        "backend": backend,
        backend: importlib.metadata.version(backend),
    }
