"""The part of the page of `benchmarks.saliency` that stands beside published figures."""

from __future__ import annotations

import statistics
from typing import Any

#: What `saliency_published.py` measures, none of it a row of the tables.
NAMES = ("retain", "recurrent")

HIDDEN_STATE = """\
## Beside what is published

On the hidden state, AUPRC over its cells, one figure a seed:

| method | published | here |
|---|---|---|
"""

OTHERS = """
The published values explain other classifiers than ours, trained on draws of the same process, so
that a method's values differ by the model as well.
"""

RETAIN = """
RETAIN's value is that of its contributions, from a RETAIN trained
to predict at the last of the steps it is shown, and evaluated once on the whole series: its weights
explain the prediction at the last step, and say little of the steps before. Evaluated at each step
for that step, with our `retain` layer trained so, the same contributions reach the second value,
and the coefficients alone, without the value of the cell, the third.{accuracy}
"""

RECURRENT = """
## Kendall's tau over recurrent states

Additive attention with softmax, over the states of a BiLSTM and over dense layers that see one step
alone: the mean of Kendall's tau with gradients, with leave-one-out, and of those two, on 200 series
after training, the median over {seeds}. Jain and Wallace, 2019 (arXiv:1902.10186, table
2) found, as means over the samples of twelve data sets of text, with a BiLSTM .08 to .47 for
gradients and .05 to .44 for leave-one-out, and with an encoder of each word alone .48 to .84 for
gradients. Theirs are gradients past the attention, ours go through it; they leave a word out, here
the step of another series takes its place.

| task | states | accuracy | gradients | leave-one-out | of those two |
|---|---|---|---|---|---|
"""


def published(results: dict[str, dict[str, Any]]) -> str:
    """What others published, beside what was measured here."""
    parts = []
    if "hidden_state" in results or "retain" in results:
        parts.append(HIDDEN_STATE + _hidden_state(results) + OTHERS)
    if "retain" in results:
        found = _seeds(results["retain"], "accuracy")
        parts.append(RETAIN.format(accuracy=f" Its accuracy: {found}."))
    if "recurrent" in results:
        seeds = results["recurrent"]
        count = "1 seed" if len(seeds) == 1 else f"{len(seeds)} seeds"
        parts.append(RECURRENT.format(seeds=count) + _recurrent(seeds))
    return "".join(parts)


def _hidden_state(results: dict[str, dict[str, Any]]) -> str:
    runs = results.get("retain", {})
    rows = [("RETAIN, the whole series at once", ".622", _seeds(runs, "whole series"))]
    if runs:
        each, alone = "each step", "coefficients, each step"
        rows += [(f"RETAIN, {key}", "", _seeds(runs, key)) for key in (each, alone)]
    of_methods = {
        seed: {name: value["auprc"] for name, value in found["methods"].items()}
        for seed, found in results.get("hidden_state", {}).items()
    }
    rows.append(("attention over the features", "", _seeds(of_methods, "attention")))
    rows.append(("integrated gradients", ".94", _seeds(of_methods, "integrated gradients")))
    rows.append(("ExtremalMask", ".865", ""))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _seeds(runs: dict[str, dict[str, Any]], key: str) -> str:
    return ", ".join(f"{found[key]:.3f}" for _, found in sorted(runs.items()))


def _recurrent(seeds: dict[str, dict[str, Any]]) -> str:
    rows = []
    for name in next(iter(seeds.values())):
        task, _, states = name.rpartition(", ")
        figures = [
            statistics.median(found[name][key] for found in seeds.values())
            for key in ("accuracy", "gradients", "leave-one-out", "control")
        ]
        rows.append(f"| {task} | {states} | {' | '.join(f'{value:.3f}' for value in figures)} |")
    return "\n".join(rows) + "\n"
