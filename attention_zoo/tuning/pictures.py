"""Pictures of a search: its progress, its points, what mattered, and the trade-offs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from attention_zoo.core import files
from attention_zoo.core.registry import one_of
from attention_zoo.plots import style
from attention_zoo.tuning.folder import TrialResult
from attention_zoo.tuning.objectives import OBJECTIVES, signed

#: As many hyperparameters as a page has room for.
_MOST = 12

#: A cost whose values differ by more than such a factor is drawn on a logarithmic axis.
_WIDE = 10


class Search(Protocol):
    """What a picture takes from `tuning.Search`, which draws itself by these functions."""

    @property
    def objectives(self) -> tuple[str, ...]: ...
    @property
    def trials(self) -> list[TrialResult]: ...
    @property
    def completed(self) -> list[TrialResult]: ...
    @property
    def best(self) -> TrialResult: ...
    @property
    def default(self) -> TrialResult: ...
    def pareto(self, *objectives: str) -> list[TrialResult]: ...
    def importance(self) -> dict[str, float]: ...


def progress(search: Search, objectives: Sequence[str]) -> Figure:
    """The metric of each trial and the best so far, over the trials."""
    name = objectives[0]
    figure = style.new_figure(7, 3.2)
    axes = figure.add_subplot()
    numbers = [one.trial for one in search.completed]
    values = [one.metrics[name] for one in search.completed]
    spreads = [one.spread(name) for one in search.completed]
    best = np.maximum if OBJECTIVES[name].direction == "max" else np.minimum
    axes.errorbar(
        numbers, values, spreads if any(spreads) else None, fmt="o", color=style.BLUE,
        markersize=4, linewidth=1, label="trial",
    )  # fmt: skip
    axes.step(numbers, best.accumulate(values), where="post", color=style.DARK, label="best so far")
    failed = [one.trial for one in search.trials if one.status == "FAILED"]
    if failed:
        axes.plot(failed, [min(values)] * len(failed), "x", color=style.PINK, label="failed")
    axes.set_xlabel("trial (0 is the default)")
    axes.set_ylabel(_words(name))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    style.plain(axes)
    return figure


def parallel(search: Search, objectives: Sequence[str]) -> Figure:
    """A line for each trial through its hyperparameters, darker the better."""
    name = objectives[0]
    trials = sorted(search.completed, key=lambda one: signed(name, one.metrics[name]))
    names = _varied(search)[:_MOST]
    figure = style.new_figure(max(5, 1.1 * (len(names) + 2)), 3.8)
    axes = figure.add_subplot()
    columns = [_placed([one.values.get(n) for one in trials]) for n in names]
    columns.append(_placed([one.metrics[name] for one in trials]))
    shades = style.colours()(np.linspace(0.25, 1.0, len(trials)))
    for row, shade in enumerate(shades):
        heights = [places[row] for places, _ in columns]
        axes.plot(
            range(len(columns)), heights, color=shade, linewidth=1.2, marker="o", markersize=3
        )
    for column, (_, ticks) in enumerate(columns):
        axes.axvline(column, color=style.PADDING, linewidth=0.8, zorder=0)
        for height, text in ticks:
            axes.text(column + 0.04, height, style.literal(text), fontsize=6, va="center")
    axes.set_xticks(range(len(columns)), [_short(n) for n in [*names, _words(name)]], fontsize=7)
    axes.set_yticks([])
    axes.set_title(f"darker is better in {_words(name)}", fontsize=9, loc="left")
    style.plain(axes)
    return figure


def importance(search: Search, objectives: Sequence[str]) -> Figure:
    """The share of the objective's variance that each hyperparameter explains alone."""
    shares = list(search.importance().items())[:_MOST]
    figure = style.new_figure(6, 1 + 0.28 * max(1, len(shares)))
    axes = figure.add_subplot()
    axes.barh([name for name, _ in shares][::-1], [share for _, share in shares][::-1],
              color=style.BLUE)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"share of the variance of {_words(search.objectives[0])}")
    axes.tick_params(labelsize=8)
    style.plain(axes)
    return figure


def pareto(search: Search, objectives: Sequence[str]) -> Figure:
    """Objective against objective; the Pareto front is joined."""
    if len(objectives) < 2:
        raise ValueError(
            f"kind='pareto' needs two objectives or more. Received: {', '.join(objectives)}"
        )
    first, *others = objectives
    figure = style.new_figure(4.2 * len(others), 3.8)
    for place, other in enumerate(others, start=1):
        axes = figure.add_subplot(1, len(others), place)
        _trade_off(axes, search, first, other)
    return figure


