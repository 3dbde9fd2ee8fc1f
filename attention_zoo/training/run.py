"""The whole of a training run: data, model, score, preset."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from attention_zoo.core import checks, files
from attention_zoo.data.stream import Stream
from attention_zoo.training.compiling import build_for, dtype_of_process
from attention_zoo.training.distribution import SingleDevice, strategy
from attention_zoo.training.fit import Callbacks, fit
from attention_zoo.training.measure import baseline
from attention_zoo.training.output import save_run, state_folder
from attention_zoo.training.planning import Split, plan_run
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.result import TrainingResult, keras_history
from attention_zoo.training.seeding import draws_kept
from attention_zoo.training.study import score_model, study


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
    verbose: Any = 0,
    kind: Any = None,
    ordered: bool = False,
    seed: int | None = None,
    task: str | None = None,
    samples: int | None = None,
    normalizer: str | None = None,
    recipe: Recipe | str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    seeds: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    distribute: bool = False,
    report: Callable[[str], None] = lambda line: None,
    **config: Any,
) -> TrainingResult:
    """Build a model and train it, as Keras's `fit` has it; measure it, and write it as a preset.

    All samples of x train, unless `validation_split` says otherwise. What is held out is what you
    give: with neither `validation_data`, `validation_split` nor `test_data` there is no score.

    Args:
        architecture: a name from `az.list_models()`.
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
        test_data: as `validation_data`. Nothing in the training sees it; the score is of it.
        epochs: None for 30, or so many that there are 1,000 steps, whichever are more.
        batch_size: samples a step; None for 32. A stream has its own.
        learning_rate: of Adam; None for 0.001.
        patience: stop after so many epochs without a lower validation loss, and go back to the
            weights of the best; in a recipe each phase for itself.
        callbacks: Keras callbacks; or a function from the number of a recipe's phase to them.
        class_weight: how much each class counts, by its label.
        sample_weight: how much each sample of x counts, `(samples,)`.
        verbose: as in `keras.Model.fit`.
        kind: `"binary"`, `"multiclass"` or `"regression"`, to decide against what y looks like; of
            several outputs a dictionary.
        ordered: whether the samples come one after the other in time.
        seed: of the weights, the order of the samples and what is split off; None for 0. The same
            seed gives the same model.
        task: a synthetic task, in place of x and y; it has its own draws for validation and test.
        samples: how many samples of the task train.
        normalizer: of the attention layer's scores, such as `"sparsemax"`.
        recipe: the exact whole in place of all this: a `Recipe`, the name of one that comes with
            the package, or a `.json` file. What it decides cannot be given beside it.
        out: the preset's folder, or None to write nothing. While the run lasts its state is in
            `out` + ".training", from which it can go on.
        seeds: also train the recipe, its softmax and its uniform control with this many seeds
            each, for the card.
        resume: go on from an interrupted run's state; ValueError if it was another run.
        overwrite: whether a preset at `out`, or the state of an interrupted run, may be replaced.
        distribute: train on all devices at once, each with its part of every batch, to the losses
            of one device up to rounding: `keras.distribution.DataParallel` on JAX,
            `tf.distribute` on TensorFlow (on several machines if TF_CONFIG says so), the processes
            that torchrun started on torch. ValueError where there is one device.
        report: called with lines on a study's progress.
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
    >>> result = az.train("dense", x, x[:, 1] > 0, validation_split=0.2, epochs=40, units=8)
    >>> result.score["accuracy"] > result.baseline.score["accuracy"]
    True
    """
    checks.natural("seeds", seeds)
    for name, value in {"resume": resume, "overwrite": overwrite, "distribute": distribute}.items():
        checks.boolean(name, value)
    recipe, data, stream_class_weight = plan_run(
        architecture, x, y, recipe=recipe, task=task, config=config, own=_OWN,
        validation_data=validation_data, validation_split=validation_split, test_data=test_data,
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, patience=patience,
        class_weight=class_weight, sample_weight=sample_weight, kind=kind, ordered=ordered,
        seed=seed, samples=samples, normalizer=normalizer,
    )  # fmt: skip
    recipe = recipe.changed(config={**dtype_of_process(), **recipe.config})
    if distribute and seeds:
        raise ValueError(
            "A study over seeds is many small runs: leave `seeds` or `distribute` out."
        )
    if distribute and (isinstance(data.train, Stream) or data.train.heads
                       or data.train.sample_weight is not None):  # fmt: skip
        raise ValueError(
            "`distribute` takes arrays with one target and no weights. Leave it out, or the others."
        )
    if out is not None:
        out = files.local_path("out", out)
    if seeds and (out is None or recipe.task is None):
        raise ValueError("A study over seeds needs a task, and `out` for its state.")
    by_phase = callbacks if callable(callbacks) else (lambda phase: callbacks)
    # First of all, since TensorFlow does not let it come later
    with draws_kept(), strategy(distribute) as devices:
        options = {"callbacks": by_phase, "verbose": verbose, "class_weight": stream_class_weight}
        return _train(devices, recipe, data, out, seeds, resume, overwrite, report, options)


#: What `train` itself takes, beside the arguments of factories.
_OWN = set(inspect.signature(train).parameters) - {"config"}


def _train(
    devices: SingleDevice, recipe: Recipe, data: Split, out: Path | None, seeds: int,
    resume: bool, overwrite: bool, report: Callable[[str], None], options: dict[str, Any],
) -> TrainingResult:  # fmt: skip
    build_for(recipe, data.train, 0)  # what cannot be built fails before anything is written
    state = devices.on_main_process(
        lambda: state_folder(out, resume, overwrite, writes=devices.first)
    )
    backup = None if state is None else state / "run"
    model, history = fit(
        recipe, data.train, data.validation, backup=backup, strategy=devices, **options
    )
    held_out, name = data.measured()
    score = trivial = None
    if held_out is not None:
        score = score_model(model, recipe, held_out)
        trivial = baseline(data.train, held_out, data.next_value)
    metrics = None
    if seeds and state is not None:
        (state / "study").mkdir(exist_ok=True)
        metrics = study(recipe, seeds, state / "study", report)

    def write() -> Path | None:
        if out is None or state is None or not devices.first:
            return None
        examples = data.train if held_out is None else held_out
        path = save_run(out, model, recipe, examples, score or {}, metrics, overwrite=overwrite)
        shutil.rmtree(state)
        return path

    path = devices.on_main_process(write)
    return TrainingResult(
        model, keras_history(model, history), score, trivial, recipe, path, name, held_out
    )  # fmt: skip
