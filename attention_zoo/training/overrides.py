"""What is asked of a run in place of what its recipe has."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import keras

from attention_zoo import layers
from attention_zoo.catalog import MODELS
from attention_zoo.core import checks
from attention_zoo.layers.register import attention_config
from attention_zoo.training.recipe import Recipe


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Overrides:
    """Values in place of a recipe's; None leaves the recipe's.

    Attributes:
        epochs: the epochs of all phases together. Each phase keeps its share of them, and has one
            epoch at least.
        learning_rate: of every phase.
        normalizer: an argument of the attention layer, in every phase.
        config: arguments of the factory.
        batch_size, patience, seed, samples: as in a `Recipe`.
    """

    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    patience: int | None = None
    seed: int | None = None
    samples: int | None = None
    normalizer: str | None = None
    config: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience", "samples"):
            checks.positive_int(name, getattr(self, name), none=True)
        if self.learning_rate is not None:
            checks.positive("learning_rate", self.learning_rate)
        if self.seed is not None:
            checks.natural("seed", self.seed)

    def refuse_beside_recipe(self) -> None:
        """ValueError for a value that stands beside a recipe, which decides it."""
        names = [field.name for field in dataclasses.fields(self) if field.name != "config"]
        names = [name for name in names if getattr(self, name) is not None] + list(self.config)
        if names:
            raise ValueError(
                f"`recipe` decides `{names[0]}`: leave it out, or change the recipe with "
                "recipe.changed(...)."
            )

    def apply(self, recipe: Recipe) -> Recipe:
        """Return the recipe with these values.

        Raises:
            ValueError: for fewer epochs than phases, and a normalizer without an attention layer.
        """
        config = {**recipe.config, **self.config}
        attention = config.get("attention")
        if isinstance(attention, keras.layers.Layer):
            config["attention"] = layers.describe(attention)  # the user's own layer is never built
        if self.normalizer is not None:
            config["attention"] = with_normalizer(recipe.architecture, config, self.normalizer)
        config.pop("mask_value", None)  # which the data have
        phases = [phase.model_dump() for phase in recipe.phases]
        if self.epochs is not None:
            shares = _shares(self.epochs, [phase["epochs"] for phase in phases])
            phases = [{**phase, "epochs": n} for phase, n in zip(phases, shares, strict=True)]
        if attention != recipe.config.get("attention"):
            phases = [{**phase, "attention": {}} for phase in phases]
        elif self.normalizer is not None:
            for phase in phases:
                phase["attention"].pop("normalizer", None)
        if self.learning_rate is not None:
            phases = [{**phase, "learning_rate": self.learning_rate} for phase in phases]
        values = {
            name: getattr(self, name) for name in ("samples", "batch_size", "seed", "patience")
        }
        values = {name: value for name, value in values.items() if value is not None}
        return recipe.changed(config=config, phases=phases, **values)


def with_normalizer(architecture: str, config: dict[str, Any], normalizer: str) -> dict[str, Any]:
    """Return the attention layer of a factory's arguments, with this normalizer."""
    attention = config.get("attention")
    if attention is None and "attention" in config:
        raise ValueError(
            "`normalizer` is an argument of the attention layer, and there is none. "
            "Received: attention=None"
        )
    factory = inspect.signature(MODELS.get(architecture))
    chosen = attention or factory.parameters["attention"].default
    return attention_config(chosen, {"normalizer": normalizer})


def _shares(epochs: int, phases: list[int]) -> list[int]:
    """So many epochs, shared among phases in proportion to what they have beyond their first."""
    if epochs < len(phases):
        raise ValueError(
            f"`epochs` must be at least {len(phases)}, one for each phase of the recipe. "
            f"Received: epochs={epochs}"
        )
    weights = [phase - 1 for phase in phases] if max(phases) > 1 else phases
    rest, total, ends = epochs - len(phases), sum(weights), [0]
    for number in range(1, len(phases) + 1):
        ends.append(round(rest * sum(weights[:number]) / total))
    return [1 + end - begin for begin, end in zip(ends, ends[1:], strict=False)]
