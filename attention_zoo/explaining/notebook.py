"""What a notebook shows of an explanation."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attention_zoo.explaining.explanation import Explanation

#: So many layers are drawn; all are named.
_DRAWN = 3


def png(explanation: Explanation, layer: str | None = None) -> bytes:
    """The bars of a layer."""
    buffer = io.BytesIO()
    explanation.plot(layer).savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def page(explanation: Explanation) -> str:
    """The layers and their axes as a table, and the bars of the first of them."""
    head = "<tr><th>layer</th><th>axes of the scores</th><th>shape</th></tr>"
    rows = [
        f"<tr>{_cell(name)}{_cell(', '.join(explanation.axes.get(name, ())))}"
        f"{_cell(' x '.join(map(str, scores.shape)))}</tr>"
        for name, scores in explanation.scores.items()
    ]
    pictures = [_picture(explanation, name) for name in list(explanation.scores)[:_DRAWN]]
    more = len(explanation.scores) - _DRAWN
    below = f"<p>{more} more: .plot(layer) draws them.</p>" if more > 0 else ""
    return (
        f"<table><caption>Explanation of {len(explanation)} samples</caption>"
        f"<thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>{''.join(pictures)}{below}"
    )


def _picture(explanation: Explanation, layer: str) -> str:
    mean = explanation.profile(layer).mean(0)
    most = int(mean.argmax())
    names = explanation.index_names(layer) or range(len(mean))
    said = f"{layer}: mean attention per index, the most at {names[most]}, {mean[most]:.2f}"
    data = base64.b64encode(png(explanation, layer)).decode()
    return (
        f'<figure><figcaption>{html.escape(layer)}</figcaption><img alt="{html.escape(said)}" '
        f'style="max-width:100%" src="data:image/png;base64,{data}"></figure>'
    )


def _cell(text: str) -> str:
    return f'<td style="text-align:left">{html.escape(text)}</td>'
