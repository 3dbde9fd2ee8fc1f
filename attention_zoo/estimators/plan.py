"""An estimator's parameters as a recipe."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from attention_zoo import layers
from attention_zoo.catalog import MODELS
from attention_zoo.estimators.layout import Layout
from attention_zoo.training import Dataset, Recipe, default_recipe, make_recipe

#: Arguments of the factories that are parameters of their own, or decided by the data.
_TAKEN = {"input_shape", "outputs", "activation", "mask_value", "standardize", "attention"}
_TAKEN |= {"units", "depth", "dropout", "return_sequences"}


def check_options(options: dict[str, Any] | None) -> None:
    """ValueError for further arguments of the architecture that are none."""
    for name in options or {}:
        if name in _TAKEN:
            raise ValueError(
                f"`options` is for further arguments of the architecture; {name!r} is a parameter "
                f"of its own, or decided by the data. Received: options={options!r}"
            )


def recipe_of(estimator: Any, layout: Layout, data: Dataset, seed: int) -> Recipe:
    """What will be trained, and how."""
    epochs = estimator.epochs
    if epochs is None:
        usual = default_recipe(layout.architecture, None, data.kind, len(data.x))
        epochs = usual.phases[0].epochs
    config: dict[str, Any] = {"standardize": estimator.standardize, **(estimator.options or {})}
    for name in ("units", "depth", "dropout"):
        if getattr(estimator, name) is not None:
            config[name] = getattr(estimator, name)
    config["attention"] = _attention(estimator.attention, layout)
    return make_recipe(
        {
            "architecture": layout.architecture,
            "config": config,
            "kind": data.kind,
            "seed": seed,
            "batch_size": estimator.batch_size,
            "phases": [{"epochs": epochs, "learning_rate": estimator.learning_rate}],
            "patience": estimator.n_iter_no_change if estimator.early_stopping else None,
        }
    )


def _attention(attention: Any, layout: Layout) -> Any:
    if isinstance(attention, keras.layers.Layer):
        return layers.describe(attention)  # the parameter itself is never built
    if isinstance(attention, str) and attention == "auto":
        factory = inspect.signature(MODELS.get(layout.architecture))
        attention = factory.parameters["attention"].default
    if layout.any_length and attention == "temporal":
        # Its location score, which is the default, is of one length
        return {"class_name": "temporal", "config": {"score": "additive"}}
    return attention
