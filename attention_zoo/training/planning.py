"""From the arguments of `train` to a recipe and its data."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from attention_zoo import models
from attention_zoo.catalog import MODELS
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.core.registry import one_of
from attention_zoo.data.baseline import next_value_of
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.inputs import to_dataset, to_held_out, weigh_classes
from attention_zoo.data.splitting import check_learnable, split_off
from attention_zoo.data.stream import Stream
from attention_zoo.training.defaults import recipe_for
from attention_zoo.training.overrides import Overrides
from attention_zoo.training.recipe import Recipe, default_recipe, load_recipe
from attention_zoo.training.study import datasets

#: Arguments of the factories that the targets decide.
_DECIDED = ("outputs", "activation")


@dataclasses.dataclass(frozen=True, eq=False)
class UserData:
    """The data arguments of `train`, as they were given."""

    x: Any
    y: Any = None
    validation_data: Any = None
    validation_split: float = 0.0
    test_data: Any = None
    class_weight: Mapping[Any, float] | None = None
    sample_weight: Any = None
    kind: Any = None
    ordered: bool = False

    def __post_init__(self) -> None:
        checks.boolean("ordered", self.ordered)
        checks.rate("validation_split", self.validation_split)


@by_identity
class Plan(NamedTuple):
    """A recipe and its data: what trains, and what validates and tests where there is such."""

    recipe: Recipe
    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None
    #: The feature whose next value the target is.
    next_value: int | None = None
    #: The weights of a stream's classes, which `fit` applies to its batches.
    class_weight: dict[int, float] | None = None

    def measured(self) -> tuple[Dataset | None, str | None]:
        """The samples of the score and what they are called: the test's, or else the
        validation's."""
        if self.test is not None:
            return self.test, "test"
        return self.validation, None if self.validation is None else "validation"


def plan_recipe(recipe: Recipe | str | os.PathLike) -> Plan:
    """A recipe of a task, with the draws of that task.

    Raises:
        ValueError: for a recipe of a user's own data.
    """
    recipe = read_recipe(recipe)
    if recipe.task is None:
        raise ValueError(
            "The recipe is for data of yours, and has no task: train(recipe=recipe, x=x, y=y)."
        )
    return Plan(recipe, *datasets(recipe))


def plan_train(
    architecture: str | None,
    recipe: Recipe | str | os.PathLike | None,
    data: UserData,
    overrides: Overrides,
    own: Collection[str],
) -> Plan:
    """What `train` was asked for; its errors are those of `train`, whose arguments are `own`."""
    if recipe is not None:
        recipe = _exact(read_recipe(recipe), architecture, overrides)
        architecture = recipe.architecture
    elif not isinstance(architecture, str | None):
        raise TypeError(
            "`architecture` must be a name from list_models, or None; a Recipe goes to recipe=. "
            f"Received: {architecture!r}"
        )
    elif architecture is not None:
        _check_names(architecture, overrides.config, own)
    if data.x is None:
        raise TypeError(
            "`x` is missing: the samples to train on. The recipe of a synthetic task has its own, "
            "training.run_recipe(recipe)."
        )
    config = overrides.config if recipe is None else recipe.config
    train = _read(data, architecture, config, recipe)
    stream = isinstance(train, Stream)
    weights = None if data.class_weight is None else dict(data.class_weight)
    if not stream:
        train, weights = weigh_classes(train, weights), None
    held_out = {
        name: to_held_out(name, getattr(data, name), train, per_step=_per_step(config))
        for name in ("validation_data", "test_data")
    }
    validation, next_value = held_out["validation_data"], None if stream else next_value_of(train)
    if data.validation_split:
        if validation is not None or stream:
            raise ValueError(
                "`validation_split` is for arrays without validation_data: give one of the two."
            )
        seed = recipe.seed if recipe is not None else overrides.seed or 0
        train, validation = split_off(train, data.validation_split, seed)
    if recipe is None:
        if overrides.batch_size is not None and stream:
            raise ValueError("`batch_size` of a stream is that of its batches: leave it out.")
        size = len(train.x) if stream else overrides.batch_size
        if architecture is None:
            usual = recipe_for(train, overrides.config, size, per_step=_per_step(config))
            _check_names(usual.architecture, overrides.config, own)
        else:
            usual = default_recipe(architecture, None, train.kind, len(train), size)
        recipe = overrides.apply(usual)
    if recipe.patience is not None and validation is None:
        raise ValueError(
            "`patience` needs samples to validate on: give validation_data or validation_split."
        )
    return Plan(recipe, train, validation, held_out["test_data"], next_value, weights)


def _per_step(config: Mapping[str, Any]) -> bool:
    return bool(config.get("return_sequences"))


def _read(
    data: UserData, architecture: str | None, config: Mapping[str, Any], recipe: Recipe | None
) -> Dataset:
    """What trains, as the architecture takes it."""
    kind = data.kind
    if recipe is not None and kind is None and not isinstance(data.x, Dataset):
        kind = None if isinstance(data.y, Mapping) else recipe.kind
    train = to_dataset(
        data.x,
        data.y,
        sample_weight=data.sample_weight,
        kind=kind,
        ordered=data.ordered,
        per_step=_per_step(config),
    )
    if recipe is not None and train.kind != recipe.kind:
        raise ValueError(
            f"The recipe is for targets of the kind {recipe.kind!r}, and y is {train.kind!r}: "
            f"give recipe.changed(kind={train.kind!r})."
        )
    # What is no table's takes its rows as series of one feature
    if train.x.ndim == 2 and architecture and models.takes(architecture, "mask_value"):
        train = train if isinstance(train, Stream) else train.as_series()
    mask_value = config.get("mask_value")
    if mask_value is not None and train.mask_value is None:
        train = dataclasses.replace(train, mask_value=float(mask_value))
    for head in (train.heads or {"": train}).values():
        check_learnable(head)
    return train


def read_recipe(recipe: Recipe | str | os.PathLike) -> Recipe:
    """A recipe as it is, by its name or from its file; TypeError for another type."""
    if isinstance(recipe, (str, os.PathLike)):
        return load_recipe(recipe)
    if not isinstance(recipe, Recipe):
        raise TypeError(
            "`recipe` must be a training.Recipe, the name of one, or a .json file. "
            f"Received: {recipe!r}"
        )
    return recipe


def _exact(recipe: Recipe, architecture: str | None, overrides: Overrides) -> Recipe:
    """The recipe; ValueError for what stands beside it, and for one with data of its own."""
    if architecture not in (None, recipe.architecture):
        raise ValueError("`recipe` decides `architecture`: leave it out.")
    overrides.refuse_beside_recipe()
    if recipe.task is not None:
        raise ValueError(
            f"The recipe has data of its own, draws of the task {recipe.task!r}: "
            "training.run_recipe(recipe). For data of yours: recipe.changed(task=None)."
        )
    return recipe


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
            allowed = {*own, *factory, "dtype"} - set(_DECIDED)
            raise one_of(f"argument of train({architecture!r}, ...)", name, allowed)
