"""Many samples at once: attention, its largest cell, and the truth, in three rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_zoo.plots import style


def plot_rows(
    profile: Any,
    *,
    truth: Any = None,
    visible: Any = None,
    names: Any = None,
    title: str = "",
) -> Figure:
    """Samples from top to bottom, indices from left to right: attention, then where it is
    largest, then the truth where that is known.

    Args:
        profile: attention per index, `(samples, indices)`.
        truth: more than 0 where the answer is, of the same shape, or None.
        visible: booleans of the same shape, False on padding, which is grey; or None.
        names: one label an index; by default its number.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays or names that do not fit each other.
    """
    profile = style.checked("profile", profile, (2,)).astype("float64")
    largest = (profile == profile.max(1, keepdims=True)) & (profile > 0)
    panels = [("attention", profile), ("where it is largest", largest.astype("float64"))]
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
        # A mean over samples hides what this shows: whether each one is right
        shown = style.image(axes, cells, None if name == "attention" else 1.0)
        axes.set_title(name, fontsize=9, loc="left")
        style.label(axes, "y", len(cells), title="sample", room=height)
        if name == "attention":
            style.scale(figure, shown, axes)
    style.label(several[-1], "x", count, names, title="index" if names is None else "", room=width)
    return figure
