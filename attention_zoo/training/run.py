"""The whole of a training run: data, model, figures, preset."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from attention_zoo.core import checks, files, foreign
from attention_zoo.presets.save import save
from attention_zoo.data.dataset import Dataset, check_dataset
from attention_zoo.training.distribution import Alone, together
from attention_zoo.training.fit import History, build_for, dtype_of_process, fit
from attention_zoo.training.recipe import Recipe, default_recipe
from attention_zoo.training.seeding import draws_kept
from attention_zoo.data.splitting import split
from attention_zoo.training.study import datasets, score_model, study


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A finished training run: the model, its history by epoch, its held-out figures, and the
    preset's folder, None where nothing was written or another process wrote it.

    A quantity of the user's own is trained on with a mean of 0 and a deviation of 1: so are the
    losses of the history, while the model answers, and is measured, in its units.
    """

    model: keras.Model
    history: History
    scores: dict[str, float]
    recipe: Recipe
    test: Dataset
    path: Path | None = None


def train(
    recipe: Recipe | str,
    task: str | None = None,
    *,
    data: Dataset | None = None,
    out: str | os.PathLike | None = None,
    seeds: int = 0,
    patience: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    distribute: bool = False,
    callbacks: Callable[[int], Sequence[keras.callbacks.Callback]] = lambda phase: (),
    report: Callable[[str], None] = lambda line: None,
) -> Run:
    """Train a model on a task or on your own data, measure it, and write it as a preset.

    Args:
        recipe: a `Recipe`, or an architecture's name for the package's recipe.
        task: a task's name, where `recipe` is an architecture.
        data: your own data, from `training.from_arrays` or `training.read`; without a task.
        out: the preset's folder, or None to write nothing. While the run lasts its state is in
            `out` + ".training", from which it can go on.
        seeds: also train the recipe, its softmax and its uniform control with this many
            seeds each, for the card.
        patience: end after so many epochs without a lower validation loss, and go back to the
            weights of the best; each phase of the recipe for itself. None for the recipe's own,
            which in the package's recipes is none: all epochs, and the weights of the last.
        resume: go on from an interrupted run's state; ValueError if it was another run.
        overwrite: whether a preset at `out`, or the state of an interrupted run, may be replaced.
        distribute: train on all devices at once, each with its part of every batch, to the
            losses of one device up to rounding: `keras.distribution.DataParallel` on JAX,
            `tf.distribute` on TensorFlow (on several machines if TF_CONFIG says so), the
            processes that torchrun started on torch. ValueError where there is one device.
        callbacks: called with the number of each phase, gives Keras callbacks for it.
        report: called with lines on a study's progress.

    Returns:
        A `Run`.

    Raises:
        TypeError: for data that are no `Dataset`, such as (x, y).
        ValueError: for what does not fit, before anything is written.
        FileExistsError: if something is at `out` and may not be replaced.
        TrainingError: if the loss becomes NaN or infinite.

    Example:

    >>> recipe = az.training.load_recipe("dense.planted_feature").changed(
    ...     samples=500, phases=[{"epochs": 1}])
    >>> sorted(az.train(recipe).scores)[:2]
    ['accuracy', 'auc']
    """
    checks.natural("seeds", seeds)
    checks.positive_int("patience", patience, none=True)
    for name, value in {"resume": resume, "overwrite": overwrite, "distribute": distribute}.items():
        checks.boolean(name, value)
    if not isinstance(recipe, (str, Recipe)):
        raise TypeError(
            "`recipe` must be a training.Recipe or an architecture's name, see list_models. "
            f"Received: {recipe!r}"
        )
    check_dataset(data)
    if isinstance(recipe, str):
        known = (data.kind, len(data.x)) if data else ()
        recipe = default_recipe(recipe, task, *known)
    if patience is not None:
        recipe = recipe.changed(patience=patience)
    recipe = recipe.changed(config={**dtype_of_process(), **recipe.config})
    if (recipe.task is None) == (data is None):
        raise ValueError("Give a task or your own data, one of the two.")
    if distribute and seeds:
        raise ValueError(
            "A study over seeds is many small runs: leave `seeds` or `distribute` out."
        )
    if out is not None:
        out = files.local_path("out", out)
    if seeds and (out is None or data is not None):
        raise ValueError("A study over seeds needs a task, and `out` for its state.")
    # First of all, since TensorFlow does not let it come later
    with draws_kept(), together(distribute) as shared:
        return _train(shared, recipe, data, out, seeds, resume, overwrite, callbacks, report)


