"""From a folder to the same model, or an error that says what is wrong."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import keras
import numpy as np

from attention_zoo.presets.card import Card, PresetError
from attention_zoo.presets.config_guard import budget, check_config
from attention_zoo.presets.data_guard import check_weights, read_arrays
from attention_zoo.presets.folder import CONFIG, GOLDEN, WEIGHTS, checked, find, read_json
from attention_zoo.presets.plan import realize
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
            the outputs are not the stored ones, or anything is in it that a preset needs not:
            links, other classes than ours and Keras's, packed or outside numbers. No untrained
            model is ever returned, and no code of the preset is run.

    Example:

    >>> model = az.load("lstm_after", verify=True)
    >>> model.name, model.input_shape
    ('lstm_after', (None, 20, 2))
    """
    folder = find(name)
    return load_folder(folder, checked(folder), verify=verify)


def load_folder(folder: Path, card: Card, *, verify: bool) -> keras.Model:
    """The model of a folder whose files are those of its card."""
    path = folder / WEIGHTS
    numbers = check_weights(path)
    if card.parameters > numbers:
        raise PresetError(
            f"{path} holds {numbers} numbers; a model of the {card.parameters} parameters that the "
            "card says needs more."
        )
    model = _build(folder, card)
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
    config = read_json(path)
    if not isinstance(config, dict) or set(config) != {"architecture", "config"}:
        raise PresetError(f"{path} must be an object with 'architecture' and 'config'.")
    if config["architecture"] != card.architecture:
        raise PresetError(
            f"{path} says architecture {config['architecture']!r}, its card {card.architecture!r}."
        )
    check_config(config["config"], path)
    try:
        with budget(card.parameters, path):
            model = realize(config["architecture"], config["config"])
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        first = str(error).strip().partition("\n")[0]
        raise PresetError(f"{path} does not describe a model: {first}") from error
    if model.count_params() != card.parameters:
        raise PresetError(
            f"{path} describes a model of {model.count_params()} parameters; the card says "
            f"{card.parameters}."
        )
    return model


def _verify(model: keras.Model, path: Path) -> None:
    golden = read_arrays(path)
    inputs = {name: golden.pop(name) for name in sorted(golden) if name.split(".")[0] == "x"}
    try:
        outputs = golden_outputs(model, list(inputs.values()))
    except ValueError as error:
        raise PresetError(f"{path} holds no inputs of this model: {error}") from error
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
