"""From the arguments of `train` to a recipe and its data."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import keras

from attention_zoo import layers, models
from attention_zoo.catalog import MODELS
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.core.registry import one_of
from attention_zoo.data.baseline import next_value_of
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.inputs import to_dataset, to_held_out, weigh_classes
from attention_zoo.data.splitting import check_learnable, split_off
from attention_zoo.data.stream import Stream
from attention_zoo.layers.register import attention_config
from attention_zoo.training.recipe import Recipe, default_recipe, load_recipe
from attention_zoo.training.study import datasets

#: Arguments of the factories that the targets decide.
_DECIDED = ("outputs", "activation")
#: What a recipe decides.
_OF_RECIPES = ("task", "epochs", "batch_size", "learning_rate", "patience", "seed", "samples",
               "normalizer")  # fmt: skip


@by_identity
class Split(NamedTuple):
    """The data of a run: what trains, and what validates and tests where there is such."""

    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None
    #: The feature whose next value the target is.
    next_value: int | None = None

    def measured(self) -> tuple[Dataset | None, str | None]:
        """The samples of the score and what they are called: the test's, or else the
        validation's."""
        if self.test is not None:
            return self.test, "test"
        return self.validation, None if self.validation is None else "validation"


def plan_run(
    architecture: str | None, x: Any, y: Any, *, recipe: Recipe | str | os.PathLike | None,
    config: dict[str, Any], own: Collection[str], **given: Any,
) -> tuple[Recipe, Split, dict[int, float] | None]:  # fmt: skip
    """What `train` was asked for; its errors are those of `train`.

    `own` are the names of the arguments of `train`.

    Returns:
        The recipe, the data, and the weights of a stream's classes.
    """
    for name in ("epochs", "batch_size", "patience", "samples"):
        checks.positive_int(name, given[name], none=True)
    if given["learning_rate"] is not None:
        checks.positive("learning_rate", given["learning_rate"])
    if given["seed"] is not None:
        checks.natural("seed", given["seed"])
    checks.boolean("ordered", given["ordered"])
    checks.rate("validation_split", given["validation_split"])
    if recipe is not None:
        recipe = _given_recipe(recipe, architecture, config, given)
    elif not isinstance(architecture, str):
        raise TypeError(
            "`architecture` must be a name from list_models; a Recipe goes to recipe=. "
            f"Received: {architecture!r}"
        )
    else:
        _check_names(architecture, config, own)
    task = given["task"] if recipe is None else recipe.task
    if (task is None) == (x is None):
        raise ValueError("Give x and y or a task, one of the two.")
    if task is not None:
        _refuse_beside_a_task(y, given)
        if recipe is None:
            recipe = _changed(default_recipe(str(architecture), task), config, given)
        return recipe, Split(*datasets(recipe)), None
    if given["samples"] is not None:
        raise ValueError("`samples` is for a task: take some of x and y instead.")
    return _own_data(str(architecture), x, y, recipe, config, given)


def _own_data(
    architecture: str, x: Any, y: Any, recipe: Recipe | None, config: dict[str, Any],
    given: dict[str, Any],
) -> tuple[Recipe, Split, dict[int, float] | None]:  # fmt: skip
    name = architecture if recipe is None else recipe.architecture
    known = config if recipe is None else recipe.config
    kind = given["kind"]
    if recipe is not None and kind is None and not isinstance(x, Dataset):
        kind = None if isinstance(y, Mapping) else recipe.kind
    per_step = bool(known.get("return_sequences"))
    data = to_dataset(x, y, sample_weight=given["sample_weight"], kind=kind,
                      ordered=given["ordered"], per_step=per_step)  # fmt: skip
    if recipe is not None and data.kind != recipe.kind:
        raise ValueError(
            f"The recipe is for targets of the kind {recipe.kind!r}, and y is {data.kind!r}: "
            f"give recipe.changed(kind={data.kind!r})."
        )
    # What is no table's takes its rows as series of one feature
    if data.x.ndim == 2 and models.takes(name, "mask_value") and not isinstance(data, Stream):
        data = data.as_series()
    mask_value = known.get("mask_value")
    if mask_value is not None and data.mask_value is None:
        data = dataclasses.replace(data, mask_value=float(mask_value))
    for head in (data.heads or {"": data}).values():
        check_learnable(head)
    stream = isinstance(data, Stream)
    weights = None if given["class_weight"] is None else dict(given["class_weight"])
    if not stream:
        data, weights = weigh_classes(data, weights), None
    validation = to_held_out("validation_data", given["validation_data"], data, per_step=per_step)
    test = to_held_out("test_data", given["test_data"], data, per_step=per_step)
    split = Split(data, validation, test, None if stream else next_value_of(data))
    if given["validation_split"]:
        if validation is not None or stream:
            raise ValueError(
                "`validation_split` is for arrays without validation_data: give one of the two."
            )
        seed = recipe.seed if recipe is not None else given["seed"] or 0
        train, validation = split_off(data, given["validation_split"], seed)
        split = split._replace(train=train, validation=validation)
    if recipe is None:
        if given["batch_size"] is not None and stream:
            raise ValueError("`batch_size` of a stream is that of its batches: leave it out.")
        size = len(data.x) if stream else given["batch_size"]
        usual = default_recipe(architecture, None, data.kind, len(split.train), size)
        recipe = _changed(usual, config, given)
    if recipe.patience is not None and split.validation is None:
        raise ValueError(
            "`patience` needs samples to validate on: give validation_data or validation_split."
        )
    return recipe, split, weights


