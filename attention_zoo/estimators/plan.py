"""An estimator's parameters as a recipe."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras

from attention_zoo import layers
from attention_zoo.catalog import MODELS
from attention_zoo.estimators.layout import Layout
from attention_zoo.training import Dataset, Recipe, default_recipe
from attention_zoo.training.defaults import default_model

#: Arguments of the factories that are parameters of their own where they are not None.
_SIZES = ("units", "depth", "dropout")
#: Those that are parameters of their own, or decided by the data.
_TAKEN = {"input_shape", "outputs", "activation", "mask_value", "standardize", "attention"}
_TAKEN |= {*_SIZES, "return_sequences"}


def check_options(options: dict[str, Any] | None) -> None:
    """ValueError for further arguments of the architecture that are none."""
    for name in options or {}:
        if name in _TAKEN:
            raise ValueError(
                f"`options` is for further arguments of the architecture; {name!r} is a parameter "
                f"of its own, or decided by the data. Received: options={options!r}"
            )


def choose(estimator: Any, kind: str, input_shape: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """The architecture, and the arguments that suit the data where the estimator leaves it open."""
    if estimator.architecture != "auto":
        return estimator.architecture, {}
    given = [name for name in _SIZES if getattr(estimator, name) is not None]
    return default_model(kind, input_shape, [*given, *(estimator.options or {})])


def recipe_of(
    estimator: Any, layout: Layout, data: Dataset, seed: int, config: dict[str, Any]
) -> Recipe:
    """What will be trained, and how; `config` are arguments that suit the data."""
    usual = default_recipe(layout.architecture, None, data.kind, len(data), estimator.batch_size)
    config = {**config, "standardize": estimator.standardize, **(estimator.options or {})}
    for name in _SIZES:
        if getattr(estimator, name) is not None:
            config[name] = getattr(estimator, name)
    if estimator.attention != "auto" or "attention" not in config:
        config["attention"] = _attention(estimator.attention, layout)
    values = {name: getattr(estimator, name) for name in ("epochs", "learning_rate")}
    phase = usual.phases[0].model_dump()
    phase |= {name: value for name, value in values.items() if value is not None}
    patience = estimator.n_iter_no_change if estimator.early_stopping else None
    return usual.changed(config=config, seed=seed, patience=patience, phases=[phase])


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
