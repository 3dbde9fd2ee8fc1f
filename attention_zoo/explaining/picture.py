"""Which picture the scores of a layer are drawn as."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from attention_zoo import plots
from attention_zoo.capture.profile import profile
from attention_zoo.core.identity import by_identity
from attention_zoo.core.registry import one_of
from attention_zoo.explaining.layer_scores import LayerScores

#: Each kind of picture of one sample, and what it shows.
_OF_ONE = {
    "heatmap": "attention over the time steps of one series",
    "alignment": "attention from queries to keys",
    "heads": "several heads or hops",
    "tokens": "a sequence of tokens, or `names` for them",
    "contributions": "what each step of one series adds to an answer that is their sum",
}
_KINDS = ("bars", "rows", *_OF_ONE)


def draw(
    layer: LayerScores,
    x: Any,
    kind: str,
    sample: int,
    names: Any,
    title: str,
    classes: tuple[np.ndarray, np.ndarray | None] | None,
) -> Figure:
    """Draw a layer and, where the kind shows them, the inputs: see `Explanation.plot`.

    `classes` are the predicted ones and the labels of all samples.
    """
    if kind not in _KINDS:
        raise one_of("kind", kind, _KINDS)
    labels = layer.index_names if names is None else names
    if kind == "bars":
        return plots.plot_profile(layer.profile(), layer.expected, names=labels, title=title)
    if kind == "rows":
        truth = layer.truth
        return plots.plot_rows(
            layer.profile(),
            truth=None if truth is None else profile(truth, layer.axis) > 0,
            visible=layer.visible,
            names=labels,
            title=title,
        )
    if isinstance(sample, bool) or not isinstance(sample, (int, np.integer)):
        raise TypeError(f"`sample` must be an integer. Received: {sample!r}")
    total = len(layer.scores)
    if not -total <= sample < total:
        raise ValueError(f"`sample` must be below {total}. Received: {sample}")
    if not title and classes is not None:
        predicted, y = classes
        title = f"predicted: {predicted[sample]}" + ("" if y is None else f", label: {y[sample]}")
    visible, truth = layer.visible, layer.truth
    one = _Sample(
        layer,
        x,
        sample,
        None if visible is None else visible[sample],
        None if truth is None else truth[sample],
        names,
        title,
    )
    figure = {
        "heatmap": _heatmap,
        "alignment": _alignment,
        "heads": _heads,
        "tokens": _tokens,
        "contributions": _contributions,
    }[kind](one)
    if figure is None:
        raise ValueError(
            f"kind={kind!r} shows {_OF_ONE[kind]}. The scores of {layer.name!r} are {layer.axes}; "
            "kind='bars' and kind='rows' show any."
        )
    return figure


@by_identity
class _Sample(NamedTuple):
    """One sample of a layer, and the names that the user gave, or None."""

    layer: LayerScores
    x: Any
    number: int
    visible: np.ndarray | None
    truth: np.ndarray | None
    names: Any
    title: str

    def over(self, *axes: str) -> tuple[np.ndarray, np.ndarray | None]:
        """The scores and the truth over these axes: means over all others."""
        kept = {self.layer.axes.index(axis) for axis in axes}
        scores = np.asarray(self.layer.scores[self.number], "float64")
        others = tuple(set(range(scores.ndim)) - kept)
        truth = None if self.truth is None else np.asarray(self.truth.any(others))
        return scores.mean(others), truth

    def labels(self, axis: str) -> Any:
        """The user's names, or the labels of the axis."""
        return self.layer.names_of(axis) if self.names is None else self.names


def _heatmap(one: _Sample) -> Figure | None:
    axes = one.layer.axes
    if isinstance(one.x, list) or one.x.ndim != 3 or not {"step", "key"} & set(axes):
        return None
    kept = ["step" if "step" in axes else "key"] + ["feature"] * ("feature" in axes)
    scores, truth = one.over(*kept)
    return plots.plot_heatmap(
        scores,
        one.x[one.number],
        truth=truth,
        visible=one.visible,
        step_names=one.labels(kept[0]),
        feature_names=one.layer.labels.get("feature"),
        title=one.title,
    )


def _contributions(one: _Sample) -> Figure | None:
    layer = one.layer
    if layer.contributions is None or isinstance(one.x, list) or one.x.ndim != 3:
        return None
    return plots.plot_heatmap(
        layer.contributions[one.number],
        one.x[one.number],
        truth=one.truth,
        visible=one.visible,
        step_names=one.labels("step"),
        feature_names=layer.labels.get("feature"),
        row_name="logit",
        title=one.title,
    )


def _alignment(one: _Sample) -> Figure | None:
    if "query" not in one.layer.axes:
        return None
    scores, truth = one.over("query", "key")
    return plots.plot_alignment(
        scores,
        truth=truth,
        visible=one.visible,
        query_names=one.layer.names_of("query"),
        key_names=one.labels("key"),
        title=one.title,
    )


def _heads(one: _Sample) -> Figure | None:
    axes = one.layer.axes
    if axes not in (("head", "query", "key"), ("hop", "step")):
        return None
    return plots.plot_heads(
        one.layer.scores[one.number],
        visible=one.visible,
        query_names=one.layer.names_of("query") if "query" in axes else None,
        key_names=one.labels(axes[-1]),
        title=one.title,
    )


def _tokens(one: _Sample) -> Figure | None:
    scores, tokens = one.layer.profile()[one.number], one.names
    tokens = one.layer.index_names if tokens is None else tokens
    if tokens is None:
        if isinstance(one.x, list) or one.x[one.number].shape != scores.shape:
            return None
        tokens = [f"{value:g}" for value in one.x[one.number]]
    return plots.plot_tokens(tokens, scores, visible=one.visible, title=one.title)
