"""What is tested: a model, some samples, and what it does on them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.input_steps import at_input_steps
from attention_zoo.capture.outputs import are_probabilities, output_scale, sample_metric
from attention_zoo.capture.scores import Capture
from attention_zoo.layers.linear_head import linear_head
from attention_zoo.metrics.attribution import gradient_times_input
from attention_zoo.metrics.counterfactual import part_of, predict_each
from attention_zoo.metrics.distributions import Distributions, distributions
from attention_zoo.metrics.divergence import jensen_shannon_divergence
from attention_zoo.metrics.leave_one_out import occlusion
from attention_zoo.metrics.rank_correlation import agreement, kendall_tau

#: The search for other scores runs on so many scores, over all samples.
_MOST_SCORES = 2**18
#: Leave-one-out asks for so many predictions.
_MOST_PREDICTIONS = 30_000
#: Scores that diverge less from uniform ones, in nats, are uniform.
_UNIFORM = 1e-4


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model and its attention on some samples.

    Attributes:
        model, x: the model, and samples as `check_inputs` returns them.
        look: predictions, scores, masks and axes of all layers on them.
        layer: the scores of the layer that is tested, as distributions.
        output: the name or number of the output that is asked about, as it was given.
        index: its number.
        predicted: its predictions `(samples, places, values)`.
        y: the targets as `check_targets` returns them, or None.
        truth: which cells of the scores are relevant, or None.
        others: models trained with other seeds, or None.
        retrained: `(metric, value, control)` of a model with uniform attention, or None.
        seed: the seed of all draws.
    """

    model: keras.Model
    x: Any
    look: Capture
    layer: Distributions
    output: str | int | None
    index: int
    predicted: np.ndarray
    y: np.ndarray | None
    truth: np.ndarray | None
    others: Sequence[keras.Model] | None
    retrained: tuple[str, float, float] | None
    seed: int

    @functools.cached_property
    def probabilities(self) -> bool:
        """Whether the predictions are probabilities."""
        return are_probabilities(self.model, self.predicted, self.index)

    def metric_of(self, predicted: np.ndarray) -> tuple[str, np.ndarray]:
        """Return the name of the metric and its value for each sample."""
        if self.y is None:
            raise ValueError("there are no targets")
        return sample_metric(self.y, predicted, self.probabilities)

    @functools.cached_property
    def unit(self) -> float:
        """The unit of a change of the predictions."""
        return output_scale(self.model, self.predicted, self.index)

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """The scores of the layer as the model has them."""
        return self.look.scores[self.layer.name]

    @functools.cached_property
    def shown(self) -> Capture:
        """What the model did, with the scores at the steps of the input."""
        return at_input_steps(self.model, self.x, self.look)

    @functools.cached_property
    def placed(self) -> Distributions:
        """The scores of the layer at the steps of the input, as distributions."""
        return distributions(self.shown, self.layer.name)

    @functools.cached_property
    def contributions(self) -> tuple[Any, np.ndarray] | None:
        """What each step adds to the logits, and the head that the logits go through; None for a
        model that does not add up its steps."""
        if self.layer.name not in self.look.contributions:
            return None
        name = self.layer.name.partition("/")[0]
        head = linear_head(self.model, self.model.get_layer(name))
        return None if head is None else (head, self.look.contributions[self.layer.name])

    @functools.cached_property
    def with_uniform(self) -> np.ndarray:
        """The predictions with uniform attention in place of the layer's, without training."""
        scores = self.layer.uniform()[None]
        return predict_each(self.model, self.x, self.layer, scores, self.index)[0]

    @functools.cached_property
    def uniform_already(self) -> str:
        """Why no test of other scores can decide, where the scores are about uniform."""
        apart = jensen_shannon_divergence(self.layer.rows, self.layer.uniform())
        if float(np.nanmean(apart)) >= _UNIFORM:
            return ""
        return "The scores are about uniform: uniform or permuted scores are much the same."

    @functools.cached_property
    def few(self) -> Any:
        """The samples, or the first of them where their scores are many."""
        return part_of(self.x, slice(max(1, _MOST_SCORES // self.layer.rows[0].size)))

    @functools.cached_property
    def part(self) -> str:
        """What the scores are about: "cell", "step" or "feature" of the input; ValueError where
        they are about none of these."""
        attended = self.shown.attended[self.layer.name]
        size = self.placed.rows.shape[-1]
        if not keras.tree.is_nested(self.x):
            if self.x.shape == self.shown.scores[self.layer.name].shape:
                return "cell"
            if attended in ("step", "key") and self.x.ndim > 1 and self.x.shape[1] == size:
                return "step"
            if attended == "feature" and self.x.ndim == 3 and self.x.shape[2] == size:
                return "feature"
        shapes = keras.tree.map_structure(np.shape, self.x)
        raise ValueError(
            f"the {size} indices that {self.layer.name!r} attends to are not those of the input "
            f"{shapes}"
        )

    @functools.cached_property
    def ranking(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The scores by the part of the input that they are about, and its mask."""
        if self.part == "cell":
            return self.shown.scores[self.layer.name], None
        scores = self.placed.rows.mean(1)
        if self.part == "feature":
            return scores[:, None, :], None
        return scores, self.shown.masks.get(self.layer.name)

    @functools.cached_property
    def agreement(self) -> tuple[Any, np.ndarray]:
        """Kendall's tau of attention, leave-one-out and gradients, and the largest tau that scores
        with ties can reach."""
        sizes = {"cell": self.x[0].size, "step": self.x.shape[1], "feature": self.x.shape[-1]}
        some = slice(max(1, _MOST_PREDICTIONS // sizes[self.part]))
        x, mask = self.x[some], self.ranking[1]
        effects = occlusion(
            self.model,
            x,
            unit=self.part,
            mask=None if mask is None else mask[some],
            seed=self.seed,
            output=self.output,
        )
        gradients = gradient_times_input(self.model, x, output=self.output)
        rows: np.ndarray = self.placed.rows[some]
        visible: np.ndarray = self.placed.visible[some]
        if self.part == "cell":
            effects, gradients = (
                np.moveaxis(v, self.placed.axis, -1).reshape(rows.shape)
                for v in (effects, gradients)
            )
        else:
            rows, visible = rows.mean(1), np.asarray(visible.any(axis=1))
            gradients = gradients.sum(tuple(range(2, x.ndim)) if self.part == "step" else 1)
        found = agreement(rows, np.abs(effects), np.abs(gradients), visible)
        most = kendall_tau(rows, rows.argsort(-1, kind="stable").argsort(-1), visible)
        return found, most