def _check_names(architecture: str, config: Mapping[str, Any], own: Collection[str]) -> None:
    """Refuse an argument that neither `train` nor the factory has."""
    factory = inspect.signature(MODELS.get(architecture)).parameters
    for name in config:
        if name in _DECIDED:
            raise ValueError(
                f"`{name}` is decided by y; `kind` decides against what y looks like. "
                f"Received: {name}={config[name]!r}"
            )
        if name not in factory and name != "dtype":
            known = {*own, *factory, "dtype"} - set(_DECIDED)
            raise one_of(f"argument of train({architecture!r}, ...)", name, known)


def _given_recipe(
    recipe: Any, architecture: str | None, config: dict[str, Any], given: dict[str, Any]
) -> Recipe:
    if isinstance(recipe, (str, os.PathLike)):
        recipe = load_recipe(recipe)
    if not isinstance(recipe, Recipe):
        raise TypeError(
            "`recipe` must be a training.Recipe, the name of one, or a .json file. "
            f"Received: {recipe!r}"
        )
    beside = [name for name in _OF_RECIPES if given[name] is not None] + list(config)
    if architecture not in (None, recipe.architecture):
        beside.insert(0, "architecture")
    if beside:
        raise ValueError(
            f"`recipe` decides `{beside[0]}`: leave it out, or change the recipe with "
            "recipe.changed(...)."
        )
    return recipe


def _refuse_beside_a_task(y: Any, given: dict[str, Any]) -> None:
    names = ("validation_data", "test_data", "class_weight", "sample_weight", "kind")
    beside = {"y": y, **{name: given[name] for name in names}}
    beside |= {name: given[name] or None for name in ("validation_split", "ordered")}
    for name, value in beside.items():
        if value is not None:
            raise ValueError(
                f"`{name}` is for your own x: a task has its own draws. Leave one of the two out."
            )


def _changed(recipe: Recipe, config: dict[str, Any], given: dict[str, Any]) -> Recipe:
    """The usual recipe with what was asked for."""
    config = {**recipe.config, **config}
    attention = config.get("attention")
    if isinstance(attention, keras.layers.Layer):
        config["attention"] = layers.describe(attention)  # the user's own is never built
    if given["normalizer"] is not None:
        if "attention" in config and config["attention"] is None:
            raise ValueError(
                "`normalizer` is an argument of the attention layer, and there is none. "
                "Received: attention=None"
            )
        factory = inspect.signature(MODELS.get(recipe.architecture))
        chosen = config.get("attention") or factory.parameters["attention"].default
        config["attention"] = attention_config(chosen, {"normalizer": given["normalizer"]})
    config.pop("mask_value", None)  # which the data have
    phases = [phase.model_dump() for phase in recipe.phases]
    if given["epochs"] is not None:
        # One phase, of the layer as it is given and not as a first phase has it
        phases = [{**phases[0], "epochs": given["epochs"], "attention": {}}]
    elif attention != recipe.config.get("attention"):
        phases = [{**phase, "attention": {}} for phase in phases]
    elif given["normalizer"] is not None:
        for phase in phases:
            phase["attention"].pop("normalizer", None)
    if given["learning_rate"] is not None:
        phases = [{**phase, "learning_rate": given["learning_rate"]} for phase in phases]
    wanted = {name: given[name] for name in ("samples", "batch_size", "seed", "patience")}
    values = {name: value for name, value in wanted.items() if value is not None}
    return recipe.changed(config=config, phases=phases, **values)
