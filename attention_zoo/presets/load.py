"""Load a model from a folder, or raise an error that says what is wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import keras

from attention_zoo import models
from attention_zoo.core import checks
from attention_zoo.core.foreign import parsing
from attention_zoo.models.classes import class_count
from attention_zoo.presets import hub
from attention_zoo.presets.archive import load_archive
from attention_zoo.presets.build_guard import budget, same_dtypes
from attention_zoo.presets.card import Card, PresetError
from attention_zoo.presets.config_guard import check_config
from attention_zoo.presets.data_guard import check_weights
from attention_zoo.presets.folder import CONFIG, GOLDEN, WEIGHTS, checked, find, read_json
from attention_zoo.presets.golden import verify as replay
from attention_zoo.presets.plan import KERAS, of_format, realize
from attention_zoo.presets.weights import change, changes, load_factors, transfer, weighted

#: How often a folder that other processes replace meanwhile is copied before an error is raised.
_COPIES = 20

Value = TypeVar("Value")


def load(
    name: str | os.PathLike,
    *,
    verify: bool = False,
    outputs: int | None = None,
    activation: Any = None,
) -> keras.Model:
    """Load a trained model, by its name or from a folder.

    Args:
        name: `"architecture.tag"`, such as `"lstm_after.planted_step"`; `"architecture"` for its
            default tag; the path of a preset's folder, or of a `.keras` file; or
            `"hf://owner/name@revision"` on the Hugging Face Hub
            (`pip install 'attention-zoo[hub]'`).
        verify: whether the preset's stored inputs are replayed, and predictions and attention
            compared with the stored ones.
        outputs: the size of a new last layer, `y`, with random weights, before which all layers
            keep the preset's. None keeps the preset's last layer.
        activation: the activation of that new layer, such as `"softmax"`.

    Returns:
        A built `keras.Model` with the preset's weights and dtype policy, not compiled.

    Raises:
        ValueError: for an unknown name, with the nearest known one; for `verify`, `outputs` or
            `activation` where they do not apply.
        TypeError: for a `name` that is neither a string nor a path.
        FileNotFoundError: if there is nothing at the path.
        PresetError: if a file is missing or damaged, if the weights or the outputs are not the
            stored ones, or if the preset holds links, other classes than attention_zoo's and
            Keras's, or packed or outside numbers. No untrained model is ever returned, and no code
            of the preset is run.

    Example:

    >>> model = az.load("lstm_after", verify=True)
    >>> model.name, model.input_shape
    ('lstm_after', (None, 20, 2))
    """
    checks.boolean("verify", verify)
    if _is_archive(name):
        if verify or outputs is not None or activation is not None:
            raise ValueError(
                "`verify`, `outputs` and `activation` are for presets. A .keras file has no "
                "stored example and no architecture of attention_zoo."
            )
        return load_archive(Path(name).expanduser())
    if hub.is_address(name):
        folder = hub.fetch(str(name))
        # The files in the Hub's cache are links to where it keeps their contents
        model, card = _whole(folder, verify, folder.parents[1])
    else:
        model, card = steady(lambda: find(name), lambda folder: _whole(folder, verify))
    if outputs is None and activation is None:
        return model
    return _with_new_head(model, card, outputs, activation)


def _is_archive(name: Any) -> bool:
    if not isinstance(name, (str, os.PathLike)) or not os.fspath(name).endswith(".keras"):
        return False
    return not hub.is_address(name) and "\0" not in os.fspath(name) and not Path(name).is_dir()


def _with_new_head(
    model: keras.Model, card: Card, outputs: int | None, activation: Any
) -> keras.Model:
    """Return a model with the weights of all layers of this one but the last."""
    if outputs is None:
        raise ValueError("`activation` is for a new last layer: pass `outputs`, its size, too.")
    checks.positive_int("outputs", outputs)
    if card.architecture in KERAS:
        raise ValueError(
            "`outputs` is for models of attention_zoo's factories. "
            f"Received: outputs={outputs!r} for a {card.architecture} model"
        )
    plan = models.blueprint(model)
    other = realize(
        plan.architecture, {**plan.config, "outputs": outputs, "activation": activation}
    )
    rows = changes(model, other)
    last = weighted(other).index(other.layers[-1])
    change(other, [row for row in rows if row["index"] != last])
    for old, new in zip(model.layers[:-1], other.layers[:-1], strict=True):
        transfer(old, new)
    return other


def _whole(folder: Path, verify: bool, links_to: Path | None = None) -> tuple[keras.Model, Card]:
    card = checked(folder, links_to=links_to)
    model = load_folder(folder, card)
    if verify:
        replay(model, folder / GOLDEN)
    return model, card


def load_folder(folder: Path, card: Card) -> keras.Model:
    """Return the model in a folder whose files are those of its card."""
    path = folder / WEIGHTS
    numbers = check_weights(path)
    if card.parameters > numbers:
        raise PresetError(
            f"{path} holds {numbers} numbers; a model of the {card.parameters} parameters that the "
            "card says needs more."
        )
    model = _build(folder, card)
    with (
        parsing(path, what="file of this model's weights", error=PresetError),
        warnings.catch_warnings(),
        same_dtypes(path),
    ):
        # Keras warns and leaves random weights where a file lacks a layer
        warnings.simplefilter("error", UserWarning)
        model.load_weights(path)
        load_factors(model, path)
    if card.classes and len(card.classes) == class_count(model):
        models.name_classes(model, card.classes)
    return model


def _build(folder: Path, card: Card) -> keras.Model:
    path = folder / CONFIG
    # `checked` has refused links, but for those of the Hub's cache into itself
    config = read_json(path, links=True)
    if not isinstance(config, dict) or set(config) - {"layers"} != {"architecture", "config"}:
        raise PresetError(f"{path} must be an object with 'architecture' and 'config'.")
    if config["architecture"] != card.architecture:
        raise PresetError(
            f"{path} says architecture {config['architecture']!r}, its card {card.architecture!r}."
        )
    check_config(config, path)
    with parsing(path, what="model", error=PresetError), budget(card.parameters, path):
        values = of_format(card.format, card.architecture, config["config"])
        model = change(realize(card.architecture, values), config.get("layers", []))
    if model.count_params() != card.parameters:
        raise PresetError(
            f"{path} describes a model of {model.count_params()} parameters; the card says "
            f"{card.parameters}."
        )
    return model


def steady(where: Callable[[], Path], read: Callable[[Path], Value]) -> Value:
    """Return the value of `read` on a folder; if another process replaces it meanwhile, on a copy.

    Raises:
        PresetError: if it was replaced during each of many copies, too.
    """
    folder = where()
    before = _state(folder)
    try:
        value = read(folder)
    except (PresetError, OSError):
        if _state(folder) == before:
            raise
    else:
        if _state(folder) == before:
            return value
    for _ in range(_COPIES):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / folder.name
            if not _copied(where(), copy):
                continue
            try:
                return read(copy)
            except PresetError as error:
                raise PresetError(str(error).replace(str(copy), str(folder))) from error
    raise PresetError(f"{folder} is replaced again and again while it is read. Try again later.")


def _copied(folder: Path, copy: Path) -> bool:
    """Copy the folder; return False if it was replaced meanwhile."""
    before = _state(folder)
    try:
        shutil.copytree(folder, copy, symlinks=True)
    except OSError:
        if _state(folder) == before:
            raise
    return _state(folder) == before


def _state(folder: Path) -> tuple[int, ...] | None:
    try:
        state = folder.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino, state.st_ctime_ns
