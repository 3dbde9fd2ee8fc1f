"""Which picture an explanation is drawn as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from attention_zoo import plots
from attention_zoo.capture.profile import profile
from attention_zoo.core.registry import one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attention_zoo.explaining.explanation import Explanation


def draw(
    seen: Explanation, layer: str | None, kind: str, sample: int, names: Any, title: str
) -> Figure:
    """The picture of that kind: see `Explanation.plot`."""
    if kind not in KINDS:
        raise one_of("kind", kind, KINDS)
    layer = seen.name(layer)
    names = seen.index_names(layer) if names is None else names
    if kind not in ("bars", "rows"):
        if isinstance(sample, bool) or not isinstance(sample, (int, np.integer)):
            raise TypeError(f"`sample` must be an integer. Received: {sample!r}")
        if not -len(seen) <= sample < len(seen):
            raise ValueError(f"`sample` must be below {len(seen)}. Received: {sample}")
    return KINDS[kind](seen, layer, int(sample), names, title)


def _bars(seen: Explanation, layer: str, sample: int, names: Any, title: str) -> Figure:
    return plots.plot_profile(seen.profile(layer), seen.expected(layer), names=names, title=title)


def _rows(seen: Explanation, layer: str, sample: int, names: Any, title: str) -> Figure:
    truth = seen.truth_of(layer)
    if truth is not None:
        truth = profile(truth, seen.attended_axis(layer)) > 0
    visible = _visible(seen, layer)
    return plots.plot_rows(
        seen.profile(layer), truth=truth, visible=visible, names=names, title=title
    )


def _heatmap(seen: Explanation, layer: str, sample: int, names: Any, title: str) -> Figure:
    x = seen.x
    axes = seen.axes[layer]
    if isinstance(x, list) or x.ndim != 3 or not {"step", "key"} & set(axes):
        raise _no_such(seen, layer, "heatmap", "attention over the time steps of one series")
    kept = [axes.index("step" if "step" in axes else "key")]
    if "feature" in axes:
        kept.append(axes.index("feature"))
    visible = _visible(seen, layer)
    truth = seen.truth_of(layer)
    return plots.plot_heatmap(
        _mean(seen.scores[layer][sample], kept),
        x[sample],
        truth=None if truth is None else _mean(truth[sample], kept) > 0,
        visible=None if visible is None else visible[sample],
        step_names=names if names is not None else seen.step_names,
        feature_names=seen.feature_names,
        title=title,
    )


def _alignment(seen: Explanation, layer: str, sample: int, names: Any, title: str) -> Figure:
    axes = seen.axes[layer]
    if "query" not in axes:
        raise _no_such(seen, layer, "alignment", "attention from queries to keys")
    kept = [axes.index("query"), axes.index("key")]
    visible, truth = _visible(seen, layer), seen.truth_of(layer)
    scores = _mean(seen.scores[layer][sample], kept)
    return plots.plot_alignment(
        scores,
        truth=None if truth is None else _mean(truth[sample], kept) > 0,
        visible=None if visible is None else visible[sample],
        query_names=_fitting(seen.step_names, scores.shape[0]),
        key_names=names,
        title=title,
    )


def _heads(seen: Explanation, layer: str, sample: int, names: Any, title: str) -> Figure:
    axes = seen.axes[layer]
    if axes not in (("head", "query", "key"), ("hop", "step")):
        raise _no_such(seen, layer, "heads", "several heads or hops")
    scores, visible = seen.scores[layer][sample], _visible(seen, layer)
    queries = _fitting(seen.step_names, scores.shape[1]) if axes[0] == "head" else None
    return plots.plot_heads(
        scores,
        visible=None if visible is None else visible[sample],
        query_names=queries,
        key_names=names,
        title=title,
    )


def _tokens(seen: Explanation, layer: str, sample: int, names: Any, title: str) -> Figure:
    rows = seen.profile(layer)
    tokens = names
    if tokens is None:
        x = seen.x
        if isinstance(x, list) or x.shape[1:] != rows.shape[1:]:
            raise _no_such(seen, layer, "tokens", "a sequence of tokens, or `names` for them")
        tokens = [f"{value:g}" for value in x[sample]]
    visible = _visible(seen, layer)
    return plots.plot_tokens(
        tokens, rows[sample], visible=None if visible is None else visible[sample], title=title
    )


#: Each kind of picture, and what draws it.
KINDS = {
    "bars": _bars,
    "rows": _rows,
    "heatmap": _heatmap,
    "alignment": _alignment,
    "heads": _heads,
    "tokens": _tokens,
}


def _mean(cells: np.ndarray, kept: list[int]) -> np.ndarray:
    """The mean over all axes but those."""
    return np.asarray(cells, "float64").mean(tuple(set(range(cells.ndim)) - set(kept)))


def _visible(seen: Explanation, layer: str) -> np.ndarray | None:
    """What the layer could attend to in any segment, `(samples, indices)`."""
    visible = seen.masks.get(layer)
    return None if visible is None else np.any(visible, axis=tuple(range(1, visible.ndim - 1)))


def _fitting(names: list[str] | None, size: int) -> list[str] | None:
    return names if names is not None and len(names) == size else None


def _no_such(seen: Explanation, layer: str, kind: str, what: str) -> ValueError:
    return ValueError(
        f"kind={kind!r} shows {what}. The scores of {layer!r} are {seen.axes[layer]}; "
        "kind='bars' and kind='rows' show any."
    )
