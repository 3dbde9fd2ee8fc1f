"""The page of `benchmarks.saliency`, from what it measured."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.saliency_published_page import NAMES, published

METHODS = ("attention", "softmax attention", "gradient", "integrated gradients", "occlusion",
           "rescaled gradient", "random", "truth on that axis")  # fmt: skip

MEASURES = {
    "auprc": ("AUPRC", "Are relevant cells ranked above the others? Average precision over the "
              "cells of all samples;\nchance reaches the share of cells that are relevant."),
    "rma": ("Relevance mass accuracy", "How much of all that a method gives lies on relevant "
            "cells."),
    "aup": ("AUP", "The area under the precision over all thresholds, of scores scaled to 0 to 1 "
            "in each sample\n(Crabbé and van der Schaar, 2021)."),
    "aur": ("AUR", "The area under the recall over the same thresholds: low for whatever is "
            "sparse."),
    "lost": ("Accuracy lost", "What the model's accuracy loses, in points of 100, when the 10 % "
             "of cells that a method ranks\nhighest are redrawn, each from another sample: mean "
             "of 5 draws. It needs no truth."),
}  # fmt: skip


def page(results: dict[str, dict[str, Any]]) -> str:
    """The tables, one a measure, with what was run, and what others published beside ours."""
    everything = results
    results = {name: seeds for name, seeds in results.items() if name not in NAMES}
    parts = [
        "# Attention and other methods where the truth is known\n\n"
        "Made by `python -m benchmarks.saliency`. Each row is a task, each column a method, each\n"
        "value the median over the seeds that were run. All methods but softmax attention\n"
        "explain one model, that of the preset's recipe, on held-out samples; softmax attention\n"
        "is that of the same model trained with plain softmax. Magnitudes are compared, signs\n"
        "are not.\n\n"
        "All is measured on the cells of the input. Attention over time is spread over the\n"
        "features of a step. No attention here has both axes at once, so the last column says\n"
        "what the truth itself would reach, spread like the attention: a box of 30 of 50 features\n"
        "cannot be told from its rows.\n\n"
        "Integrated gradients: 256 points from the mean sample; where the prediction jumps in a\n"
        "narrow part of the path even these miss some, and the gap in the first table is the part\n"
        "of the prediction that is not attributed. Occlusion: a cell at a time, its\n"
        "value drawn from another sample; the mean of 5 draws, on the boxes and the hidden state\n"
        "of 1. Rescaled gradient: temporal saliency rescaling (Ismail et al., 2020) of the\n"
        "gradient, the variant that leaves out a feature at all steps; for series only. Boxes:\n"
        "Ismail et al., 2020, 50 steps of 50 features, 1,000 training samples.\n",
        _runs(results),
    ]
    for key, (title, about) in MEASURES.items():
        first = _first(results, key) if key != "aur" else ""
        parts.append(f"## {title}\n\n{about}{first}\n\n" + _table(results, key))
        if key == "auprc":
            several = {name: seeds for name, seeds in results.items() if len(seeds) > 1}
            parts.append("The least over the seeds, where more than one was run:\n")
            parts.append(_table(several, key, min))
    parts.append(published(everything))
    return "\n".join(parts)


def _runs(results: dict[str, dict[str, Any]]) -> str:
    rows = ["## What was run\n",
            "| task | model | attention over | samples | seeds | accuracy | with softmax | gap |",
            "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, seeds in results.items():
        first = next(iter(seeds.values()))
        preset = " (preset)" if any(found["preset"] for found in seeds.values()) else ""
        axis = {"temporal": "time", "feature": "features", "pooling": "time"}
        rows.append(
            f"| {name} | {first['architecture']}{preset} "
            f"| {axis.get(first['attention'], first['attention'])} | {first['shape'][0]:,} "
            f"| {len(seeds)} | {_median(seeds, lambda found: found['accuracy']):.3f} "
            f"| {_median(seeds, lambda found: found['softmax accuracy']):.3f} "
            f"| {_median(seeds, lambda found: found['gap']):.3f} |"
        )
    return "\n".join(rows) + "\n"


def _table(results: dict[str, dict[str, Any]], key: str, over: Any = statistics.median) -> str:
    rows = [f"| task | {' | '.join(METHODS)} |", "|---" * (len(METHODS) + 1) + "|"]
    for name, seeds in results.items():
        cells = []
        for method in METHODS:
            if not all(method in found["methods"] for found in seeds.values()):
                cells.append("")
                continue
            value = over(found["methods"][method][key] for found in seeds.values())
            cells.append(f"{100 * value:.1f}" if key == "lost" else f"{value:.3f}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _first(results: dict[str, dict[str, Any]], key: str) -> str:
    """In how many rows each method has the highest figure, to three digits."""
    counts = dict.fromkeys(METHODS[:-1], 0)
    for seeds in results.values():
        values = {
            method: round(_median(seeds, lambda found, m=method: found["methods"][m][key]), 3)
            for method in counts
            if all(method in found["methods"] for found in seeds.values())
        }
        for method, value in values.items():
            counts[method] += value == max(values.values())
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return (
        f"\nHighest, alone or with others, of {len(results)} rows: "
        + ", ".join(f"{method} {count}" for method, count in ranked)
        + "."
    )


def _median(seeds: dict[str, Any], of: Any) -> float:
    return statistics.median(of(found) for found in seeds.values())
