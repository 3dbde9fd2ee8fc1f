"""A model as the converters want it: named inputs, one flat dictionary of outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.capturing import Watched
from attention_zoo.capture.inputs import arranged


class Exportable(Watched):
    """A model whose outputs have names, the scores of its attention layers among them.

    Attributes:
        attention: the names of the outputs with scores, `{layer name: output name}`, once it has
            been called.
    """

    def __init__(self, model: keras.Model, *, scores: bool):
        super().__init__(model)
        self.__dict__["scores"] = scores
        self.__dict__["attention"] = {}

    def call(self, inputs: Any) -> dict[str, Any]:
        if self.__dict__["scores"]:
            found = super().call(inputs)
        else:
            inputs = arranged(self.model, inputs)
            found = {"predictions": self.model(inputs, training=False), "scores": {}}
        flat = isinstance(self.model, keras.Sequential)
        outputs = predictions(found["predictions"], None if flat else self.model.output)
        for layer, scores in found["scores"].items():
            name = "attention_" + plain(layer)
            if name in outputs:
                raise ValueError(f"Two outputs would both be {name!r}: rename one of their layers.")
            self.__dict__["attention"][layer] = name
            outputs[name] = scores
        return outputs


def predictions(answers: Any, made: Any) -> dict[str, Any]:
    """What a model answers, by the names of the dictionary `made` of its outputs, in its order,
    which torch and JAX lose; else `predictions`, or `predictions_1` and so on for several.

    Raises:
        ValueError: if two names are the same in the formats.
    """
    if not isinstance(made, Mapping):
        several = keras.tree.flatten(answers)
        if len(several) == 1:
            return {"predictions": several[0]}
        return {f"predictions_{i}": answer for i, answer in enumerate(several, start=1)}
    outputs: dict[str, Any] = {}
    for key, inside in made.items():
        nested = keras.tree.is_nested(inside)
        parts = predictions(answers[key], inside) if nested else {"": answers[key]}
        for part, tensor in parts.items():
            name = plain(f"{key}_{part}" if part else str(key))
            if name in outputs:
                raise ValueError(f"Two outputs would both be {name!r}: rename one of them.")
            outputs[name] = tensor
    return outputs


def plain(name: str) -> str:
    """A name that every format takes."""
    return re.sub(r"\W", "_", name)


def input_names(model: keras.Model) -> list[str]:
    """The names of the inputs, no two alike."""
    given = None if isinstance(model, keras.Sequential) else model.input
    if isinstance(given, Mapping) and not any(map(keras.tree.is_nested, given.values())):
        names = [plain(str(key)) for key in sorted(given)]  # as Keras has them in `model.inputs`
    else:
        names = [plain(tensor.name) for tensor in model.inputs]
    if len(set(names)) == len(names):
        return names
    return [f"{name}_{i}" for i, name in enumerate(names, start=1)]


def dtype(tensor: Any) -> str:
    """What an input holds."""
    return keras.backend.standardize_dtype(tensor.dtype)


def as_input(parts: list) -> Any:
    """What a model of one input, or of several, is called with."""
    return parts[0] if len(parts) == 1 else parts


def samples(model: keras.Model) -> list[list[np.ndarray]]:
    """Two batches of different sizes and, where it is open, lengths."""
    rng = np.random.default_rng(0)
    batches = []
    for count, length in ((3, 7), (2, 11)):
        batch = []
        for tensor in model.inputs:
            shape = (count, *(length if n is None else n for n in tensor.shape[1:]))
            values = rng.integers(0, 2, shape) if "int" in dtype(tensor) else rng.normal(size=shape)
            batch.append(values.astype(dtype(tensor)))
        batches.append(batch)
    return batches
