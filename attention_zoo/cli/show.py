"""`attention-zoo show`: the card of a preset."""

from __future__ import annotations

from typing import Annotated

import typer

from attention_zoo.cli.console import number, out, table
from attention_zoo.presets.folder import find, read_card

_VARIANTS = {
    "ours": "this recipe",
    "softmax": "plain softmax",
    "no_attention": "no attention",
}


def show(
    name: Annotated[str, typer.Argument(help="A preset's name or folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show a preset's card: its recipe, figures, controls and provenance."""
    card = read_card(name)
    if as_json:
        out.print_json(card.model_dump_json(exclude_none=True))
        return
    recipe = card.recipe or {}
    rows = [
        ["preset", find(name).name],
        ["architecture", card.architecture],
        ["parameters", str(card.parameters)],
        ["task", str(recipe.get("task") or "the owner's data")],
        ["license", card.license],
        ["provenance", card.provenance],
        ["made with", ", ".join(f"{k} {v}" for k, v in card.versions.items())],
        *[[key.replace("_", " "), number(value)] for key, value in card.scores.items()],
    ]
    table("Card", ["", ""], rows)
    if card.study:
        keys = list(card.study["ours"]["median"])
        body = [
            [key.replace("_", " ")]
            + [number(card.study[v]["median"].get(key)) for v in _VARIANTS if v in card.study]
            for key in keys
        ]
        columns = ["", *(title for v, title in _VARIANTS.items() if v in card.study)]
        out.print()
        table(f"Median of {card.study['seeds']} seeds", columns, body, {1, 2, 3})
