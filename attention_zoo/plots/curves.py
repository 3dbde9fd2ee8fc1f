"""The prediction while more and more of the input is erased or shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_zoo.plots import style


def plot_curves(curves: Mapping[str, Any], *, title: str = "") -> Figure:
    """Draw deletion and insertion curves beside those of random rankings, with their areas.

    Args:
        curves: by name, what `deletion` and `insertion` return: `fractions` `(points,)`, and
            `scores` and `random` `(samples, points)`.
        title: a line above the picture.

    Returns:
        The `Figure`: means over the samples, in bands from the 10 % to the 90 % quantile.

    Raises:
        ValueError: for an empty mapping, or arrays that do not fit each other.

    Example:

    >>> model = az.load("lstm_after")
    >>> x = az.tasks.get("planted_step").sample(20, split="test").x
    >>> scores = az.attention_scores(model, x)["attention"]
    >>> from attention_zoo.plots import plot_curves
    >>> figure = plot_curves({"deletion": az.metrics.deletion(model, x, scores)})
    >>> len(figure.axes)
    1
    """
    if not curves:
        raise ValueError("`curves` must hold at least one curve.")
    figure = style.new_figure(4.6 * len(curves), 3.6, title)
    several = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (name, curve) in zip(several, curves.items(), strict=True):
        fractions = style.checked("fractions", curve.fractions, (1,))
        for values, colour, line, what in (
            (curve.random, style.ORANGE, "--", "random ranking"),
            (curve.scores, style.BLUE, "-", "this ranking"),
        ):
            values = style.checked(what, values, (2,))
            style.checked(what, values[0], (1,), fractions.shape)
            mean = values.mean(0)
            area = float((np.diff(fractions) * (mean[1:] + mean[:-1])).sum() / 2)
            low, high = np.percentile(values, [10, 90], axis=0)
            axes.fill_between(fractions, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(
                fractions, mean, line, color=colour, marker=".", label=f"{what}: area {area:.3f}"
            )
        axes.set_title(style.literal(name), fontsize=10, loc="left")
        axes.set_xlabel("share of the input")
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.17))
        style.plain(axes)
    several[0].set_ylabel("prediction")
    return figure
