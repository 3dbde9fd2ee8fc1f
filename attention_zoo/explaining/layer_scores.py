"""The attention scores of one layer, and what is known of their cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from attention_zoo.capture.profile import profile
from attention_zoo.metrics.localization import matched


@dataclasses.dataclass(frozen=True, eq=False)
class LayerScores:
    """The attention scores of one layer, with their axes, mask, truth and labels.

    Attributes:
        name: the name of the layer.
        scores: the scores, `(samples, ...)`.
        axes: the names of the axes after the samples, such as `("head", "query", "key")`; empty
            if they are not known.
        attended: the axis that is attended over; None if it is not known.
        mask: False on padding, `(samples, [segments,] indices)`; None if the layer saw no mask.
        relevance: 1 on the relevant inputs, as it was given to `explain`, or None.
        labels: the labels of axes by their names, or None.
        contributions: what each step adds to the logits, `(samples, steps, logits)`, or None.
        what: what the scores are: `"attention"`, or `"contribution"` (see `added`).

    Example:

    >>> model = az.load("lstm_after")
    >>> x, y, relevance = az.tasks.get("planted_step").sample(100, split="test")
    >>> layer = az.explain(model, x, truth=relevance).layer()
    >>> layer.name, layer.axes, layer.profile().shape
    ('attention', ('step',), (100, 20))
    >>> int(layer.expected.argmax())
    10
    """

    name: str
    scores: np.ndarray
    axes: tuple[str, ...] = ()
    attended: str | None = None
    mask: np.ndarray | None = None
    relevance: np.ndarray | None = None
    labels: Mapping[str, list[str] | None] = dataclasses.field(default_factory=dict)
    contributions: np.ndarray | None = None
    what: str = "attention"

    def __getitem__(self, samples: Any) -> LayerScores:
        """Return the scores of some of the samples."""
        kept: Any = {
            name: array[samples]
            for name in ("scores", "mask", "relevance", "contributions")
            if (array := getattr(self, name)) is not None
        }
        return dataclasses.replace(self, **kept)

    def added(self) -> LayerScores:
        """Return the contributions as scores of the axes step and logit; TypeError for None."""
        if self.contributions is None:
            raise TypeError(f"The layer {self.name!r} has no contributions.")
        return dataclasses.replace(
            self,
            name=f"{self.name}, contributions",
            scores=self.contributions,
            axes=("step", "logit"),
            attended="step",
            contributions=None,
            what="contribution",
        )

    @property
    def axis(self) -> int | None:
        """The number of the attended axis of `scores`; None if it is not known."""
        return None if self.attended is None else 1 + self.axes.index(self.attended)

    def profile(self) -> np.ndarray:
        """Return the attention per index of the attended axis, `(samples, indices)`: the mean
        over the other axes, such as features, heads or queries."""
        return profile(self.scores, self.axis)

    def names_of(self, axis: str) -> list[str] | None:
        """Return the labels of an axis by its name; None if there are none of that number."""
        labels = self.labels.get(axis)
        size = self.scores.shape[1 + self.axes.index(axis)]
        return labels if labels is not None and len(labels) == size else None

    @property
    def index_names(self) -> list[str] | None:
        """The labels of the attended axis, or None."""
        return None if self.attended is None else self.names_of(self.attended)

    def spread(self, cells: np.ndarray) -> np.ndarray:
        """Return values `(samples, [segments,] indices)` over all cells of the scores."""
        kept = {*range(cells.ndim - 1), self.axis}
        shape = [n if i in kept else 1 for i, n in enumerate(self.scores.shape)]
        return np.broadcast_to(cells.reshape(shape), self.scores.shape)

    @property
    def visible(self) -> np.ndarray | None:
        """The mask as `(samples, indices)`: True where an index is visible in any segment."""
        if self.mask is None:
            return None
        return np.any(self.mask, axis=tuple(range(1, self.mask.ndim - 1)))

    @property
    def truth(self) -> np.ndarray | None:
        """True on the relevant cells, of the shape of the scores; None if they are not known.
        ValueError for a relevance that fits another layer."""
        if self.relevance is None:
            return None
        axis = self.axis
        if axis and self.relevance.shape == (len(self.scores), self.scores.shape[axis]):
            return self.spread(self.relevance > 0)
        return matched(self.relevance, self.scores, "truth")

    @property
    def expected(self) -> np.ndarray | None:
        """The share of samples in which each index is relevant, `(indices,)`, or None."""
        truth = self.truth
        return None if truth is None else profile(truth, self.axis).mean(0)

    def columns(self) -> dict[str, Any]:
        """Return a column for the sample, the layer, each axis, the score, and where they are
        known visible, truth and the contributions; each has a row per score."""
        shape = self.scores.shape
        sample, *indices = np.indices(shape, sparse=True)
        found = {"sample": sample, "layer": np.array(self.name)}
        for axis, index in zip(self.axes, indices, strict=True):
            names = self.names_of(axis)
            found[axis] = index if names is None else np.asarray(names)[index]
        found["score"] = self.scores
        if self.mask is not None:
            found["visible"] = self.spread(self.mask)
        if (truth := self.truth) is not None:
            found["truth"] = truth
        if self.contributions is not None:
            logits = self.contributions.shape[-1]
            for logit in range(logits):
                name = "contribution" if logits == 1 else f"contribution_{logit}"
                found[name] = self.contributions[..., logit]
        return {name: np.broadcast_to(cells, shape).ravel() for name, cells in found.items()}
