"""What a notebook shows of an explanation."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import Any

from attention_zoo.explaining.layer_scores import LayerScores

#: So many layers are drawn. All are named.
_DRAWN = 3


def png(figure: Any) -> bytes:
    """Return a figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def page(layers: Sequence[LayerScores], picture: Callable[[str], bytes]) -> str:
    """Return the layers and their axes as a table, and `picture(name)` of the first of them."""
    rows = [
        (layer.name, ", ".join(layer.axes), " x ".join(map(str, layer.scores.shape)))
        for layer in layers
    ]
    cells = [
        "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in row)
        for row in rows
    ]
    more = len(layers) - _DRAWN
    return (
        f"<table><caption>Explanation of {len(layers[0].scores)} samples</caption><thead><tr>"
        "<th>layer</th><th>axes of the scores</th><th>shape</th></tr></thead><tbody>"
        + "".join(f"<tr>{row}</tr>" for row in cells)
        + "</tbody></table>"
        + "".join(_figure(layer, picture(layer.name)) for layer in layers[:_DRAWN])
        + (f"<p>{more} more: .plot(layer) draws them.</p>" if more > 0 else "")
    )


def _figure(layer: LayerScores, picture: bytes) -> str:
    mean = layer.profile().mean(0)
    most = int(mean.argmax())
    at = (layer.index_names or range(len(mean)))[most]
    text = f"{layer.name}: mean attention per index, the most at {at}, {mean[most]:.2f}"
    return (
        f"<figure><figcaption>{html.escape(layer.name)}</figcaption>"
        f'<img alt="{html.escape(text)}" style="max-width:100%" '
        f'src="data:image/png;base64,{base64.b64encode(picture).decode()}"></figure>'
    )
