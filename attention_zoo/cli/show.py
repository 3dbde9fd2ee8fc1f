"""`attention-zoo show`: the card of a preset."""

from __future__ import annotations

from typing import Any

from attention_zoo.cli.cards import verdict
from attention_zoo.cli.console import number, out, table
from attention_zoo.cli.options import Json, Preset
from attention_zoo.presets.folder import find, read_card

_CONTROLS = {"softmax": "plain softmax", "uniform": "uniform attention"}


def show(name: Preset, as_json: Json = False) -> None:
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
    """Print the medians and the spread of this recipe, and the medians of its controls."""
    recipe = study["ours"]
    controls = {name: title for name, title in _CONTROLS.items() if name in study}
    rows = []
    for key, median in recipe["median"].items():
        values = [run[key] for run in recipe["runs"]]
        spread = f"{number(min(values))} to {number(max(values))}"
        others = [number(study[name]["median"].get(key)) for name in controls]
        rows.append([key.replace("_", " "), number(median), spread, *others])
    columns = ["", "this recipe", "from, to", *controls.values()]
    table(f"Median of {study['seeds']} seeds", columns, rows, {1, 2, 3, 4})
