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
from attention_zoo.core.registry import matching, one_of
from attention_zoo.presets.folder import list_presets, read_card

KINDS = ("presets", "models", "layers", "tasks", "recipes")


def list_(
    what: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(KINDS)}; all of them by default.")
    ] = None,
    pattern: Annotated[str, typer.Option(help="Only names like this, such as 'lstm*'.")] = "*",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
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
    if kind == "recipes":
        return matching(_recipes(), pattern)
    registries = {"models": MODELS, "layers": LAYERS, "tasks": tasks.TASKS}
    return list_presets(pattern) if kind == "presets" else registries[kind].names(pattern)


def _recipes() -> dict[str, Any]:
    """Return the files of the recipes by name; `training` itself imports Keras."""
    folder = resources.files("attention_zoo") / "training" / "recipes"
    return {
        file.name.removesuffix(".json"): file
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


def _print(kind: str, pattern: str) -> None:
    names = _names(kind, pattern)
    if kind == "presets":
        rows = []
        for name in names:
            card = read_card(name)
            rma = number(card.scores.get("relevance_mass_accuracy"))
            judged = cards.metric(card)
            value = number(card.scores[judged]) if judged else ""
            rows.append([name, str(card.parameters), judged or "", value, rma])
        columns = ["name", "parameters", "metric", "", "attention on the answer"]
        table("Presets: attention_zoo.load(name)", columns, rows, {1, 3, 4})
        return
    if kind == "recipes":
        recipes = {name: json.loads(_recipes()[name].read_text("utf-8")) for name in names}
        rows = [
            [name, recipe["task"], str(sum(phase["epochs"] for phase in recipe["phases"]))]
            for name, recipe in recipes.items()
        ]
        title = "Recipes: attention-zoo train --recipe name"
        table(title, ["name", "task", "epochs"], rows, {2})
        return
    registry = {"models": MODELS, "layers": LAYERS, "tasks": tasks.TASKS}[kind]
    title = {
        "models": "Models: attention_zoo.build(name, input_shape=...)",
        "layers": "Layers: attention=name, or attention_zoo.layers",
        "tasks": "Tasks: attention_zoo.tasks.get(name)",
    }[kind]
    table(title, ["name", "what it is"], [[name, registry.summary(name)] for name in names])
