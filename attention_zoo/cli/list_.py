"""`attention-zoo list`: what there is, without importing Keras."""

from __future__ import annotations

import json
from importlib import resources
from typing import Annotated, Any

import typer

from attention_zoo import tasks
from attention_zoo.catalog import LAYERS, MODELS
from attention_zoo.cli import cards
from attention_zoo.cli.console import number, out, table
from attention_zoo.cli.options import Json
from attention_zoo.core.registry import matching, one_of
from attention_zoo.presets.folder import list_presets, read_card

REGISTRIES = {
    "models": (MODELS, "Models: attention_zoo.build(name, input_shape=...)"),
    "layers": (LAYERS, "Layers: attention=name, or attention_zoo.layers"),
    "tasks": (tasks.TASKS, "Tasks: attention_zoo.tasks.get(name)"),
}
KINDS = ("presets", *REGISTRIES, "recipes")


def list_(
    what: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(KINDS)}; all of them by default.")
    ] = None,
    pattern: Annotated[str, typer.Option(help="Only names like this, such as 'lstm*'.")] = "*",
    as_json: Json = False,
) -> None:
    """List the presets, models, layers, tasks and recipes."""
    if what is not None and what not in KINDS:
        raise one_of("kind of thing", what, KINDS)
    chosen = [what] if what else list(KINDS)
    if as_json:
        out.print_json(json.dumps({kind: _names(kind, pattern) for kind in chosen}))
        return
    for kind in chosen:
        _print(kind, pattern)
        if kind != chosen[-1]:
            out.print()


def _names(kind: str, pattern: str) -> list[str]:
    if kind == "presets":
        return list_presets(pattern)
    if kind == "recipes":
        return matching(_recipes(), pattern)
    return REGISTRIES[kind][0].names(pattern)


def _recipes() -> dict[str, Any]:
    """Return the files of the recipes by name; `training` itself imports Keras."""
    folder = resources.files("attention_zoo") / "training" / "recipes"
    recipes = [file for file in folder.iterdir() if file.name.endswith(".json")]
    return {file.name.removesuffix(".json"): file for file in recipes}


def _print(kind: str, pattern: str) -> None:
    names = _names(kind, pattern)
    if kind == "presets":
        columns = ["name", "parameters", "metric", "", "attention on the answer"]
        rows = [_preset(name) for name in names]
        table("Presets: attention_zoo.load(name)", columns, rows, {1, 3, 4})
    elif kind == "recipes":
        title = "Recipes: attention-zoo train --recipe name"
        table(title, ["name", "task", "epochs"], [_recipe(name) for name in names], {2})
    else:
        registry, title = REGISTRIES[kind]
        table(title, ["name", "what it is"], [[name, registry.summary(name)] for name in names])


def _preset(name: str) -> list[str]:
    card = read_card(name)
    metric = cards.metric(card)
    value = number(card.scores[metric]) if metric else ""
    rma = number(card.scores.get("relevance_mass_accuracy"))
    return [name, str(card.parameters), metric or "", value, rma]


def _recipe(name: str) -> list[str]:
    recipe = json.loads(_recipes()[name].read_text("utf-8"))
    return [name, recipe["task"], str(sum(phase["epochs"] for phase in recipe["phases"]))]
