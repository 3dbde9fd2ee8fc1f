"""What the page of trust is about: a model, some samples, and what it does on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.outputs import are_probabilities, output_scale, total_variation
from attention_zoo.capture.scores import Capture
from attention_zoo.metrics.counterfactual import part_of
from attention_zoo.metrics.distributions import Distributions
from attention_zoo.metrics.divergence import jensen_shannon_divergence

#: For how many scores, over all samples, others are sought.
_MOST_SCORES = 2**18

#: With how many other samples an answer is compared.
_OTHERS = 16

#: Scores that diverge less from uniform ones, in nats, are uniform.
_UNIFORM = 1e-4

#: A figure of the same model trained with its attention frozen uniform: its name, that figure,
#: and the one that it is compared with.
Retrained = tuple[str, float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model and its attention on some samples.

    Attributes:
        model, x: the model, and samples as `check_inputs` returns them.
        look: what was captured of the model on them.
        own: the scores of the layer that the page is about.
        output: the name or number of the output that is asked about, as it was given.
        index: its number.
        answered: its answers, as `output_values` returns them.
        y: what `check_targets` returned, or None.
        truth: where the answer is, or None.
        others: models of other seeds.
        retrained: the figure of a model with uniform attention, or None.
        seed: of all draws.
    """

    model: keras.Model
    x: Any
    look: Capture
    own: Distributions
    output: str | int | None
    index: int
    answered: np.ndarray
    y: np.ndarray | None
    truth: np.ndarray | None
    others: Sequence[keras.Model]
    retrained: Retrained | None
    seed: int

    @property
    def probabilities(self) -> bool:
        """Whether the answers are probabilities."""
        return are_probabilities(self.model, self.answered, self.index)

    @property
    def unit(self) -> float:
        """What changes of the answers are measured in."""
        return output_scale(self.model, self.answered, self.index)

    @property
    def between(self) -> np.ndarray:
        """How far each sample's answer is from those of some others, in `unit`: what a change of
        the answer is compared with, `(samples,)`."""
        size = len(self.answered)
        shifts = np.random.default_rng(self.seed).permutation(np.arange(1, size))[:_OTHERS]
        if not shifts.size:
            return np.full(size, np.nan)
        others = [np.roll(self.answered, shift, axis=0) for shift in shifts]
        return np.mean([total_variation(self.answered, o) for o in others], 0) / self.unit

    @property
    def is_uniform(self) -> bool:
        """Whether the scores are about uniform, so that no others can be told from them."""
        apart = jensen_shannon_divergence(self.own.rows, self.own.uniform())
        return not float(np.nanmean(apart)) >= _UNIFORM

    @property
    def few(self) -> Any:
        """As many of the samples as other scores are sought for: less where these are large."""
        return part_of(self.x, slice(max(1, _MOST_SCORES // self.own.rows[0].size)))

    @property
    def scores(self) -> np.ndarray:
        """The scores of the layer."""
        return self.look.scores[self.own.name]

    @property
    def mask(self) -> np.ndarray | None:
        """What the layer could attend to, `(samples, indices)`, if it saw a mask."""
        return self.look.masks.get(self.own.name)

    def attended_part(self) -> str:
        """What of the input the scores are about: "cell", "step" or "feature"; ValueError where
        they are about none of it."""
        attended = self.look.attended[self.own.name]
        size = self.own.rows.shape[-1]
        if not keras.tree.is_nested(self.x):
            if self.x.shape == self.scores.shape:
                return "cell"
            if attended in ("step", "key") and self.x.ndim > 1 and self.x.shape[1] == size:
                return "step"
            if attended == "feature" and self.x.ndim == 3 and self.x.shape[2] == size:
                return "feature"
        shapes = keras.tree.map_structure(np.shape, self.x)
        raise ValueError(
            f"the {size} indices that {self.own.name!r} attends to are not those of the input "
            f"{shapes}"
        )
