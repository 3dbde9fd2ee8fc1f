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
from attention_zoo.plots import style
from attention_zoo.tuning.folder import TrialResult, varied
from attention_zoo.tuning.objectives import OBJECTIVES, signed

#: As many hyperparameters as a page has room for.
_MOST = 12

#: A cost whose values differ by more than such a factor is drawn on a logarithmic axis.
_WIDE = 10


class Trials(Protocol):
    """What is drawn: a `Search`, whose module imports this one."""

    @property
    def objectives(self) -> tuple[str, ...]:
        """What was aimed at."""

    @property
    def trials(self) -> list[TrialResult]:
        """All trials."""

    @property
    def completed(self) -> list[TrialResult]:
        """The trials with metrics."""

    def pareto(self, *objectives: str) -> list[TrialResult]:
        """The trials on the Pareto front."""

    def importance(self) -> dict[str, float]:
        """What each hyperparameter explains."""

    def plot(self, kind: str = "progress") -> Figure:
        """A picture of a kind."""


def progress(search: Trials, objectives: Sequence[str]) -> Figure:
    """The metric of each trial and the best so far, over the trials."""
    name = objectives[0]
    figure = style.new_figure(7, 3.2)
    axes = figure.add_subplot()
    numbers = [one.trial for one in search.completed]
    values = [one.metrics[name] for one in search.completed]
    best = np.maximum if OBJECTIVES[name].direction == "max" else np.minimum
    spreads = [one.spread(name) for one in search.completed]
    points: Any = {"color": style.BLUE, "markersize": 4, "linewidth": 1, "label": "trial"}
    axes.errorbar(numbers, values, spreads if any(spreads) else None, fmt="o", **points)
    axes.step(numbers, best.accumulate(values), where="post", color=style.DARK, label="best so far")
    failed = [one.trial for one in search.trials if one.status == "FAILED"]
    if failed:
        axes.plot(failed, [min(values)] * len(failed), "x", color=style.PINK, label="failed")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    _finish(axes, "trial (0 is the default)", _words(name))
    return figure


def parallel(search: Trials, objectives: Sequence[str]) -> Figure:
    """A line for each trial through its hyperparameters, darker the better."""
    name = objectives[0]
    trials = sorted(search.completed, key=lambda one: signed(name, one.metrics[name]))
    names = _names(search)[:_MOST]
    figure = style.new_figure(max(5, 1.1 * (len(names) + 2)), 3.8)
    axes = figure.add_subplot()
    columns = [[one.values.get(n) for one in trials] for n in names]
    columns.append([one.metrics[name] for one in trials])
    heights = []
    for column, values in enumerate(columns):
        known, place = _scale(values)
        heights.append([-0.08 if value is None else place(value) for value in values])
        axes.axvline(column, color=style.PADDING, linewidth=0.8, zorder=0)
        for value in known:
            text = style.literal(f"{value:.3g}" if isinstance(value, float) else value)
            axes.text(column + 0.04, place(value), text, fontsize=6, va="center")
    shades = style.colours()(np.linspace(0.25, 1.0, len(trials)))
    for line, shade in zip(np.transpose(heights), shades, strict=True):
        axes.plot(line, color=shade, linewidth=1.2, marker="o", markersize=3)
    axes.set_title(f"darker is better in {_words(name)}", fontsize=9, loc="left")
    _finish(axes)
    labels = ["\n".join(one.rsplit("/", 1)) for one in [*names, _words(name)]]
    axes.set_xticks(range(len(columns)), labels, fontsize=7)
    axes.set_yticks([])
    return figure


def importance(search: Trials, objectives: Sequence[str]) -> Figure:
    """The share of the objective's variance that each hyperparameter explains alone."""
    shares = dict(list(search.importance().items())[:_MOST][::-1])
    figure = style.new_figure(6, 1 + 0.28 * max(1, len(shares)))
    axes = figure.add_subplot()
    axes.barh(list(shares), list(shares.values()), color=style.BLUE)
    axes.set_xlim(0, 1)
    _finish(axes, f"share of the variance of {_words(search.objectives[0])}")
    return figure


def pareto(search: Trials, objectives: Sequence[str]) -> Figure:
    """Objective against objective; the Pareto front is joined."""
    if len(objectives) < 2:
        raise ValueError(
            f"kind='pareto' needs two objectives or more. Received: {', '.join(objectives)}"
        )
    first, *others = objectives
    figure = style.new_figure(4.2 * len(others), 3.8)
    for place, other in enumerate(others, start=1):
        axes = figure.add_subplot(1, len(others), place)
        front = sorted(search.pareto(first, other), key=lambda one: one.metrics[other])
        default = [one for one in search.completed if one.trial == 0]
        for some, colour, size, words in (
            (search.completed, style.PADDING, 18, "trial"),
            (front, style.BLUE, 34, "Pareto front"),
            (default, style.ORANGE, 34, "the default"),
        ):
            x, y = ([one.metrics[name] for one in some] for name in (other, first))
            axes.scatter(x, y, s=size, color=colour, label=words)
            if some is front:
                axes.plot(x, y, color=colour, linewidth=1)
        for one in front:
            at = one.metrics[other], one.metrics[first]
            axes.annotate(str(one.trial), at, (4, 3), textcoords="offset points", fontsize=7)
        costs = [one.metrics[other] for one in search.completed]
        cost = OBJECTIVES[other].direction == "min" and min(costs) > 0
        if cost and max(costs) > _WIDE * min(costs):
            # What is worth having is small, and would lie on one line beside the largest
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(LogFormatter(minor_thresholds=(2, 0.6)))
            axes.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.6)))
        axes.legend(frameon=False, fontsize=7)
        _finish(axes, _way(other), _way(first))
    return figure


KINDS: dict[str, Callable[[Trials, Sequence[str]], Figure]] = {
    one.__name__: one for one in (progress, parallel, importance, pareto)
}


def write_pictures(search: Trials, folder: Path) -> None:
    """Write `progress.png`, `parallel.png`, with scikit-learn `importance.png`, and for several
    objectives `pareto.png`."""
    known = {"pareto": len(search.objectives) > 1, "importance": _has_importance()}
    for kind in KINDS:
        if known.get(kind, True):
            with files.new_file(folder / f"{kind}.png", overwrite=True) as scratch:
                search.plot(kind).savefig(scratch, dpi=130)


def _has_importance() -> bool:
    return importlib.util.find_spec("sklearn") is not None


def _names(search: Trials) -> list[str]:
    """The hyperparameters with several values, the most important first where that is known."""
    return list(search.importance()) if _has_importance() else varied(search.completed)


def _scale(values: list[Any]) -> tuple[list[Any], Callable[[Any], float]]:
    """The values to be named on an axis from 0 to 1, and where each value is on it."""
    known = sorted({value for value in values if value is not None})
    if isinstance(known[0], float) and len(known) > 6:
        low, high = known[0], known[-1]
        scale: Any = np.log if low > 0 and high > 20 * low else np.asarray
        span = float(scale(high) - scale(low))
        return [low, high], lambda value: float(scale(value) - scale(low)) / span
    return known, lambda value: known.index(value) / max(1, len(known) - 1)


def _finish(axes: Axes, x: str = "", y: str = "") -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    style.plain(axes)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _way(name: str) -> str:
    more = OBJECTIVES[name].direction == "max"
    return f"{_words(name)} ({'more' if more else 'less'} is better)"
