"""Write the generated tables: `python docs/make_tables.py`.

The README's table of models and `zoo.md` come from the cards, `layers.md` from the registry, the
tables of `tuning.md` from the table of hyperparameters.
"""

from __future__ import annotations

import inspect
import re
import statistics
from pathlib import Path

import keras

import attention_zoo as az
from attention_zoo.catalog import LAYERS
from attention_zoo.cli import cards
from attention_zoo.presets import read_card
from attention_zoo.presets.folder import CARD, DEFAULT_TAGS, shipped
from attention_zoo.tuning import OBJECTIVES, table
from attention_zoo.tuning.search_space import make_search_space

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
LAYERS_PAGE = HERE / "layers.md"
ZOO_PAGE = HERE / "zoo.md"
TUNING_PAGE = HERE / "tuning.md"

#: What each layer is called on here, where it is not one sequence.
_INPUTS = {
    "feature": ["batch, features"],
    "variable_selection": ["batch, features"],
    "cross_attention": ["batch, queries, features", "batch, keys, width"],
    "hierarchical": ["batch, sentences, words, features"],
    "attention_decoder": ["batch, time, features", "batch, keys, width"],
}
_ARGUMENTS = {
    "multi_head": {"num_heads": 2, "key_dim": 2},
    "attention_decoder": {"cell": {"class_name": "GRUCell", "config": {"units": 23}}, "units": 19},
    "luong": {"units": 19},
    "bahdanau": {"units": 19},
    "conjunctive": {"units": 19},
}
#: One size for each name, so that shapes can be read back as names.
_SIZES = {"batch": 5, "time": 7, "features": 3, "queries": 11, "keys": 13, "width": 17,
          "units": 19, "sentences": 29, "words": 31, "heads": 2}  # fmt: skip


def model_table() -> str:
    """The presets that an architecture's name alone loads, from their cards."""
    rows = [
        "| preset | parameters | accuracy | RMA | RMA of plain softmax | accuracy, uniform |",
        "|---|---|---|---|---|---|",
    ]
    for architecture, tag in sorted(DEFAULT_TAGS.items()):
        name = f"{architecture}.{tag}"
        card = read_card(name)
        ours, softmax, uniform = (card.study[v]["median"] for v in ("ours", "softmax", "uniform"))
        rows.append(
            f"| `{name}` | {card.parameters} | {ours['accuracy']:.4f} "
            f"| {ours['relevance_mass_accuracy']:.3f} "
            f"| {softmax['relevance_mass_accuracy']:.3f} | {uniform['accuracy']:.4f} |"
        )
    return "\n".join(rows) + "\n"


def zoo_page() -> str:
    """The page of the presets, a row each, from their cards."""
    rows = [
        "| preset | parameters | figure | ours, from-to | uniform | RMA, from-to | softmax's RMA "
        "| AUPRC | TPR/FDR % | made on |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for name in sorted(entry.name for entry in shipped().iterdir() if (entry / CARD).is_file()):
        card = read_card(name)
        recipe, study = card.recipe, card.study
        ours, softmax, uniform = (study[v]["median"] for v in ("ours", "softmax", "uniform"))
        figure = cards.metric(card)
        runs = study["ours"]["runs"]
        selection = "" if "auprc" not in ours else (
            f"{100 * ours['true_positive_rate']:.0f}/{100 * ours['false_discovery_rate']:.0f}"
        )  # fmt: skip
        cells = [
            f"`{name}`", str(card.parameters), figure, _spread(runs, figure),
            _number(uniform.get(figure)), _spread(runs, "relevance_mass_accuracy"),
            _number(softmax["relevance_mass_accuracy"]), _number(ours.get("auprc")), selection,
            card.versions["backend"],
        ]  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
        others = {key: ours[key] for key in ours if "_at_" in key}
        note = f"- `{name}` ({recipe['task']}): published: {card.published or 'none'}."
        if others:
            figures = ", ".join(f"{k.replace('_', ' ')} {_number(v)}" for k, v in others.items())
            note += f" At other sizes: {figures}."
        notes.append(f"{note} {cards.verdict(card)} Not for: {card.limits}".replace("  ", " "))
    return (
        "# The zoo\n\n"
        "Made by `python docs/make_tables.py` from the presets' cards, which the code that\n"
        "measured them filled. Each row is remade by `attention-zoo train --recipe NAME --seeds 5\n"
        "--out FOLDER`, and measured on fresh draws by `attention-zoo evaluate NAME`.\n\n"
        "Medians of 5 seeds, of the controls 3, on 10,000 held-out samples. *Uniform* is the same\n"
        "recipe with its attention frozen to the same weight everywhere. *RMA* is relevance mass\n"
        "accuracy: the share of all attention that lies where the answer is. *AUPRC* asks\n"
        "how well attention ranks the cells; *TPR* and *FDR* are those of the cells with any\n"
        "attention. [long_memory.md](long_memory.md) has adding and multiplication at more\n"
        "lengths.\n\n" + "\n".join(rows) + "\n\n" + "\n".join(notes) + "\n"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if abs(value) < 0.1 else f"{value:.4f}"


def _spread(runs: list[dict[str, float]], key: str) -> str:
    values = [run[key] for run in runs]
    return f"{_number(statistics.median(values))} ({_number(min(values))}-{_number(max(values))})"


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


def hyperparameter_table() -> str:
    """One row a hyperparameter: its full name, default and values."""
    rows = ["| name | default | values |", "|---|---|---|"]
    known = {
        name: entry
        for architecture in table.FACTORIES
        for name, entry in make_search_space([architecture]).entries.items()
    }
    del known["attention"]  # whose values are the layers that fit
    places = [*table.FACTORIES, "attention", *known]
    same: dict[tuple, list[str]] = {}
    for name in sorted(known, key=lambda name: places.index(name.split("/")[0])):
        one = known[name]
        facts = (name.rpartition("/")[2], one.default, one.values, one.low, one.high)
        same.setdefault(facts, []).append(name)
    for (_, default, values, low, high), names in same.items():
        allowed = ", ".join(map(_code, values)) or f"{low:g} to {high:g}, logarithmic"
        rows.append(f"| {', '.join(map(_code, names))} | {_code(default)} | {allowed} |")
    return "\n".join(rows) + "\n"


def _code(value: object) -> str:
    return f"`{value}`"


def objective_table() -> str:
    """One row a figure that a search can aim at."""
    rows = ["| objective | better | what it is | for |", "|---|---|---|---|"]
    for name, row in OBJECTIVES.items():
        where = ", ".join(row.kinds) if len(row.kinds) < 3 else "all"
        known = ", where the answer's place is known" if row.truth else ""
        way = "more" if row.direction == "max" else "less"
        rows.append(f"| `{name}` | {way} | {row.about} | {where}{known} |")
    return "\n".join(rows) + "\n"


_TABLES = {
    "models": model_table,
    "hyperparameters": hyperparameter_table,
    "objectives": objective_table,
}


def filled(text: str) -> str:
    """A page with the tables between its marks as the code has them."""
    for name, written in _TABLES.items():
        begin, end = f"<!-- {name}: python docs/make_tables.py -->\n", f"<!-- end of {name} -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            text = before + begin + written() + end + rest.partition(end)[2]
    return text


if __name__ == "__main__":
    for page in (README, TUNING_PAGE):
        page.write_text(filled(page.read_text("utf-8")), "utf-8")
    ZOO_PAGE.write_text(zoo_page(), "utf-8")
    LAYERS_PAGE.write_text(layers_page(), "utf-8")
