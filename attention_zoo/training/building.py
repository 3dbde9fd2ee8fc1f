"""From a recipe and the sizes of the data to a model with new weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from attention_zoo import models
from attention_zoo.data.dataset import Dataset
from attention_zoo.training.recipe import Recipe

_OUTPUT = {"binary": "sigmoid", "multiclass": "softmax", "regression": None}


def dtype_of_process() -> dict[str, str]:
    """The process's dtype policy as an argument of `build`, so that a run can be made again and
    goes on as it began; nothing where it is float32, as all recipes were made."""
    policy = keras.config.dtype_policy().name
    return {} if policy == "float32" else {"dtype": policy}


def build_for(recipe: Recipe, data: Dataset, phase: int, **more: Any) -> keras.Model:
    """The recipe's model for the data's shapes, with the attention arguments of a phase; `more` are
    further arguments of `build`."""
    if data.mask_value is not None:
        if not models.takes(recipe.architecture, "mask_value"):
            raise ValueError(
                f"{recipe.architecture!r} is for tables, and the data are series with a mask: "
                "choose an architecture for series, such as 'gru'."
            )
        more["mask_value"] = data.mask_value
    model = build_model(recipe, data.input_shape, data.outputs, phase, **more)
    return _with_heads(model, data.heads) if data.heads else model


def _with_heads(model: keras.Model, heads: dict[str, Dataset]) -> keras.Model:
    """The model with an output layer for each target in place of its own."""
    last = model.layers[-1]
    outputs = {
        name: keras.layers.Dense(
            head.outputs, _OUTPUT[head.kind], name=name, dtype=last.dtype_policy
        )(last.input)
        for name, head in heads.items()
    }
    return keras.Model(model.input, outputs, name=model.name)


def build_model(
    recipe: Recipe, input_shape: Sequence[int | None], outputs: int, phase: int = 0, **more: Any
) -> keras.Model:
    """The recipe's model for the sizes of a sample; `more` are further arguments of `build`."""
    config: dict[str, Any] = {
        "input_shape": input_shape,
        "outputs": outputs,
        "activation": _OUTPUT[recipe.kind],
        **recipe.config,
        **more,
    }
    changes = recipe.phases[phase].attention
    if changes:
        attention = config["attention"]
        attention = {"class_name": attention} if isinstance(attention, str) else dict(attention)
        config["attention"] = {
            **attention, "config": {**(attention.get("config") or {}), **changes}
        }  # fmt: skip
    return models.build(recipe.architecture, **config)
