"""From a recipe and data to a trained model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.training.backup import Backup
from attention_zoo.training.compiling import WORTH_XLA, compile_model
from attention_zoo.training.data import Dataset
from attention_zoo.training.distribution import Alone
from attention_zoo.training.early_end import EarlyEnd
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.reuse import Shelf
from attention_zoo.training.scaling import adapt
from attention_zoo.training.seeding import seeded
from attention_zoo.training.units import Units

_OUTPUT = {"binary": "sigmoid", "multiclass": "softmax", "regression": None}
History = dict[str, list[float]]


class TrainingError(RuntimeError):
    """A training run that cannot go on."""


class StopAtNaN(keras.callbacks.Callback):
    """Ends the run in the epoch whose loss is no number, before it is backed up."""

    def __init__(self, phase: int):
        super().__init__()
        self.phase = phase

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} in epoch {epoch + 1} of phase {self.phase + 1}. "
                "A lower learning_rate, or inputs of a smaller scale, may cure it."
            )


class _Orders(keras.callbacks.Callback):
    """Draws the order of the samples in each epoch from a seed of its own, so that a run that was
    interrupted goes on with the orders that it would have had.

    TensorFlow's order is its data set's own, and the same for any epoch that comes first.
    """

    def __init__(self, seed: int, phase: int):
        super().__init__()
        self.entropy = [seed, phase]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        seed = int(np.random.SeedSequence([*self.entropy, epoch]).generate_state(1)[0])
        np.random.seed(seed)
        if keras.backend.backend() == "torch":
            import torch

            torch.manual_seed(seed)


def dtype_of_process() -> dict[str, str]:
    """The process's dtype policy as an argument of `build`, so that a run can be made again and
    goes on as it began; nothing where it is float32, as all recipes were made."""
    policy = keras.config.dtype_policy().name
    return {} if policy == "float32" else {"dtype": policy}


def build_for(recipe: Recipe, data: Dataset, phase: int, **more: Any) -> keras.Model:
    """The recipe's model for the data's shapes, with the attention arguments of a phase; `more` are
    further arguments of `build`."""
    if data.mask_value is not None:
        if not models.takes(recipe.architecture, "mask_value"):
            raise ValueError(
                f"{recipe.architecture!r} is for tables, and the data are series with a mask: "
                "choose an architecture for series, such as 'gru'."
            )
        more["mask_value"] = data.mask_value
    return build_model(recipe, data.input_shape, data.outputs, phase, **more)


def build_model(
    recipe: Recipe, input_shape: Sequence[int | None], outputs: int, phase: int = 0, **more: Any
) -> keras.Model:
    """The recipe's model for the sizes of a sample; `more` are further arguments of `build`."""
    config: dict[str, Any] = {
        "input_shape": input_shape,
        "outputs": outputs,
        "activation": _OUTPUT[recipe.kind],
        **recipe.config,
        **more,
    }
    changes = recipe.phases[phase].attention
    if changes:
        attention = config["attention"]
        attention = {"class_name": attention} if isinstance(attention, str) else dict(attention)
        config["attention"] = {
            **attention, "config": {**(attention.get("config") or {}), **changes}
        }  # fmt: skip
    return models.build(recipe.architecture, **config)


def fit(
    recipe: Recipe,
    train: Dataset,
    validation: Dataset,
    *,
    backup: Path | None = None,
    weights: list[Any] | None = None,
    callbacks: Callable[[int], Sequence[keras.callbacks.Callback]] = lambda phase: (),
    shared: Alone | None = None,
    shelf: Shelf | None = None,
) -> tuple[keras.Model, History]:
    """Train the recipe's model, phase after phase, each from the weights of the one before.

    Args:
        recipe: what to train and how.
        train, validation: the data.
        backup: a folder that holds the run's state after every epoch; a run that finds one goes
            on from it. None for none.
        weights: what `get_weights` returned, to begin with; None to begin anew.
        callbacks: called with the number of each phase, gives further Keras callbacks for it.
        shared: by which devices, from `distribution.together`; None for one.
        shelf: where compiled models of the same shape are found and left. The model that is
            returned lasts until the next `fit` with it.

    Returns:
        The model and its history: `{name: one value an epoch}`, over all phases. A quantity of the
        user's own is scaled to a mean of 0 and a deviation of 1: so are the losses, while the model
        answers in its units.

    Raises:
        TrainingError: if the loss becomes NaN or infinite.
    """
    with seeded(recipe.seed):
        return _fit(recipe, train, validation, backup, weights, callbacks, shared or Alone(), shelf)


def _fit(
    recipe: Recipe, train: Dataset, validation: Dataset, backup: Path | None,
    weights: list[Any] | None, callbacks: Callable[[int], Sequence[keras.callbacks.Callback]],
    shared: Alone, shelf: Shelf | None,
) -> tuple[keras.Model, History]:  # fmt: skip
    kept = shared.in_turn(lambda: Backup(backup, recipe, train, writes=shared.first))
    history: History = {}
    own = recipe.kind == "regression" and recipe.task is None
    units = Units.of(train.y) if own else None
    given = (train, validation) if units is None else (units.data(train), units.data(validation))
    for number, phase in enumerate(recipe.phases):
        with shared.scope():
            model = shared.twin(build_for(recipe, train, number))
        finished = kept.finished_phase(number, model)
        if finished is None:
            if weights is None:
                adapt(model, train.visible())
            else:
                models.copy_weights(weights, model)
                if units is not None and number == 0:
                    units.take(model)
            steps = math.ceil(len(train.x) / recipe.batch_size)
            how = recipe.kind, phase.learning_rate, steps
            xla = steps * phase.epochs >= WORTH_XLA
            held = None
            if shelf is not None:
                held = shelf.take(model, *how, xla=xla)
                model = held.model
            else:
                with shared.scope():
                    compile_model(model, *how, xla=xla, replicas=shared.replicas)
            seen = [StopAtNaN(number), _Orders(recipe.seed, number)]
            early = None
            if recipe.patience is not None:
                early = EarlyEnd(recipe.patience, kept, number)
                seen.append(early)  # before the backup, which counts the epoch as done
            with shared.scope(), warnings.catch_warnings():
                # Nothing trains the weights of an attention that is frozen uniform
                warnings.filterwarnings("ignore", "Gradients do not exist")
                model.fit(
                    **shared.arguments(*given, recipe.batch_size),
                    epochs=len(early.losses) if early and early.over else phase.epochs,
                    verbose=0,
                    callbacks=[*seen, *kept.callbacks(number), *callbacks(number)],
                )
            finished = kept.finish_phase(number, model)
            if shelf is not None and held is not None:
                shelf.leave(held)
        for name, values in finished.items():
            history.setdefault(name, []).extend(values)
        weights = model.get_weights()
    if shared.replicas > 1 and weights is not None:
        # An ordinary model, which knows nothing of the devices that trained it
        model = models.copy_weights(weights, build_for(recipe, train, -1))
    if units is not None:
        units.give(model)
    return model, history
