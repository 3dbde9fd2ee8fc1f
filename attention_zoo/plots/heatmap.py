"""Attention over time and features, below the series."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_zoo.plots import style

#: Up to so many features, the series are drawn as lines.
_LINES = 6


def plot_heatmap(
    scores: Any,
    x: Any,
    *,
    truth: Any = None,
    visible: Any = None,
    step_names: Any = None,
    feature_names: Any = None,
    row_name: str | None = None,
    title: str = "",
) -> Figure:
    """Draw one sample: its series above, its attention below, on the same time axis.

    Scores below 0, such as contributions have, are orange.

    Args:
        scores: attention of the sample, `(time, features)`, or `(time,)` for attention over steps.
        x: the series, `(time, features)`.
        truth: more than 0 on relevant cells, of the shape of the scores or `(time,)`, or None.
        visible: booleans `(time,)`, False on padding, which is grey; or None.
        step_names, feature_names: labels of the steps and features; by default numbers.
        row_name: what a row of the scores is; by default a feature where there are as many as in
            the series, else a unit.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays or names that do not fit each other.

    Example:

    >>> import numpy as np
    >>> from attention_zoo.plots import plot_heatmap
    >>> figure = plot_heatmap(np.full(7, 1 / 7), np.random.normal(size=(7, 2)))
    >>> figure.axes[0].get_ylabel(), figure.axes[1].get_xlabel()
    ('value', 'time step')
    """
    scores = style.checked("scores", scores, (1, 2)).astype("float64")
    steps = scores.shape[0]
    x = style.checked("x", x, (1, 2)).astype("float64")
    x = x[:, None] if x.ndim == 1 else x
    if len(x) != steps:
        raise ValueError(f"`x` must have {steps} time steps. Received: {len(x)}")
    style.checked_names("feature_names", feature_names, x.shape[1])
    if truth is not None:
        shape = scores.shape[: np.ndim(truth)] if np.ndim(truth) == 1 else scores.shape
        truth = style.checked("truth", truth, (1, 2), shape) > 0
        truth = truth[:, None] if truth.ndim == 1 else truth
        truth = np.broadcast_to(truth, (steps, scores[0].size))
    cells = scores[:, None] if scores.ndim == 1 else scores
    if visible is not None:
        hidden = ~style.checked("visible", visible, (1,), (steps,)).astype(bool)
        cells = np.where(hidden[:, None], np.nan, cells)
        x = np.where(hidden[:, None], np.nan, x)
    width = min(14, max(6, 0.22 * steps))
    below = min(4.0, max(0.7, 0.22 * cells.shape[1]))
    figure = style.new_figure(width, 2.2 + below + 0.6, title)
    above, under = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, below])
    _draw(figure, above, x, feature_names)
    shown = style.image(under, cells.T)
    if truth is not None:
        style.outline(under, truth.T)
    style.scale(figure, shown, under, below, "contribution" if row_name else "attention")
    style.label(under, "x", steps, step_names, title="time step", room=width)
    if cells.shape[1] > 1:
        # After a recurrent layer the rows are its units
        own = row_name is None and cells.shape[1] == x.shape[1]
        names, axis = (feature_names, "feature") if own else (None, row_name or "unit")
        style.label(under, "y", cells.shape[1], names, title=axis, room=below)
    else:
        under.set_yticks([])
    return figure


def _draw(figure: Figure, axes: Any, x: np.ndarray, names: Any) -> None:
    if x.shape[1] <= _LINES:
        lines = [style.BLUE, style.ORANGE, style.GREEN, style.PINK, style.DARK, "#56B4E9"]
        styles = ["-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1))]
        for i, series in enumerate(x.T):
            text = f"feature {i}" if names is None else style.literal(names[i])
            axes.plot(series, color=lines[i], linestyle=styles[i], linewidth=1.2, label=text)
        if x.shape[1] > 1 or names is not None:
            axes.legend(
                frameon=False,
                fontsize=8,
                ncols=min(6, x.shape[1]),
                loc="lower right",
                bbox_to_anchor=(1, 1),
                borderaxespad=0,
            )
        axes.set_ylabel("value")
        style.plain(axes)
        return
    most = np.nanmax(np.abs(x)) if np.isfinite(x).any() else 1.0
    shown = axes.imshow(
        # Its lightness grows evenly: signs survive without colours
        np.ma.masked_invalid(x.T),
        aspect="auto",
        cmap="viridis",
        vmin=-most,
        vmax=most,
        interpolation="nearest" if len(x) <= 400 else "auto",
    )
    axes.set_facecolor(style.PADDING)
    style.label(axes, "y", x.shape[1], names, title="feature", room=2.2)
    style.scale(figure, shown, axes, 2.2, "value")
