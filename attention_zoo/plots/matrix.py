"""Which query attends to which key, of one head or of all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_zoo.plots import style


def plot_alignment(
    scores: Any,
    *,
    truth: Any = None,
    visible: Any = None,
    query_names: Any = None,
    key_names: Any = None,
    title: str = "",
) -> Figure:
    """Draw the alignment of one sample: a row for each query, a column for each key.

    Args:
        scores: `(queries, keys)`.
        truth: more than 0 on relevant cells, of the same shape, or None.
        visible: booleans `(keys,)`, False on padding, which is grey, and so are queries that
            attend to nothing; or None.
        query_names, key_names: labels of the queries and keys; by default numbers.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays or names that do not fit each other.

    Example:

    >>> from attention_zoo.plots import plot_alignment
    >>> figure = plot_alignment([[0.9, 0.1], [0.2, 0.8]], query_names=["le", "chat"])
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['le', 'chat']
    """
    cells = _padded(style.checked("scores", scores, (2,)), visible)
    queries, keys = cells.shape
    width, height = _inches(keys), _inches(queries)
    figure = style.new_figure(width + 1.4, height + 0.9, title)
    axes = figure.add_subplot()
    shown = style.image(axes, cells)
    if truth is not None:
        style.outline(axes, style.checked("truth", truth, (2,), cells.shape) > 0)
    style.label(axes, "x", keys, key_names, title="key", room=width)
    style.label(axes, "y", queries, query_names, title="query", room=height)
    style.scale(figure, shown, axes, height)
    return figure


def plot_heads(
    scores: Any,
    *,
    visible: Any = None,
    query_names: Any = None,
    key_names: Any = None,
    title: str = "",
) -> Figure:
    """Draw the heads of one sample side by side, on one scale.

    Args:
        scores: `(heads, queries, keys)`, or `(hops, time)` of several learned queries.
        visible: as in `plot_alignment`.
        query_names, key_names: labels of the queries and keys; by default numbers.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays or names that do not fit each other.

    Example:

    >>> import numpy as np
    >>> from attention_zoo.plots import plot_heads
    >>> len(plot_heads(np.full((4, 7, 5), 0.2)).axes)  # with the colour scale
    5
    """
    scores = style.checked("scores", scores, (2, 3)).astype("float64")
    if scores.ndim == 2:
        names = [f"hop {i}" for i in range(len(scores))]
        return plot_alignment(
            scores, visible=visible, query_names=names, key_names=key_names, title=title
        )
    heads, queries, keys = scores.shape
    columns = min(heads, 4)
    rows = math.ceil(heads / columns)
    width, height = 0.6 * _inches(keys), 0.6 * _inches(queries)
    figure = style.new_figure(
        min(15, columns * width + 1.2), min(20, rows * (height + 0.4) + 0.6), title
    )
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    cells = [_padded(head, visible) for head in scores]
    most = float(np.nanmax(cells, initial=0.0)) or 1.0
    shown = None
    for head, axes in enumerate(grid.flat):
        if head >= heads:
            axes.set_visible(False)
            continue
        shown = style.image(axes, cells[head], most)
        axes.set_title(f"head {head}", fontsize=9, loc="left")
        last = head + columns >= heads
        style.label(axes, "x", keys, key_names, title="key" if last else "", room=width)
        first = head % columns == 0
        style.label(axes, "y", queries, query_names, title="query" if first else "", room=height)
        axes.tick_params(labelbottom=last, labelleft=first)
    style.scale(figure, shown, grid, rows * height)
    return figure


def _padded(cells: np.ndarray, visible: Any) -> np.ndarray:
    if visible is None:
        return cells
    visible = style.checked("visible", visible, (1,), (cells.shape[1],)).astype(bool)
    # The weights of a query that is padding are exactly 0
    attending = (cells != 0).any(1, keepdims=True)
    return np.where(visible[None] & attending, cells.astype("float64"), np.nan)


def _inches(cells: int) -> float:
    return min(9.0, max(2.4, 0.28 * cells))
