"""From a recipe and data to a trained model: the one trainer of the package."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from attention_zoo import models
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.padding import PADDING
from attention_zoo.data.scaling import TargetScaler, adapt, standardized
from attention_zoo.data.stream import Stream
from attention_zoo.data.window_stream import WindowStream
from attention_zoo.training.backup import Backup
from attention_zoo.training.callbacks import (
    EarlyStopping,
    SampleOrder,
    StopAtNaN,
    learning_rate_scheduler,
)
from attention_zoo.training.callbacks import TrainingError as TrainingError
from attention_zoo.training.compiled_cache import CompiledModelCache, trained_layers
from attention_zoo.training.compiling import AT_ONCE, WORTH_XLA, build_for, compile_model
from attention_zoo.training.distribution import SingleDevice
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.seeding import seeded

History = dict[str, list[float]]
Callbacks = Callable[[int], Sequence[keras.callbacks.Callback]]


def fit(
    recipe: Recipe,
    train: Dataset,
    validation: Dataset | None = None,
    *,
    backup: Path | None = None,
    weights: list[Any] | None = None,
    callbacks: Callbacks = lambda phase: (),
    strategy: SingleDevice | None = None,
    cache: CompiledModelCache | None = None,
    endless: bool = False,
    verbose: Any = 0,
    class_weight: dict[int, float] | None = None,
) -> tuple[keras.Model, History]:
    """Train the recipe's model, phase after phase, each from the weights of the one before.

    Args:
        recipe: what to train and how; `patience` needs data that validate.
        train, validation: the data.
        backup: a folder that holds the run's state after every epoch; a run that finds one goes
            on from it. None for none.
        weights: what `get_weights` returned, to begin with; None for new ones.
        callbacks: called with the number of each phase, gives further Keras callbacks for it.
        strategy: on which devices, from `distribution.strategy`; None for one.
        cache: where compiled models of the same shape are found and left. What is trained is then
            a copy of the model whose inputs come standardized.
        endless: give TensorFlow a small data set as one that repeats, whose epochs begin sooner
            and have another order of the samples; not with a backup.
        verbose: as in `keras.Model.fit`.
        class_weight: as in `keras.Model.fit`, for a stream.

    Returns:
        The model and its history: `{name: one value an epoch}`, over all phases. A quantity of the
        user's own is scaled to a mean of 0 and a deviation of 1: so are the losses, while the model
        predicts in its units.

    Raises:
        TrainingError: if the loss becomes NaN or infinite.
    """
    with seeded(recipe.seed):
        trainer = _Trainer(recipe, train, validation, backup, strategy or SingleDevice(), cache)
        for number in range(len(recipe.phases)):
            options = {"verbose": verbose, "class_weight": class_weight, "endless": endless}
            trainer.run(number, weights, callbacks(number), **options)
            weights = trainer.model.get_weights()
        return trainer.finished(), trainer.history


class _Trainer:
    """One run over the phases of a recipe.

    Attributes:
        model: of the last phase that was run.
        history: `{name: one value an epoch}` so far.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: Dataset,
        validation: Dataset | None,
        backup: Path | None,
        strategy: SingleDevice,
        cache: CompiledModelCache | None,
    ):
        self.recipe, self.strategy, self.cache = recipe, strategy, cache
        self.state = strategy.on_main_process(
            lambda: Backup(backup, recipe, train, writes=strategy.first)
        )
        self.train, self.history = train, History()
        own = recipe.task is None and not isinstance(train, Stream)
        parts = train.heads or {"": train}
        self.scalers = {
            name: TargetScaler.of(part.y, vector=part.vector)
            for name, part in parts.items()
            if own and part.kind == "regression"
        }
        if isinstance(train, WindowStream):
            self.scalers = {"": train.scaler()}
        self.scaled = self._scale(train, shuffle=True)
        self.validation = None if validation is None else self._scale(validation)

    def run(
        self,
        number: int,
        weights: list[Any] | None,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        endless: bool,
        **options: Any,
    ) -> None:
        """Train in a phase, or read what an interrupted run made of it."""
        with self.strategy.scope():
            self.model = self.strategy.data_parallel(build_for(self.recipe, self.train, number))
        finished = self.state.finished_phase(number, self.model)
        if finished is None:
            if weights is None:
                adapt(self.model, self.train.visible())
            else:
                models.copy_weights(weights, self.model)
                if number == 0:
                    for name, scaler in self.scalers.items():
                        scaler.scale_output(_output(self.model, name))
            finished = self._fit(number, callbacks, endless, options)
        for name, values in finished.items():
            self.history.setdefault(name, []).extend(values)

    def _fit(
        self,
        number: int,
        callbacks: Sequence[keras.callbacks.Callback],
        endless: bool,
        options: dict[str, Any],
    ) -> History:
        recipe, phase = self.recipe, self.recipe.phases[number]
        train, validation = self.scaled, self.validation
        steps = math.ceil(len(train) / recipe.batch_size)
        kind: Any = {name: head.kind for name, head in (train.heads or {}).items()} or recipe.kind
        how = kind, phase.learning_rate, steps
        xla = steps * phase.epochs >= WORTH_XLA
        model, kept = self.model, None
        if self.cache is None:
            with self.strategy.scope():
                compile_model(model, *how, xla=xla, replicas=self.strategy.replicas)
        else:
            # A mean and a variance would be constants of the compiled code
            padded = bool(recipe.config.get("standardize")) and train.mask_value is not None
            plain = recipe.changed(config={**recipe.config, "standardize": False})
            like = dataclasses.replace(train, mask_value=PADDING if padded else train.mask_value)
            build = lambda: build_for(plain, like, number)  # noqa: E731
            kept = self.cache.get(model, *how, xla=xla, build=build)
            model = kept.model
            train = dataclasses.replace(train, x=standardized(self.model, train))
            if validation is not None:
                validation = dataclasses.replace(validation, x=standardized(self.model, validation))
        epochs, seen = phase.epochs, [StopAtNaN(number), SampleOrder(recipe.seed, number)]
        if phase.learning_rate_schedule == "cosine":
            seen.append(learning_rate_scheduler(phase))
        if recipe.patience is not None:
            early = EarlyStopping(recipe.patience, self.state, number)
            epochs = early.epochs(epochs)
            seen.append(early)  # before the backup, which counts the epoch as done
        given = self.strategy.arguments(train, validation, recipe.batch_size)
        if endless:
            given |= _endless(given, recipe, steps)
        with self.strategy.scope(), warnings.catch_warnings():
            # Nothing trains the weights of an attention that is frozen uniform
            warnings.filterwarnings("ignore", "Gradients do not exist")
            model.fit(
                **given,
                epochs=epochs,
                **options,
                callbacks=[*seen, *self.state.callbacks(number), *callbacks],
            )
        finished = self.state.finish_phase(number, model)
        if self.cache is not None and kept is not None:
            for one, source in zip(trained_layers(self.model), trained_layers(model), strict=True):
                models.copy_weights(source.get_weights(), one)
            self.cache.put(kept)
        return finished

    def finished(self) -> keras.Model:
        """The trained model, which predicts in the user's units."""
        if self.strategy.replicas > 1:
            # An ordinary model, which knows nothing of the devices that trained it
            weights = self.model.get_weights()
            self.model = models.copy_weights(weights, build_for(self.recipe, self.train, -1))
        for name, scaler in self.scalers.items():
            scaler.unscale_output(_output(self.model, name))
        return self.model

    def _scale(self, data: Dataset, shuffle: bool = False) -> Dataset:
        if not self.scalers:
            return data
        if isinstance(data, WindowStream):
            return data.scaled(self.scalers[""].scaled, shuffle=shuffle)
        if not data.heads:
            return self.scalers[""].scale_data(data)
        heads = {
            name: self.scalers[name].scale_data(head) if name in self.scalers else head
            for name, head in data.heads.items()
        }
        return dataclasses.replace(data, heads=heads)


def _output(model: keras.Model, name: str) -> keras.layers.Layer:
    return model.get_layer(name) if name else model.layers[-1]


def _endless(given: dict[str, Any], recipe: Recipe, steps: int) -> dict[str, Any]:
    """For TensorFlow a data set that repeats: to begin an epoch over arrays takes it longer than
    many steps of a small model."""
    if keras.backend.backend() != "tensorflow" or steps > AT_ONCE:
        return {}
    import tensorflow as tf

    named = [given[name] for name in ("x", "y", "sample_weight") if name in given]
    data = tf.data.Dataset.from_tensor_slices(tuple(named))
    data = data.shuffle(len(named[0]), seed=recipe.seed).batch(recipe.batch_size).repeat()
    without = dict.fromkeys(("y", "sample_weight", "batch_size"))
    return {**without, "x": data, "steps_per_epoch": steps, "shuffle": False}
