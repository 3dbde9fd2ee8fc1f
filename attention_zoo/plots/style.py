"""What all pictures share: colours that the colour-blind and grey printers tell apart, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

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
    """White to dark blue, evenly darker; padding (what is masked out) is grey."""
    found = LinearSegmentedColormap.from_list(
        "attention", ["#FFFFFF", "#BFD9EC", "#5BA3D0", "#1F6FA8", "#08306B"]
    )
    return found.with_extremes(bad=PADDING)


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """An empty figure that belongs to no window."""
    figure = Figure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(literal(title), fontsize=10, x=0.01, ha="left")
    return figure


def literal(text: Any) -> str:
    """A user's text as it is, which Matplotlib would otherwise read as mathematics; marks that no
    font has are escaped, and long ones are cut."""
    text = printable(" ".join(str(text).split()))
    text = text if len(text) <= 120 else text[:119] + "…"
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
    """Label an axis of `size` cells by names or numbers, as many as `room` inches have place for.

    ValueError for names of another number.
    """
    checked_names("names", names, size)
    most = min(_LABELS, max(2, int(room / 0.18)))
    tens = 10 ** max(0, int(np.log10(max(1, size / most))))
    every = next(n for n in (tens, 2 * tens, 5 * tens, 10 * tens) if n * most >= size)
    at = list(range(0, size, every))
    labels = [str(i) if names is None else _short(names[i]) for i in at]
    if which == "x":
        turned = 90 if max(map(len, labels), default=0) > 3 else 0
        axes.set_xticks(at, labels, rotation=turned, fontsize=8)
        axes.set_xlabel(title)
    else:
        axes.set_yticks(at, labels, fontsize=8)
        axes.set_ylabel(title)


def _short(name: Any) -> str:
    text = " ".join(str(name).split())
    return literal(text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…")


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
    """Cells `(rows, columns)` in colour, on a scale that begins at 0; NaN is padding.

    Where there are more cells than can be told apart, each point shows the largest of its cells,
    so that a single one still has its colour.
    """
    rows, columns = cells.shape
    most = _most(cells) if most is None else most
    return axes.imshow(
        np.ma.masked_invalid(_largest(_largest(cells, 0), 1)), aspect="auto", cmap=colours(),
        vmin=0, vmax=most, interpolation="nearest",
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
    )  # fmt: skip


def _largest(cells: np.ndarray, axis: int) -> np.ndarray:
    """The largest of neighbouring cells, so that there are at most `_CELLS` along the axis."""
    size = cells.shape[axis]
    if size <= _CELLS:
        return cells
    starts = np.arange(_CELLS) * size // _CELLS
    # NaN only where all are
    return np.fmax.reduceat(np.asarray(cells, "float64"), starts, axis=axis)


def _most(cells: np.ndarray) -> float:
    finite = cells[np.isfinite(cells)]
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def scale(figure: Figure, mappable: Any, axes: Any, title: str = "attention") -> None:
    """The colour scale beside the axes."""
    figure.colorbar(mappable, ax=axes, fraction=0.03, pad=0.015, label=title)


def outline(axes: Axes, cells: np.ndarray) -> None:
    """A line around the cells `(rows, columns)` that are True."""
    cells = np.asarray(cells, bool)
    if not cells.any():
        return
    padded = np.pad(cells, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    down = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    style: dict[str, Any] = {"colors": ORANGE, "linewidth": 1.6}
    if len(across):
        rows, columns = across.T
        axes.hlines(rows - 0.5, columns - 0.5, columns + 0.5, **style)
    if len(down):
        rows, columns = down.T
        axes.vlines(columns - 0.5, rows - 0.5, rows + 0.5, **style)


def plain(axes: Axes) -> None:
    """No lines where nothing is measured."""
    axes.spines[["top", "right"]].set_visible(False)
