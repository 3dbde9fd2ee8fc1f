"""The search space as a KerasTuner hypermodel."""

from __future__ import annotations

import itertools
import math
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.scaling import adapt
from attention_zoo.training.compiling import build_model, compile_model
from attention_zoo.training.recipe import Recipe, make_recipe
from attention_zoo.tuning.search_space import make_search_space

KINDS = ("binary", "multiclass", "regression")


class HyperAttention(keras_tuner.HyperModel):
    """Attention models as a KerasTuner hypermodel: which model, which attention, how trained.

    The hyperparameters have scoped names such as `attention/luong/units`; those of a layer are
    active while that layer is chosen. The defaults are those of the factories and layers, so that
    the default trial is the plain model. Every point can be built for `input_shape`. It works with
    every tuner of KerasTuner; `attention_zoo.tune` does more.

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
        self.input_shape = tuple(input_shape)
        names = checks.names("architecture", architecture)
        any_length = None in self.input_shape[:-1]
        self.space = make_search_space(names, attention, space, any_length)
        self.kind, self.outputs = kind, outputs
        self.config = dict(config or {})

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Make the whole space known at once, inactive branches as well."""
        self.space.declare(hp)

    def recipe(
        self,
        values: Mapping[str, Any],
        *,
        epochs: int = 1,
        begin: int = 0,
        end: int | None = None,
        **more: Any,
    ) -> Recipe:
        """What some values stand for, as the recipe of a training run.

        Args:
            values: by full name; what is left out has its default.
            epochs: of the whole training, whose last share has the entropy penalty of
                `attention/sharpening`, after `attention/fit_first`.
            begin, end: the part of it that the run is; by default all.
            **more: further fields of the recipe.

        Returns:
            A `training.Recipe`.
        """
        chosen = self.space.config(values)
        config = {"strength": chosen.sharpening}
        penalty = {"class_name": "attention_zoo>EntropyRegularizer", "config": config}
        end = epochs if end is None else end
        first = int(chosen.fit_first * epochs) if chosen.sharpening else end
        parts = [
            (begin, min(first, end), {}),
            (max(first, begin), end, {"scores_regularizer": penalty}),
        ]
        phases = [
            {"epochs": stop - start, "learning_rate": chosen.learning_rate, "attention": attention}
            for start, stop, attention in parts
            if start < stop
        ]
        fields = {
            "architecture": chosen.architecture,
            "config": {**self.config, **chosen.config},
            "kind": self.kind,
            "batch_size": chosen.batch_size,
            "phases": phases,
        }
        return make_recipe({**fields, **more})

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """A compiled model; FailedTrialError for values that no model can have together. A penalty
        of its attention acts from the first epoch on, as KerasTuner trains one model in a trial."""
        self.space.declare(hp)
        recipe = self.recipe(hp.values)
        try:
            model = build_model(recipe, self.input_shape, self.outputs)
        except ValueError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        # A trial is seldom worth XLA's compiler
        compile_model(model, self.kind, recipe.phases[0].learning_rate, steps=1, xla=False)
        return model

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        x: Any = None,
        y: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """`model.fit`, after a `Normalization` is adapted to what is trained on.

        Args:
            hp: whose batch size arrays are trained with; other data come in batches of theirs.
            model: from `build`.
            x, y: whatever `keras.Model.fit` takes: arrays, or as `x` alone a `tf.data.Dataset`, a
                `keras.utils.PyDataset`, a torch `DataLoader` or a generator.
            *args, **kwargs: as in `keras.Model.fit`.

        Returns:
            The history.
        """
        if y is not None and not args:
            kwargs = {"batch_size": hp.get("batch_size"), **kwargs}
        if any(isinstance(layer, keras.layers.Normalization) for layer in model.layers):
            if y is not None:
                whole = _array(x)
                # Keras validates on the last ones
                trained = math.floor(len(whole) * (1 - kwargs.get("validation_split", 0.0)))
                adapt(model, self._visible(whole[:trained]))
            else:
                x, batches = _batches(x, kwargs.get("steps_per_epoch"))
                adapt(model, (self._visible(_inputs(batch)) for batch in batches))
        return model.fit(x, y, *args, **kwargs)

    def _visible(self, x: np.ndarray) -> np.ndarray:
        """The inputs without their padding."""
        mask_value = self.config.get("mask_value")
        return Dataset(x, np.empty(0), self.kind, mask_value=mask_value).visible()


def _batches(x: Any, steps: int | None) -> tuple[Any, Iterable[Any]]:
    """What to train on, and the batches of an epoch of it."""
    if isinstance(x, keras.utils.PyDataset):
        numbers = itertools.count() if x.num_batches is None else range(x.num_batches)
        return x, itertools.islice((x[number] for number in numbers), steps)
    if not isinstance(x, types.GeneratorType):
        return x, itertools.islice(x, steps)
    # What a generator has given is gone
    seen = list(itertools.islice(x, steps))
    return _chained(seen, x), seen


def _chained(seen: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    """A generator, as Keras knows no other iterator; its end does not close `rest`, which the next
    trial goes on with."""
    yield from seen
    for batch in rest:  # noqa: UP028
        yield batch


def _inputs(batch: Any) -> np.ndarray:
    return _array(keras.utils.unpack_x_y_sample_weight(batch)[0])


def _array(x: Any) -> np.ndarray:
    """The model's one input, which may come in a list or by its name."""
    x = keras.tree.flatten(x)[0]
    return keras.ops.convert_to_numpy(x) if keras.ops.is_tensor(x) else np.asarray(x)
