"""From a folder to the same model, or an error that says what is wrong."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.presets.card import Card, PresetError
from attention_zoo.presets.folder import CONFIG, GOLDEN, WEIGHTS, checked, find, read_json
from attention_zoo.presets.save import golden_outputs

#: Two backends may differ by this much in a preset's outputs.
TOLERANCE = 1e-5


def load(name: str | os.PathLike, *, verify: bool = False) -> keras.Model:
    """A trained model, by its name or from a folder.

    Args:
        name: `"architecture.tag"`, such as `"lstm_after.planted_step"`; `"architecture"` for its
            default tag; or the path of a preset's folder.
        verify: also replay the preset's stored example and compare predictions and attention
            with what they were when it was saved.

    Returns:
        A built `keras.Model` with the preset's weights, not compiled.

    Raises:
        ValueError: for an unknown name, with the nearest known one.
        FileNotFoundError: if there is nothing at the path.
        PresetError: if a file is missing or damaged, the weights are not those of the model, or
            the outputs are not the stored ones. No untrained model is ever returned.

    Example:

    >>> model = az.load("lstm_after", verify=True)
    >>> model.name, model.input_shape
    ('lstm_after', (None, 20, 2))
    """
    folder = find(name)
    card = checked(folder)
    model = _build(folder, card)
    path = folder / WEIGHTS
    try:
        with warnings.catch_warnings():
            # Keras warns and leaves random weights where a file lacks a layer
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        first = str(error).strip().partition("\n")[0]
        raise PresetError(f"{path} does not hold the weights of this model: {first}") from error
    if verify:
        _verify(model, folder / GOLDEN)
    return model


def _build(folder: Path, card: Card) -> keras.Model:
    path = folder / CONFIG
    try:
        config: Any = json.loads(read_json(path))
    except ValueError as error:
        raise PresetError(f"{path} is no valid JSON: {error}") from None
    if not isinstance(config, dict) or set(config) != {"architecture", "config"}:
        raise PresetError(f"{path} must be an object with 'architecture' and 'config'.")
    if config["architecture"] != card.architecture:
        raise PresetError(
            f"{path} says architecture {config['architecture']!r}, its card {card.architecture!r}."
        )
    try:
        model = models.build(config["architecture"], **config["config"])
    except (TypeError, ValueError) as error:
        raise PresetError(f"{path} does not describe a model: {error}") from error
    if model.count_params() != card.parameters:
        raise PresetError(
            f"{path} describes a model of {model.count_params()} parameters; the card says "
            f"{card.parameters}."
        )
    return model


def _verify(model: keras.Model, path: Path) -> None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            golden = {name: stored[name] for name in stored.files}
    except (ValueError, OSError) as error:
        raise PresetError(f"{path} is no valid golden output: {error}") from None
    outputs = golden_outputs(model, golden.pop("x"))
    if set(outputs) != set(golden):
        raise PresetError(f"{path} holds {sorted(golden)}; the model gives {sorted(outputs)}.")
    for output, now in outputs.items():
        if now.shape != golden[output].shape:
            raise PresetError(f"{path}: {output} was {golden[output].shape}, is {now.shape}.")
        difference = float(np.max(np.abs(now - golden[output]), initial=0.0))
        if not difference <= TOLERANCE:
            raise PresetError(
                f"{path}: {output} differs from the stored one by {difference:.2g}, more than "
                f"{TOLERANCE:g}. The weights are not those the preset was saved with."
            )
