"""Attention per index: its mean over the samples, or a row for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_zoo.plots import style

#: Beyond so many indices, bars would be thinner than their gaps.
_BARS = 150


def plot_profile(
    profile: np.ndarray, expected: np.ndarray | None = None, *, names: Any = None, title: str = ""
) -> Figure:
    """Draw the mean attention per index as bars, with its spread and the relevant indices; as a
    line where there are too many indices for bars.

    Args:
        profile: attention per index, `(samples, indices)`.
        expected: the share of samples in which each index is relevant, `(indices,)`, or None.
        names: one label per index; by default its number.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays or names that do not fit each other.

    Example:

    >>> from attention_zoo.plots import plot_profile
    >>> figure = plot_profile([[0.1, 0.9], [0.3, 0.7]], names=["age", "fare"])
    >>> figure.axes[0].get_ylabel()
    'attention'
    """
    profile = style.checked("profile", profile, (2,))
    count = profile.shape[1]
    if expected is not None:
        expected = style.checked("expected", expected, (1,), (count,))
    width = min(14, max(5, 0.3 * count))
    figure = style.new_figure(width, 3.6)
    axes = figure.add_subplot()
    at, mean = np.arange(count), profile.mean(0)
    low, high = np.percentile(profile, [10, 90], axis=0)
    if expected is not None and expected.any():
        shown = expected / expected.max() * 1.02
        axes.fill_between(
            np.repeat(at, 2) + np.tile([-0.5, 0.5], count),
            np.repeat(shown, 2),
            color=style.ORANGE,
            alpha=0.35,
            linewidth=0,
            label="relevant",
        )
    spread = "10 % to 90 % of the samples"
    if count <= _BARS:
        axes.bar(at, mean, width=0.75, color=style.BLUE, label=f"mean of {len(profile)} samples")
        axes.vlines(at, low, high, color=style.DARK, linewidth=1.4, label=spread)
    else:
        axes.fill_between(at, low, high, color=style.DARK, alpha=0.3, linewidth=0, label=spread)
        axes.plot(at, mean, color=style.BLUE, lw=1, label=f"mean of {len(profile)} samples")
    # High enough for uniform attention over many indices, too high for noise to fill the picture
    least = min(0.05, 4 / count)
    axes.set_ylim(0, min(1.02, max(least, 1.15 * max(mean.max(), high.max()))))
    axes.set_xlim(-0.6, count - 0.4)
    style.label(axes, "x", count, names, title="index" if names is None else "", room=width)
    axes.set_ylabel("attention")
    style.plain(axes)
    # The legend goes to the emptier side
    third, tops = max(1, count // 3), np.maximum(mean, high)
    right = tops[-third:].max() <= tops[:third].max()
    axes.legend(frameon=False, fontsize=8, loc="upper right" if right else "upper left")
    if title:
        axes.set_title(style.literal(title), fontsize=10, loc="left")
    return figure


def plot_rows(
    profile: Any,
    *,
    truth: Any = None,
    visible: Any = None,
    names: Any = None,
    title: str = "",
) -> Figure:
    """Draw samples from top to bottom and indices from left to right: attention, its largest
    cell, and the truth where that is known.

    Args:
        profile: attention per index, `(samples, indices)`.
        truth: more than 0 on relevant cells, of the same shape, or None.
        visible: booleans of the same shape, False on padding, which is grey; or None.
        names: one label per index; by default its number.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays or names that do not fit each other.

    Example:

    >>> from attention_zoo.plots import plot_rows
    >>> figure = plot_rows([[0.1, 0.9], [0.3, 0.7]], truth=[[0, 1], [1, 0]])
    >>> [axes.get_title(loc="left") for axes in figure.axes[:3]]
    ['attention', 'largest', 'truth']
    """
    profile = style.checked("profile", profile, (2,)).astype("float64")
    largest = (profile == profile.max(1, keepdims=True)) & (profile > 0)
    panels = [("attention", profile), ("largest", largest.astype("float64"))]
    if truth is not None:
        truth = style.checked("truth", truth, (2,), profile.shape) > 0
        panels.append(("truth", truth.astype("float64")))
    if visible is not None:
        visible = style.checked("visible", visible, (2,), profile.shape).astype(bool)
        panels = [(name, np.where(visible, cells, np.nan)) for name, cells in panels]
    count = profile.shape[1]
    width = min(14, max(5, 0.25 * count))
    height = min(2.6, max(1.0, 0.12 * len(profile)))
    figure = style.new_figure(width, 0.7 + len(panels) * (height + 0.3), title)
    several = figure.subplots(len(panels), 1, sharex=True)
    for axes, (name, cells) in zip(several, panels, strict=True):
        shown = style.image(axes, cells, None if name == "attention" else 1.0)
        axes.set_title(name, fontsize=9, loc="left")
        style.label(axes, "y", len(cells), title="sample", room=height)
        if name == "attention":
            style.scale(figure, shown, axes, height)
    style.label(several[-1], "x", count, names, title="index" if names is None else "", room=width)
    return figure
