"""From a folder to the same model, or an error that says what is wrong."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import keras

from attention_zoo import models
from attention_zoo.core import checks
from attention_zoo.presets import hub
from attention_zoo.presets.archive import load_archive
from attention_zoo.presets.card import Card, PresetError
from attention_zoo.presets.changed import change, changes, load_factors, transfer, weighted
from attention_zoo.presets.config_guard import BROKEN, budget, check_config
from attention_zoo.presets.data_guard import check_weights, same_dtypes
from attention_zoo.presets.folder import CONFIG, GOLDEN, WEIGHTS, checked, find, read_json
from attention_zoo.presets.golden import verify as replay
from attention_zoo.presets.newer import without_unknown
from attention_zoo.presets.plan import KERAS, of_format, realize
from attention_zoo.presets.steady import steady


def load(
    name: str | os.PathLike,
    *,
    verify: bool = False,
    outputs: int | None = None,
    activation: Any = None,
) -> keras.Model:
    """A trained model, by its name or from a folder.

    Args:
        name: `"architecture.tag"`, such as `"lstm_after.planted_step"`; `"architecture"` for its
            default tag; the path of a preset's folder, or of a `.keras` file; or
            `"hf://owner/name@revision"` on the Hugging Face Hub
            (`pip install 'attention-zoo[hub]'`).
        verify: also replay the preset's stored example and compare predictions and attention
            with what they were when it was saved.
        outputs: how many outputs the model shall have: its last layer, `y`, is then a new one with
            random weights, and all others have the preset's. None for the preset's own.
        activation: of that new layer, such as `"softmax"`.

    Returns:
        A built `keras.Model` with the preset's weights and dtype policy, not compiled.

    Raises:
        ValueError: for an unknown name, with the nearest known one.
        FileNotFoundError: if there is nothing at the path.
        PresetError: if a file is missing or damaged, the weights are not those of the model, or
            the outputs are not the stored ones, or anything is in it that a preset needs not:
            links, other classes than ours and Keras's, packed or outside numbers. No untrained
            model is ever returned, and no code of the preset is run.

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
                "stored example and no architecture of ours."
            )
        return load_archive(Path(name).expanduser())
    if hub.is_address(name):
        folder = hub.fetch(str(name))
        # The Hub's cache has its files as links to where it keeps their contents
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
    """The model with the weights of all its layers but the last."""
    if outputs is None:
        raise ValueError("`activation` is for a new last layer: give `outputs`, its size, too.")
    checks.positive_int("outputs", outputs)
    if card.architecture in KERAS:
        raise ValueError(
            "`outputs` is for models of attention_zoo's factories. "
            f"Received: outputs={outputs!r} for a {card.architecture} model"
        )
    plan = models.blueprint(model)
    twin = realize(plan.architecture, {**plan.config, "outputs": outputs, "activation": activation})
    rows = changes(model, twin)
    last = weighted(twin).index(twin.layers[-1])
    change(twin, [row for row in rows if row["index"] != last])
    for old, new in zip(model.layers[:-1], twin.layers[:-1], strict=True):
        transfer(old, new)
    return twin


def _whole(folder: Path, verify: bool, links_to: Path | None = None) -> tuple[keras.Model, Card]:
    card = checked(folder, links_to=links_to)
    model = load_folder(folder, card)
    if verify:
        replay(model, folder / GOLDEN)
    return model, card


def load_folder(folder: Path, card: Card) -> keras.Model:
    """The model in a folder whose files are those of its card."""
    path = folder / WEIGHTS
    numbers = check_weights(path)
    if card.parameters > numbers:
        raise PresetError(
            f"{path} holds {numbers} numbers; a model of the {card.parameters} parameters that the "
            "card says needs more."
        )
    model = _build(folder, card)
    try:
        with warnings.catch_warnings(), same_dtypes(path):
            # Keras warns and leaves random weights where a file lacks a layer
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
            load_factors(model, path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        first = str(error).strip().partition("\n")[0]
        raise PresetError(f"{path} does not hold the weights of this model: {first}") from error
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
    rows = config.get("layers", [])
    check_config(config["config"], path)
    check_config(rows, path)
    try:
        with budget(card.parameters, path):
            known = without_unknown(config["config"])
            model = realize(card.architecture, of_format(card.format, card.architecture, known))
            change(model, rows)
    except BROKEN as error:
        first = str(error).strip().partition("\n")[0]
        raise PresetError(f"{path} does not describe a model: {first}") from error
    if model.count_params() != card.parameters:
        raise PresetError(
            f"{path} describes a model of {model.count_params()} parameters; the card says "
            f"{card.parameters}."
        )
    return model
