"""A training run as data."""

from __future__ import annotations

import math
import os
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from attention_zoo.core import arrays, foreign
from attention_zoo.core.registry import one_of
from attention_zoo.data.dataset import Kind
from attention_zoo.tasks import TASKS

#: Of the user's own data: samples a step, how many steps are taken at least, and the phase.
_USUAL: tuple[int, int, dict[str, Any]] = 32, 1000, {}
#: Where an architecture is trained in another way: measured in docs/real_data.md.
_OTHERWISE: dict[str, tuple[int, int, dict[str, Any]]] = {
    "conv_after": (16, 1000, {"learning_rate": 5e-3, "learning_rate_schedule": "cosine"}),
}


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(_Data):
    """Some epochs at one learning rate, with some attention arguments of their own.

    Args:
        epochs: how often training sees each sample.
        learning_rate: of the optimizer, above 0; with a schedule, its highest.
        learning_rate_schedule: `"constant"`; or `"cosine"`: from epoch to epoch the rate rises for
            the share `warmup` of the epochs and falls as a half cosine to 0
            (`keras.optimizers.schedules.CosineDecay`).
        warmup: that share, from 0 to below 1; without effect on a constant rate.
        attention: arguments of the attention layer that this phase replaces.

    Example:

    >>> from attention_zoo.training.recipe import Phase
    >>> Phase(epochs=5).learning_rate
    0.001
    """

    epochs: PositiveInt
    learning_rate: float = Field(1e-3, gt=0, allow_inf_nan=False)
    learning_rate_schedule: Literal["constant", "cosine"] = "constant"
    warmup: float = Field(0.1, ge=0, lt=1)
    #: Arguments of the attention layer that this phase replaces, such as its penalty.
    attention: dict[str, Any] = Field(default_factory=dict)


class Recipe(_Data):
    """Everything that decides how a model is trained, but the user's own data.

    Example:

    >>> recipe = az.training.Recipe(architecture="dense", phases=[{"epochs": 5}])
    >>> recipe.kind, recipe.phases[0].learning_rate
    ('binary', 0.001)
    """

    architecture: str
    #: The arguments of `build`, less those that the data decide.
    config: dict[str, Any] = Field(default_factory=dict)
    #: A task's name, or None for the user's own data.
    task: str | None = None
    task_config: dict[str, Any] = Field(default_factory=dict)
    kind: Kind = "binary"
    seed: int = Field(0, ge=0)
    samples: PositiveInt = 10_000
    validation: PositiveInt = 2_000
    batch_size: PositiveInt = 100
    phases: list[Phase] = Field(min_length=1)
    #: A phase ends after so many epochs without a lower validation loss, and goes back to the
    #: weights of its best. None for all epochs, and the weights of the last.
    patience: PositiveInt | None = None
    #: Other sizes of the task that the trained model is measured on, as `accuracy_at_<name>`.
    also: dict[str, dict[str, Any]] = Field(default_factory=dict)
    #: The figure that the task is known by, and where it stands.
    published: str | None = None
    #: What the trained model is not for.
    limits: str | None = None

    def changed(self, **values: Any) -> Recipe:
        """The same recipe with some values replaced, and checked again."""
        return make_recipe({**self.model_dump(), **values})


def make_recipe(values: dict[str, Any]) -> Recipe:
    """Return a recipe from plain values.

    Args:
        values: the fields of a `Recipe`, by name.

    Returns:
        A `Recipe`.

    Raises:
        ValueError: for the first value that is not allowed, by its name.

    Example:

    >>> az.training.make_recipe({"architecture": "dense", "phases": [{"epochs": 5}]}).batch_size
    100
    """
    try:
        return Recipe.model_validate(arrays.plain(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(
            f"`{where}` of the recipe: {first['msg']}. Received: {first['input']!r}"
        ) from None


def list_recipes() -> list[str]:
    """The names of the recipes that come with the package: those of its presets.

    Returns:
        The names, sorted.

    Example:

    >>> "dense.planted_feature" in az.training.list_recipes()
    True
    """
    folder = resources.files("attention_zoo.training") / "recipes"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json"))


def load_recipe(name: str | os.PathLike) -> Recipe:
    """Read a recipe that comes with the package, by its name, or one of yours, a `.json` file.

    Args:
        name: a name from `list_recipes()`, or the path of a `.json` file.

    Returns:
        A `Recipe`.

    Raises:
        ValueError: for an unknown name, with the nearest, and for a file that holds no recipe.
        FileNotFoundError: for a path at which there is no file.

    Example:

    >>> az.training.load_recipe("dense.planted_feature").architecture
    'dense'
    """
    if isinstance(name, os.PathLike) or str(name).endswith(".json"):
        return make_recipe(foreign.read_json(Path(name), kind=dict, links=True))
    if name not in list_recipes():
        raise one_of("recipe", name, list_recipes())
    file = resources.files("attention_zoo.training") / "recipes" / f"{name}.json"
    return Recipe.model_validate_json(file.read_text("utf-8"))


def default_recipe(
    architecture: str,
    task: str | None,
    kind: str = "binary",
    samples: int | None = None,
    batch_size: int | None = None,
) -> Recipe:
    """The package's recipe for an architecture and a task, or a plain one where it has none.

    For your own data with so many training `samples` it has epochs enough for some learning: 30, or
    1,000 steps of the optimizer, whichever are more. `conv_after` has 16 samples a step, and a
    learning rate that rises to .005 and falls to 0.

    Args:
        architecture: a name from `az.list_models()`.
        task: the name of a task, or None for your own data.
        kind: `"binary"`, `"multiclass"` or `"regression"`; a task decides it by itself.
        samples: how many training samples your own data have.
        batch_size: how many samples an update of the weights sees; None for the default.

    Returns:
        A `Recipe`.

    Example:

    >>> az.training.default_recipe("dense", None).phases[0].epochs
    30
    """
    name = f"{architecture}.{task}"
    if name in list_recipes():
        return load_recipe(name)
    config: dict[str, Any] = {} if task else {"standardize": True}
    epochs = 30
    batch, least_steps, phase = (100, 0, {}) if task else _OTHERWISE.get(architecture, _USUAL)
    if samples is not None:
        steps = math.ceil(samples / (batch_size or batch))
        epochs = max(epochs, math.ceil(least_steps / steps))
    if task:
        kind = TASKS.get(task).kind
        if TASKS.get(task).per_step:
            config["return_sequences"] = True
    return make_recipe(
        {
            "architecture": architecture,
            "task": task,
            "kind": kind,
            "config": config,
            "batch_size": batch_size or batch,
            "phases": [{**phase, "epochs": epochs}],
        }
    )
