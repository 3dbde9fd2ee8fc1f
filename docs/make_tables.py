"""Write the tables of the README from the cards: `python docs/make_tables.py`."""

from __future__ import annotations

import re
from pathlib import Path

import attention_zoo as az
from attention_zoo.presets import read_card

README = Path(__file__).parent.parent / "README.md"
MARKS = "<!-- models: python docs/make_tables.py -->\n", "<!-- end of models -->"


def model_table() -> str:
    """One row a preset, from its card."""
    rows = [
        "| preset | parameters | accuracy | RMA | pointing game | RMA of plain softmax "
        "| accuracy without attention |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in az.list_presets():
        card = read_card(name)
        ours, softmax, none = (
            card.study[variant]["median"] for variant in ("ours", "softmax", "no_attention")
        )
        rows.append(
            f"| `{name}` | {card.parameters} | {ours['accuracy']:.4f} "
            f"| {ours['relevance_mass_accuracy']:.3f} | {ours['pointing_game']:.4f} "
            f"| {softmax['relevance_mass_accuracy']:.3f} | {none['accuracy']:.4f} |"
        )
    return "\n".join(rows) + "\n"


def filled(text: str) -> str:
    """The README with its table as the cards have it."""
    pattern = f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}"
    return re.sub(pattern, lambda _: MARKS[0] + model_table() + MARKS[1], text, flags=re.S)


if __name__ == "__main__":
    README.write_text(filled(README.read_text("utf-8")), "utf-8")
