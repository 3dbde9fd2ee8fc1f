"""`attention-zoo show`: the card of a preset."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from attention_zoo.cli.cards import verdict
from attention_zoo.cli.console import number, out, table
from attention_zoo.presets.folder import find, read_card

_VARIANTS = {
    "ours": "this recipe",
    "softmax": "plain softmax",
    "uniform": "uniform attention",
}


def show(
    name: Annotated[str, typer.Argument(help="A preset's name or folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show a preset's card: its recipe, scores, controls and provenance."""
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
        *[
            [f"resolution of {layer!r}", f"sees {n['sees']} steps, stands for {n['stride']}"]
            for layer, n in (card.resolution or {}).items()
        ],
        *([["published", card.published]] if card.published else []),
        ["not for", card.limits or "not stated"],
        ["license", card.license],
        ["provenance", card.provenance],
        ["made with", ", ".join(f"{k} {v}" for k, v in card.versions.items())],
        *[[key.replace("_", " "), number(value)] for key, value in card.scores.items()],
    ]
    table("Card", ["", ""], rows)
    if card.study:
        out.print()
        _study(card.study)
        if verdict(card):
            out.print(f"\n{verdict(card)}")


def _study(study: dict[str, Any]) -> None:
    """Print the medians, the spread of this recipe, and what the controls give."""
    ours = study["ours"]
    shown = [v for v in _VARIANTS if v in study]
    rows = []
    for key, median in ours["median"].items():
        values = [run[key] for run in ours["runs"]]
        spread = f"{number(min(values))} to {number(max(values))}"
        others = [number(study[v]["median"].get(key)) for v in shown[1:]]
        rows.append([key.replace("_", " "), number(median), spread, *others])
    columns = ["", _VARIANTS["ours"], "from, to", *(_VARIANTS[v] for v in shown[1:])]
    table(f"Median of {study['seeds']} seeds", columns, rows, {1, 2, 3, 4})
