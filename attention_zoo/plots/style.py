"""What all pictures share: colours for colour-blind readers and grey printers, and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attention_zoo.core import arrays
from attention_zoo.core.parsing import printable

# Okabe and Ito's colours
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
DARK, PADDING = "#333333", "#BDBDBD"

#: At most so many labels along an axis, of at most so many letters.
_LABELS, _LETTERS = 30, 18

#: At most so many cells along an axis, fewer than a picture has points.
_CELLS = 400


def colours() -> Colormap:
    """White to dark blue, evenly darker, with grey for padding."""
    found = LinearSegmentedColormap.from_list(
        "attention", ["#FFFFFF", "#BFD9EC", "#5BA3D0", "#1F6FA8", "#08306B"]
    )
    return found.with_extremes(bad=PADDING)


def signed_colours() -> Colormap:
    """Dark orange below 0, white at 0, dark blue above, with grey for padding."""
    found = LinearSegmentedColormap.from_list(
        "contributions", ["#7F3B08", "#E69F00", "#FFFFFF", "#5BA3D0", "#08306B"]
    )
    return found.with_extremes(bad=PADDING)


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """Return an empty figure without a window."""
    figure = Figure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(literal(title), fontsize=10, x=0.01, ha="left")
    return figure


def literal(text: Any, most: int = 120) -> str:
    """Return a text without Matplotlib's mathematics, with unprintable marks escaped, cut if
    long."""
    text = printable(" ".join(str(text).split()))
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text.replace("$", r"\$")


def label(
    axes: Axes,
    which: str,
    size: int,
    names: Sequence[Any] | None = None,
    *,
    title: str = "",
    room: float = 6.0,
) -> None:
    """Label an axis of `size` cells by as many names or numbers as `room` inches hold.

    ValueError for names of another number.
    """
    checked_names("names", names, size)
    most = min(_LABELS, max(2, int(room / 0.18)))
    ticks = MaxNLocator(most - 1, steps=[1, 2, 5, 10], integer=True).tick_values(0, size - 1)
    at = [int(tick) for tick in ticks if 0 <= tick < size]
    labels = [str(i) if names is None else literal(names[i], _LETTERS) for i in at]
    if which == "x":
        turned = 90 if max(map(len, labels), default=0) > 3 else 0
        axes.set_xticks(at, labels, rotation=turned, fontsize=8)
        axes.set_xlabel(title)
    else:
        axes.set_yticks(at, labels, fontsize=8)
        axes.set_ylabel(title)


def checked_names(argument: str, names: Sequence[Any] | None, size: int) -> None:
    """ValueError for names of another number than there are cells."""
    if names is not None and len(names) != size:
        raise ValueError(f"`{argument}` must have {size} labels. Received: {len(names)}")


def checked(argument: str, array: Any, ranks: tuple[int, ...], shape: tuple | None = None) -> Any:
    """An array of numbers of one of these ranks, or of this shape; ValueError for another."""
    array = np.asarray(array)
    if array.ndim not in ranks or array.size == 0 or array.dtype.kind not in "fiub":
        allowed = " or ".join(map(str, ranks))
        raise ValueError(
            f"`{argument}` must be an array of numbers of rank {allowed}, not empty. "
            f"Received: shape {array.shape}, dtype {array.dtype}"
        )
    if shape is not None and array.shape != shape:
        raise ValueError(f"`{argument}` must have the shape {shape}. Received: {array.shape}")
    arrays.finite(argument, array)
    return array


def image(axes: Axes, cells: np.ndarray, most: float | None = None) -> Any:
    """Draw cells `(rows, columns)` in colour, on a scale that begins at 0, or has 0 in its middle
    where cells are below it; NaN is padding.

    Of more cells than the picture has points each point shows the largest, so that a single one
    keeps its colour.
    """
    rows, columns = cells.shape
    signed = bool(np.any(cells < 0))
    if most is None:
        most = float(np.max(np.abs(cells), initial=0.0, where=np.isfinite(cells))) or 1.0
    return axes.imshow(
        np.ma.masked_invalid(_largest(_largest(cells, 0), 1)),
        aspect="auto",
        cmap=signed_colours() if signed else colours(),
        vmin=-most if signed else 0,
        vmax=most,
        interpolation="nearest",
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
    )


def _largest(cells: np.ndarray, axis: int) -> np.ndarray:
    """Return at most `_CELLS` cells along the axis, each the largest of neighbours, of signed ones
    that farthest from 0."""
    size = cells.shape[axis]
    if size <= _CELLS:
        return cells
    starts = np.arange(_CELLS) * size // _CELLS
    # NaN only where all cells are
    cells = np.asarray(cells, "float64")
    above, below = (reduce.reduceat(cells, starts, axis=axis) for reduce in (np.fmax, np.fmin))
    return np.where(-below > np.maximum(above, 0), below, above)


def scale(
    figure: Figure, mappable: Any, axes: Any, height: float, title: str = "attention"
) -> None:
    """Draw the colour scale beside axes of so many inches, as wide beside low ones as beside high
    ones."""
    bar = figure.colorbar(mappable, ax=axes, fraction=0.03, pad=0.015, aspect=max(3, 8 * height))
    bar.set_label(title if height > 1 else "")
    bar.ax.tick_params(labelsize=8)
    if height <= 1:
        bar.locator = MaxNLocator(1)
        bar.ax.set_title(title, fontsize=8, loc="right")


def outline(axes: Axes, cells: np.ndarray) -> None:
    """Draw a line around the cells `(rows, columns)` that are True."""
    cells = np.asarray(cells, bool)
    if not cells.any():
        return
    padded = np.pad(cells, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    down = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    style: dict[str, Any] = {"colors": ORANGE, "linewidth": 1.6, "clip_on": False, "zorder": 3}
    if len(across):
        rows, columns = across.T
        axes.hlines(rows - 0.5, columns - 0.5, columns + 0.5, **style)
    if len(down):
        rows, columns = down.T
        axes.vlines(columns - 0.5, rows - 0.5, rows + 0.5, **style)


def plain(axes: Axes) -> None:
    """Hide the lines at the top and right, and use small numbers."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
