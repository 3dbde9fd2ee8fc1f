"""The search space as a KerasTuner hypermodel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.training.compiling import compile_model
from attention_zoo.training.data import Dataset
from attention_zoo.training.fit import build_model
from attention_zoo.training.recipe import Recipe, make_recipe
from attention_zoo.training.scaling import adapt
from attention_zoo.tuning.assembling import make_space

KINDS = ("binary", "multiclass", "regression")


class HyperAttention(keras_tuner.HyperModel):
    """Attention models as a KerasTuner hypermodel: which model, which attention, how trained.

    The hyperparameters have scoped names such as `attention/luong/units`; those of a layer are
    active while that layer is chosen. The defaults are those of the factories and layers, so that
    the default trial is the plain model. It works with every tuner of KerasTuner;
    `attention_zoo.tune` does more.

    Args:
        architecture: a factory's name, or several to search among.
        input_shape: the sizes of one sample, `(features,)` or `(time, features)`.
        kind: `"binary"`, `"multiclass"` or `"regression"`: decides the loss and the output.
        outputs: the number of outputs.
        attention: the attention layers to search among, by name, `"none"` for none; by default
            all that fit the architecture.
        space: by full name, what replaces a hyperparameter's values: one value, a list, a range
            `(low, high)`, or a KerasTuner hyperparameter of yours.
        config: further arguments of the factories, such as `mask_value` or `standardize`.

    Raises:
        ValueError: for an unknown name, with the nearest, and for values of another type.

    Example:

    >>> import keras_tuner
    >>> hyper = az.tuning.HyperAttention("gru", input_shape=(20, 2), kind="binary")
    >>> hp = keras_tuner.HyperParameters()
    >>> hyper.build(hp).output_shape
    (None, 1)
    >>> hp.get("attention")
    'temporal'
    """

    def __init__(
        self,
        architecture: str | Sequence[str],
        *,
        input_shape: Sequence[int | None],
        kind: str = "regression",
        outputs: int = 1,
        attention: str | Sequence[str] | None = None,
        space: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ):
        super().__init__(name="attention")
        if kind not in KINDS:
            raise one_of("kind", kind, KINDS)
        checks.positive_int("outputs", outputs)
        self.space = make_space(checks.names("architecture", architecture), attention, space)
        self.input_shape = tuple(input_shape)
        self.kind, self.outputs = kind, outputs
        self.config = dict(config or {})

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Make the whole space known at once, inactive branches as well."""
        self.space.declare(hp)

    def recipe(self, values: Mapping[str, Any], *, epochs: int = 1, **more: Any) -> Recipe:
        """What some values stand for, as the recipe of a training run."""
        chosen = self.space.chosen(values)
        return make_recipe(
            {
                "architecture": chosen.architecture,
                "config": {**self.config, **chosen.config},
                "kind": self.kind,
                "batch_size": chosen.batch_size,
                "phases": [{"epochs": epochs, "learning_rate": chosen.learning_rate}],
                **more,
            }
        )

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """A compiled model; FailedTrialError for values that no model can have together."""
        self.space.declare(hp)
        recipe = self.recipe(hp.values)
        try:
            model = build_model(recipe, self.input_shape, self.outputs)
        except ValueError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        compile_model(model, self.kind, recipe.phases[0].learning_rate, steps=1)
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, x: Any, y: Any,
            **kwargs: Any) -> Any:  # fmt: skip
        """`model.fit` with the batch size of the search; a `Normalization` is adapted to x."""
        given = Dataset(np.asarray(x), y, self.kind, mask_value=self.config.get("mask_value"))
        adapt(model, given.visible())
        return model.fit(x, y, **{"batch_size": hp.get("batch_size"), **kwargs})
