"""The two ways to begin a training run: `train` on a user's data, `run_recipe` on a task's."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from attention_zoo.training.fit import Callbacks
from attention_zoo.training.overrides import Overrides
from attention_zoo.training.planning import UserData, plan_recipe, plan_train
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.result import TrainingResult
from attention_zoo.training.run import RunOptions, run


def train(
    architecture: str | None = None,
    x: Any = None,
    y: Any = None,
    *,
    validation_data: Any = None,
    validation_split: float = 0.0,
    test_data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    patience: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | Callbacks = (),
    class_weight: Mapping[Any, float] | None = None,
    sample_weight: Any = None,
    verbose: Any = "auto",
    kind: Any = None,
    ordered: bool = False,
    seed: int | None = None,
    recipe: Recipe | str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    overwrite: bool = False,
    distribute: bool = False,
    **config: Any,
) -> TrainingResult:
    """Build a model and train it, as Keras's `fit` has it; measure it, and write it as a preset.

    All samples of x train, unless `validation_split` says otherwise. What is held out is what you
    give: with neither `validation_data`, `validation_split` nor `test_data` there is no score.

    For a recipe of a synthetic task there is `az.training.run_recipe`.

    Args:
        architecture: a name from `az.list_models()`; None for the default that suits the data
            (docs/which.md).
        x: `(samples, features)` or `(samples, time, features)`: an array, a pandas or a polars
            frame; or a `Dataset` from `training.from_arrays` (for a mask) or `training.read`; or a
            `tf.data.Dataset`, a `keras.utils.PyDataset` or a torch `DataLoader`, which ends and
            has x and y. The rows of a table are series of one feature for all but `"dense"`.
        y: `(samples,)`: integers or text are classes, other numbers a quantity. `(samples,
            outputs)`: several quantities, one-hot classes, or yes and no of several labels. A
            dictionary of such trains a model of several outputs by these names.
        validation_data: `(x, y)` or `(x, y, sample_weight)`, a `Dataset` or a stream, as it is: its
            loss is in the history, and `patience` heeds it.
        validation_split: the share of x that validates and does not train: of each class the same,
            drawn by the seed; the last samples where they are `ordered`.
        test_data: as `validation_data`. It has no part in the training; the score is of it.
        epochs: None for 30, or so many that there are 1,000 steps, whichever are more.
        batch_size: samples a step; None for 32, of `conv_after` 16. A stream has its own.
        learning_rate: of Adam; None for 0.001, of `conv_after` 0.005 at the highest.
        patience: stop after so many epochs without a lower validation loss, and go back to the
            weights of the best; in a recipe each phase for itself.
        callbacks: Keras callbacks; or a function from the number of a recipe's phase to them.
        class_weight: how much each class counts, by its label.
        sample_weight: how much each sample of x counts, `(samples,)`.
        verbose: as in `keras.Model.fit`: `"auto"` or 1 for a progress bar, 2 for a line an epoch,
            0 for nothing.
        kind: `"binary"`, `"multiclass"` or `"regression"`, to decide against what y looks like; of
            several outputs a dictionary.
        ordered: whether the samples come one after the other in time.
        seed: of the weights, the order of the samples and what is split off; None for 0. The same
            seed gives the same model.
        recipe: the exact whole in place of the architecture and its settings: a `Recipe` or a
            `.json` file. What it decides cannot be given beside it.
        out: the preset's folder, or None to write nothing. While the run lasts its state is in
            `out` + ".training", from which it can go on.
        resume: go on from an interrupted run's state; ValueError if it was another run.
        overwrite: whether a preset at `out`, or the state of an interrupted run, may be replaced.
        distribute: train on all devices at once, each with its part of every batch, to the losses
            of one device up to rounding: `keras.distribution.DataParallel` on JAX,
            `tf.distribute` on TensorFlow (on several machines if TF_CONFIG says so), the processes
            that torchrun started on torch. ValueError where there is one device.
        **config: arguments of the factory, such as `attention="luong"`, `units=64`,
            `mask_value=0.0`. Inputs are standardized by the model unless `standardize=False`.

    Returns:
        A `TrainingResult`: `.model`, `.history` (a `keras.callbacks.History`), `.score`,
        `.baseline`; printed, it says how the score stands beside the baseline.

    Raises:
        TypeError: for data of another type, and y beside what has its own.
        ValueError: for an unknown argument, with the nearest of this function's and the factory's;
            for what does not fit, before anything is written.
        FileExistsError: if something is at `out` and may not be replaced.
        TrainingError: if the loss becomes NaN or infinite.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(200, 5))
    >>> result = az.train("dense", x, x[:, 1] > 0, validation_split=0.2, epochs=40, units=8,
    ...                   verbose=0)
    >>> result.score["accuracy"] > result.baseline.score["accuracy"]
    True
    """
    options = RunOptions(out, resume, overwrite, distribute, callbacks, verbose)
    overrides = Overrides(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=patience,
        seed=seed,
        config=config,
    )
    held_out = (validation_data, validation_split, test_data)
    data = UserData(x, y, *held_out, class_weight, sample_weight, kind, ordered)
    return run(plan_train(architecture, recipe, data, overrides, _OWN), options)


#: What `train` itself takes, beside the arguments of factories.
_OWN = set(inspect.signature(train).parameters) - {"config"}


def run_recipe(
    recipe: Recipe | str | os.PathLike,
    *,
    seeds: int = 0,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    overwrite: bool = False,
    distribute: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] | Callbacks = (),
    verbose: Any = "auto",
    report: Callable[[str], None] = lambda line: None,
) -> TrainingResult:
    """Train the recipe of a synthetic task on draws of it; measure it, and write it as a preset.

    Args:
        recipe: a `Recipe` with a task, such as `default_recipe("gru", "planted_step")`; the name of
            one from `list_recipes()`, or a `.json` file.
        seeds: also train the recipe, its softmax control and its uniform control with so many
            seeds, at most three for the controls; their metrics go into the card.
        out: the preset's folder, or None to write nothing.
        resume: as in `az.train`; the finished seeds of a study are not trained again.
        overwrite, distribute, callbacks, verbose: as in `az.train`.
        report: called with a line after each seed.

    Returns:
        A `TrainingResult`, whose score is of the task's test draw.

    Raises:
        TypeError: for what is no recipe.
        ValueError: for a recipe without a task, and `seeds` without `out` or with `distribute`.
        FileExistsError: if something is at `out` and may not be replaced.
        TrainingError: if the loss becomes NaN or infinite.

    Example:

    >>> recipe = az.training.default_recipe("dense", "planted_feature")
    >>> recipe = recipe.changed(samples=2000, phases=[{"epochs": 10}])
    >>> result = az.training.run_recipe(recipe, verbose=0)
    >>> result.scored_on, result.worse_than_baseline
    ('test', False)
    """
    options = RunOptions(out, resume, overwrite, distribute, callbacks, verbose, seeds, report)
    return run(plan_recipe(recipe), options)