def _train(
    shared: Alone, recipe: Recipe, data: Dataset | None, out: Path | None, seeds: int, resume: bool,
    overwrite: bool, callbacks: Any, report: Callable[[str], None],
) -> Run:  # fmt: skip
    if data is None:
        train_data, validation, test = datasets(recipe)
    else:
        train_data, validation, test = split(data, recipe.seed)
    build_for(recipe, train_data, 0)  # what cannot be built fails before anything is written
    state = shared.in_turn(lambda: _state_folder(shared, out, resume, overwrite))
    backup = None if state is None else state / "run"
    model, history = fit(
        recipe, train_data, validation, backup=backup, callbacks=callbacks, shared=shared
    )
    scores = score_model(model, recipe, test)
    figures = None
    if seeds and state is not None:
        (state / "study").mkdir(exist_ok=True)
        figures = study(recipe, seeds, state / "study", report)

    def write() -> Path | None:
        if out is None or state is None or not shared.first:
            return None
        path = save_run(out, model, recipe, test, scores, figures, overwrite=overwrite)
        shutil.rmtree(state)
        return path

    return Run(model, history, scores, recipe, test, shared.in_turn(write))


#: What the folder of an interrupted run holds.
_STATE = {"run", "study"}


def _state_folder(shared: Alone, out: Path | None, resume: bool, overwrite: bool) -> Path | None:
    if out is None:
        return None
    out = Path(os.path.abspath(out))
    if not shared.first:
        return out.with_name(f"{out.name}.training")
    files.refuse_existing(out, overwrite=overwrite)
    state = out.with_name(f"{out.name}.training")
    if state.is_symlink() or (state.exists() and not state.is_dir()):
        raise FileExistsError(f"{state} is no folder, and is kept as it is.")
    foreign.plain_folder(state)
    if state.exists() and not {path.name for path in state.iterdir()} <= _STATE:
        raise FileExistsError(f"{state} holds other files than a run's, and is kept as it is.")
    if state.exists() and not resume:
        if not overwrite:
            raise FileExistsError(
                f"{state} holds an interrupted run. Go on with it (--resume, resume=True), or "
                "replace it (--overwrite, overwrite=True)."
            )
        shutil.rmtree(state)
    state.mkdir(parents=True, exist_ok=True)
    return state


def save_run(
    out: Path, model: keras.Model, recipe: Recipe, test: Dataset, scores: dict[str, float],
    figures: dict[str, Any] | None = None, *, overwrite: bool = False,
) -> Path:  # fmt: skip
    """Write a trained model as a preset, with what its card says of recipe, data and figures."""
    about: dict[str, Any] = {
        "recipe": recipe.model_dump(),
        "kind": recipe.kind,
        "scores": scores,
        "study": figures,
        "classes": test.classes,
        "names": test.names,
        "published": recipe.published,
        "limits": recipe.limits,
    }
    if recipe.task is None:
        about["provenance"] = "trained by attention-zoo on the owner's data"
    else:
        about["license"] = "Apache-2.0"
        about["provenance"] = (
            f"trained by attention-zoo on draws of its synthetic task {recipe.task!r}; "
            "no other data"
        )
    return Path(save(model, out, examples=test.x, about=about, overwrite=overwrite))
