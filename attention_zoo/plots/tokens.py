"""A text coloured by attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from attention_zoo.plots import style

#: Letters in a line, and inches that one of them takes.
_LINE, _LETTER, _HEIGHT = 76, 0.105, 0.34


def plot_tokens(
    tokens: Sequence[Any], scores: Any, *, visible: Any = None, title: str = ""
) -> Figure:
    """Draw tokens in lines, darker where attention is larger, on a scale that begins at 0.

    Args:
        tokens: the text of each token.
        scores: the attention of each, `(tokens,)`.
        visible: booleans `(tokens,)`, False on padding, which is grey; or None.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: if there are not as many scores as tokens.

    Example:

    >>> from attention_zoo.plots import plot_tokens
    >>> figure = plot_tokens(["a", "good", "film"], [0.1, 0.7, 0.2])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['a', 'good', 'film']
    """
    scores = style.checked("scores", scores, (1,)).astype("float64")
    if len(tokens) != len(scores):
        raise ValueError(f"`tokens` must be {len(scores)} texts. Received: {len(tokens)}")
    if visible is not None:
        visible = style.checked("visible", visible, (1,), scores.shape).astype(bool)
    placed, lines = _placed([" ".join(str(token).split()) or " " for token in tokens])
    figure = style.new_figure(_LINE * _LETTER + 0.6, (lines + 1) * _HEIGHT + 0.5, title)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(0, _LINE)
    axes.set_ylim(lines, 0)
    palette = style.colours()
    most = float(np.max(scores, initial=0.0, where=True if visible is None else visible)) or 1.0
    for i, (text, line, at) in enumerate(placed):
        hidden = visible is not None and not visible[i]
        share = scores[i] / most
        axes.text(
            at,
            line + 0.5,
            style.literal(text),
            family="monospace",
            fontsize=9,
            va="center",
            color="white" if share > 0.6 and not hidden else "black",
            bbox={
                "boxstyle": "square,pad=0.15",
                "linewidth": 0,
                "facecolor": style.PADDING if hidden else palette(share),
            },
        )
    style.scale(figure, ScalarMappable(Normalize(0, most), palette), axes, lines * _HEIGHT)
    return figure


def _placed(tokens: Sequence[str]) -> tuple[list[tuple[str, int, float]], int]:
    """Each token with its line and where it begins in it, and the number of lines."""
    placed, line, at = [], 0, 0
    for token in tokens:
        text = token if len(token) <= _LINE else token[: _LINE - 1] + "…"
        if at and at + len(text) > _LINE:
            line, at = line + 1, 0
        placed.append((text, line, float(at)))
        at += len(text) + 1
    return placed, line + 1 if placed else 1
