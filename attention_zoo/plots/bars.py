"""Attention per index, with its spread over the samples."""

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
    """Bars of the mean attention per index, with its spread and the expected indices; a line
    where there are too many indices for bars.

    Args:
        profile: attention per index, `(samples, indices)`.
        expected: how often the answer is at each index, between 0 and 1, or None.
        names: one label an index; by default its number.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for another rank, or if the number of names is not that of the indices.
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
            np.repeat(at, 2) + np.tile([-0.5, 0.5], count), np.repeat(shown, 2), color=style.ORANGE,
            alpha=0.35, linewidth=0, label="where the answer is",
        )  # fmt: skip
    spread = "10 % to 90 % of the samples"
    if count <= _BARS:
        axes.bar(at, mean, width=0.75, color=style.BLUE, label=f"mean of {len(profile)} samples")
        axes.vlines(at, low, high, color=style.DARK, linewidth=1.4, label=spread)
    else:
        axes.fill_between(at, low, high, color=style.DARK, alpha=0.3, linewidth=0, label=spread)
        axes.plot(at, mean, color=style.BLUE, lw=1, label=f"mean of {len(profile)} samples")
    # So high that even attention of many indices is seen, and noise about it is not the picture
    least = min(0.05, 4 / count)
    axes.set_ylim(0, min(1.02, max(least, 1.15 * max(mean.max(), high.max()))))
    axes.set_xlim(-0.6, count - 0.4)
    style.label(axes, "x", count, names, title="index" if names is None else "", room=width)
    axes.set_ylabel("attention")
    style.plain(axes)
    # On the side where less is drawn
    third, tops = max(1, count // 3), np.maximum(mean, high)
    right = tops[-third:].max() <= tops[:third].max()
    axes.legend(frameon=False, fontsize=8, loc="upper right" if right else "upper left")
    if title:
        axes.set_title(style.literal(title), fontsize=10, loc="left")
    return figure
