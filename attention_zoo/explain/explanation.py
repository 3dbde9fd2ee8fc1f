"""What a model predicted and where it looked, in one object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from attention_zoo.core.registry import one_of
from attention_zoo.explain.localisation import matched
from attention_zoo.explain.scores import check_inputs, watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Predictions and attention scores of a model on some samples.

    Attributes:
        x: the inputs, `(samples, ...)`; a list of them for a model of several inputs.
        predictions: the model's outputs, from the same pass as the scores.
        scores: `{layer name: array (samples, ...)}`.
        truth: where the answer is, if that is known.
    """

    x: Any
    predictions: Any
    scores: dict[str, np.ndarray]
    truth: np.ndarray | None = None

    def layer(self, name: str | None = None) -> np.ndarray:
        """The scores of one layer, by default the first; ValueError for an unknown name."""
        if name is None:
            return next(iter(self.scores.values()))
        if name not in self.scores:
            raise one_of("layer", name, self.scores)
        return self.scores[name]

    def profile(self, layer: str | None = None) -> np.ndarray:
        """Attention per index of the attended axis: `(samples, indices)`, averaged over the
        other axes (features, steps, heads or queries)."""
        return profile(self.layer(layer))

    def expected(self, layer: str | None = None) -> np.ndarray | None:
        """How often the answer is at each index, between 0 and 1; None if it is not known."""
        if self.truth is None:
            return None
        scores = self.layer(layer)
        truth = matched(self.truth, scores, "truth")
        return np.moveaxis(truth, attended_axis(scores), -1).reshape(-1, self._size(scores)).mean(0)

    @staticmethod
    def _size(scores: np.ndarray) -> int:
        return scores.shape[attended_axis(scores)]

    def plot(self, layer: str | None = None, *, names: Any = None, title: str = "") -> Figure:
        """A picture of the mean attention per index, its spread and the expected index.

        Args:
            layer: the name of an attention layer; by default the first.
            names: one label an index; by default its number.
            title: a line above the picture.

        Returns:
            A Matplotlib `Figure`, not shown: `explanation.plot().savefig("where.png")`.
        """
        from attention_zoo.explain.plots import plot_profile  # Matplotlib only when it is needed

        expected = self.expected(layer)
        return plot_profile(self.profile(layer), expected, names=names, title=title)


def attended_axis(scores: np.ndarray) -> int:
    """The axis that scores sum to 1 over: the last, or axis 1 of per-feature time attention."""
    if scores.ndim == 3:
        sums = scores.sum(1)
        if np.all((np.abs(sums - 1) < 1e-2) | (sums == 0)):
            return 1
    return scores.ndim - 1


def profile(scores: np.ndarray) -> np.ndarray:
    """Scores `(samples, ...)` as `(samples, indices)`: the mean over all but the attended axis."""
    rows = np.moveaxis(np.asarray(scores, "float64"), attended_axis(scores), -1)
    return rows.reshape(len(rows), -1, rows.shape[-1]).mean(1)


def explain(model: keras.Model, x: Any, *, truth: Any = None, batch_size: int = 256) -> Explanation:
    """Predict, and see where the model looks.

    Args:
        model: a built Keras model with attention layers, ours or Keras's own.
        x: an array `(samples, ...)` that fits the model's input, or several: see
            `attention_scores`.
        truth: 1 where the answer is, if that is known: the shape of the scores, or of their
            leading axes.
        batch_size: how many samples go through at once.

    Returns:
        An `Explanation`.

    Raises:
        ValueError: as `attention_scores`, and for a truth of the wrong shape.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_step").sample(100, split="test")
    >>> explanation = az.explain(az.load("lstm_after"), x, truth=relevance)
    >>> int(explanation.profile().mean(0).argmax())
    10
    """
    seen = watch(model, x, batch_size)
    truth = None if truth is None else np.asarray(truth)
    inputs = check_inputs(model, x)
    explanation = Explanation(inputs, seen["predictions"], seen["scores"], truth)
    explanation.expected()
    return explanation
