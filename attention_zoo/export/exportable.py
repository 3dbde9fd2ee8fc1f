"""A model as the converters want it: named inputs, one flat dictionary of outputs."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np

from attention_zoo.explain.watching import Watched


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
            found = {"predictions": self.model(inputs, training=False), "scores": {}}
        answers = keras.tree.flatten(found["predictions"])
        several = [f"predictions_{i}" for i in range(1, len(answers) + 1)]
        names = ["predictions"] if len(answers) == 1 else several
        outputs = dict(zip(names, answers, strict=True))
        for layer, scores in found["scores"].items():
            name = "attention_" + plain(layer)
            if name in outputs:
                raise ValueError(f"Two attention layers would both be the output {name!r}.")
            self.__dict__["attention"][layer] = name
            outputs[name] = scores
        return outputs


def plain(name: str) -> str:
    """A name that every format takes."""
    return re.sub(r"\W", "_", name)


def input_names(model: keras.Model) -> list[str]:
    """The names of the inputs, no two alike."""
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