def _trade_off(axes: Axes, search: Search, first: str, other: str) -> None:
    front = search.pareto(first, other)
    for some, colour, size, words in (
        (search.completed, style.PADDING, 18, "trial"),
        (front, style.BLUE, 34, "Pareto front"),
        ([search.default], style.ORANGE, 34, "the default"),
    ):
        shown = [one for one in some if one.status == "COMPLETED"]
        axes.scatter(
            [one.metrics[other] for one in shown], [one.metrics[first] for one in shown],
            s=size, color=colour, label=words,
        )  # fmt: skip
    ordered = sorted(front, key=lambda one: one.metrics[other])
    axes.plot(
        [one.metrics[other] for one in ordered], [one.metrics[first] for one in ordered],
        color=style.BLUE, linewidth=1,
    )  # fmt: skip
    for one in ordered:
        axes.annotate(
            str(one.trial), (one.metrics[other], one.metrics[first]), (4, 3),
            textcoords="offset points", fontsize=7,
        )  # fmt: skip
    costs = [one.metrics[other] for one in search.completed]
    cost = OBJECTIVES[other].direction == "min" and min(costs) > 0
    if cost and max(costs) > _WIDE * min(costs):
        # What is worth having is small, and would lie on one line beside the largest
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(LogFormatter(minor_thresholds=(2, 0.6)))
        axes.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.6)))
    axes.set_xlabel(f"{_words(other)} ({_way(other)})")
    axes.set_ylabel(f"{_words(first)} ({_way(first)})")
    axes.legend(frameon=False, fontsize=7)
    style.plain(axes)


KINDS: dict[str, Callable[[Search, Sequence[str]], Figure]] = {
    "progress": progress, "parallel": parallel, "importance": importance, "pareto": pareto,
}  # fmt: skip


def draw(search: Search, kind: str, objectives: tuple[str, ...]) -> Figure:
    """One of the pictures; see `Search.plot`."""
    if kind not in KINDS:
        raise one_of("kind", kind, KINDS)
    for name in objectives:
        if name not in search.best.metrics or name not in OBJECTIVES:
            raise one_of("objective", name, set(search.best.metrics) & set(OBJECTIVES))
    return KINDS[kind](search, objectives)


def write_pictures(search: Search, folder: Path) -> None:
    """Write `progress.png`, `parallel.png`, with scikit-learn `importance.png`, and for several
    objectives `pareto.png`."""
    known = {"pareto": len(search.objectives) > 1, "importance": _has_importance()}
    for kind in KINDS:
        if known.get(kind, True):
            with files.new_file(folder / f"{kind}.png", overwrite=True) as scratch:
                draw(search, kind, search.objectives).savefig(scratch, dpi=130)


def _has_importance() -> bool:
    return importlib.util.find_spec("sklearn") is not None


def _varied(search: Search) -> list[str]:
    """The hyperparameters with several values, the most important first where that is known."""
    if _has_importance():
        return list(search.importance())
    names = dict.fromkeys(n for one in search.completed for n in one.values if "tuner/" not in n)
    return [n for n in names if len({one.values.get(n) for one in search.completed}) > 1]


def _placed(values: list[Any]) -> tuple[list[float], list[tuple[float, str]]]:
    """Heights between 0 and 1 for some values, those that are missing at the bottom, and ticks."""
    there = [value for value in values if value is not None]
    if there and isinstance(there[0], float) and len(set(there)) > 6:
        low, high = min(there), max(there)
        logarithmic = low > 0 and high > 20 * low
        scale = np.log if logarithmic else np.asarray
        span = float(scale(high) - scale(low)) or 1.0
        heights = [-0.08 if v is None else float(scale(v) - scale(low)) / span for v in values]
        return heights, [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]
    distinct = sorted(set(there))
    room = max(1, len(distinct) - 1)
    at = {value: number / room for number, value in enumerate(distinct)}
    ticks = [(height, f"{v:.3g}" if isinstance(v, float) else str(v)) for v, height in at.items()]
    return [-0.08 if value is None else at[value] for value in values], ticks


def _words(name: str) -> str:
    return name.replace("_", " ")


def _way(name: str) -> str:
    return "more is better" if OBJECTIVES[name].direction == "max" else "less is better"


def _short(name: str) -> str:
    """A full name over two lines."""
    above, _, own = name.rpartition("/")
    return f"{above}\n{own}" if above else name
