"""The golden output of a preset: the predictions and scores of its model on a few inputs."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from attention_zoo.capture.inputs import check_inputs, has_attention, pack_inputs
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import foreign, npz
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.traversal import all_layers
from attention_zoo.presets.card import PresetError

#: Two backends may differ by this much in the outputs of a preset whose temperature is 1.
TOLERANCE = 1e-5
#: Or by so many roundings of the coarsest dtype in which it computes.
_ROUNDINGS = 8
_HALF = {"float16": 2**-11, "bfloat16": 2**-8}


def golden_outputs(model: keras.Model, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return what a preset is verified by: the predictions `y` and the scores of each layer.

    The inputs are in the order of `model.inputs`.
    """
    x = pack_inputs(model, inputs) if len(inputs) > 1 else inputs[0]
    scores: dict[str, np.ndarray] = {}
    if has_attention(model):
        captured = capture_scores(model, x)
        predictions = captured.predictions
        scores = {f"scores.{name}": value for name, value in captured.scores.items()}
    else:
        predictions = model.predict(check_inputs(model, x), verbose=0)
    outputs = keras.tree.flatten(predictions)
    named = {"y" if len(outputs) == 1 else f"y.{i}": y for i, y in enumerate(outputs, start=1)}
    return {**named, **scores}


def verify(model: keras.Model, path: Path) -> None:
    """Raise PresetError if the outputs for the stored inputs are not the stored ones."""
    different = difference(model, path)
    if different is not None:
        raise PresetError(
            f"{path}: {different} The weights are not those the preset was saved with."
        )


def difference(model: keras.Model, path: Path) -> str | None:
    """Say how the outputs of a model differ from the stored ones; return None if they do not.

    Raises:
        PresetError: if the file does not hold inputs and outputs of this model.
    """
    with foreign.opened(path, what="golden output", links=True, error=PresetError) as file:
        golden = npz.read(file, limit=foreign.size_of(file), packed=False)
    inputs = {name: golden.pop(name) for name in sorted(golden) if name.split(".")[0] == "x"}
    try:
        outputs = golden_outputs(model, list(inputs.values()))
    except ValueError as error:
        raise PresetError(f"{path} holds no inputs of this model: {error}") from error
    if set(outputs) != set(golden):
        raise PresetError(f"{path} holds {sorted(golden)}; the model gives {sorted(outputs)}.")
    # A temperature below 1 multiplies the rounding of the logits
    layers = all_layers(model)
    sharpest = min([1.0, *(la.temperature for la in layers if isinstance(la, AttentionLayer))])
    rounding = max(_HALF.get(layer.compute_dtype, 0.0) for layer in layers)
    tolerance = max(TOLERANCE, _ROUNDINGS * rounding) / sharpest
    for output, now in outputs.items():
        if now.shape != golden[output].shape:
            raise PresetError(f"{path}: {output} was {golden[output].shape}, is {now.shape}.")
        size = np.maximum(np.abs(golden[output]), 1.0)  # relative for large quantities
        gap = float(np.max(np.abs(now - golden[output]) / size, initial=0.0))
        if not gap <= tolerance:
            return f"{output} differs from the stored one by {gap:.2g}, more than {tolerance:g}."
    return None
