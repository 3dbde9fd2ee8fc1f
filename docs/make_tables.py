"""Write the generated tables: `python docs/make_tables.py`.

The README's table of models comes from the cards, `layers.md` from the registry.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import keras

import attention_zoo as az
from attention_zoo.catalog import LAYERS
from attention_zoo.presets import read_card

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
LAYERS_PAGE = HERE / "layers.md"
MARKS = "<!-- models: python docs/make_tables.py -->\n", "<!-- end of models -->"

#: What each layer is called on here, where it is not one sequence.
_INPUTS = {
    "feature": ["batch, features"],
    "cross_attention": ["batch, queries, features", "batch, keys, width"],
    "hierarchical": ["batch, sentences, words, features"],
    "attention_decoder": ["batch, time, features", "batch, keys, width"],
}
_ARGUMENTS = {
    "multi_head": {"heads": 2, "key_dim": 2},
    "attention_decoder": {"cell": {"class_name": "GRUCell", "config": {"units": 23}}, "units": 19},
    "luong": {"units": 19},
    "bahdanau": {"units": 19},
}
#: One size for each name, so that shapes can be read back as names.
_SIZES = {"batch": 5, "time": 7, "features": 3, "queries": 11, "keys": 13, "width": 17,
          "units": 19, "sentences": 29, "words": 31, "heads": 2}  # fmt: skip


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


def layer_table() -> str:
    """One row a registered layer: its shapes are those of a call, its sources those it cites."""
    rows = [
        "| name | class | input | output | scores | outgoing mask | source |",
        "|---|---|---|---|---|---|---|",
    ]
    differences = []
    for name in az.list_layers():
        layer = az.layers.get(name, **_ARGUMENTS.get(name, {}))
        shapes = _INPUTS.get(name, ["batch, time, features"])
        tensors = [keras.KerasTensor([_SIZES[n] for n in s.split(", ")]) for s in shapes]
        outputs, scores = layer(*tensors, return_attention_scores=True)
        levels = scores if isinstance(scores, tuple) else (scores,)
        passed_on = outputs.shape[:2] == tensors[0].shape[:2] and len(outputs.shape) > 2
        doc = inspect.getdoc(type(layer)) or ""
        flat = " ".join(doc.split())
        cited = r"arXiv:\d{4}\.\d{4,5}|aclanthology\.org/\S+\d|keras-attention-mechanism(?= \()"
        sources = list(dict.fromkeys(re.findall(cited, flat)))
        cells = [
            f"`{name}`", f"`{type(layer).__name__}`", " and ".join(f"({s})" for s in shapes),
            _named(outputs.shape), " and ".join(_named(level.shape) for level in levels),
            "the input's" if passed_on else "none", ", ".join(sources),
        ]  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
        differs = re.search(r"^Differs (.*?)\n\n", doc, flags=re.S | re.M)
        differences.append(f"- `{name}`: {LAYERS.summary(name)}. It differs "
                           f"{' '.join(differs[1].split())}")  # fmt: skip
    return "\n".join(rows) + "\n\n" + "\n".join(differences) + "\n"


def _named(shape: tuple) -> str:
    names = {size: name for name, size in _SIZES.items()}
    names[_SIZES["width"] + 23] = "width + cell"
    return "(" + ", ".join(names[size] for size in shape) + ")"


def layers_page() -> str:
    """The page of the layers."""
    return (
        "# The layers\n\n"
        "Made by `python docs/make_tables.py` from the registry. Every layer takes a mask, any\n"
        "normalizer, `temperature`, `dropout` on the scores, `scores_regularizer`, initializers,\n"
        "regularizers, constraints and a seed; masked cells have scores of exactly 0.\n\n"
        + layer_table()
    )


def filled(text: str) -> str:
    """The README with its table as the cards have it."""
    pattern = f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}"
    return re.sub(pattern, lambda _: MARKS[0] + model_table() + MARKS[1], text, flags=re.S)


if __name__ == "__main__":
    README.write_text(filled(README.read_text("utf-8")), "utf-8")
    LAYERS_PAGE.write_text(layers_page(), "utf-8")
