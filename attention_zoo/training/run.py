"""The whole of a training run: model, score, preset."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from attention_zoo import models
from attention_zoo.core import checks, files
from attention_zoo.data.stream import Stream
from attention_zoo.training.compiling import build_for, dtype_of_process
from attention_zoo.training.distribution import SingleDevice, strategy
from attention_zoo.training.fit import Callbacks, fit
from attention_zoo.training.measure import baseline
from attention_zoo.training.output import save_run, state_folder
from attention_zoo.training.planning import Plan
from attention_zoo.training.result import TrainingResult, keras_history
from attention_zoo.training.seeding import draws_kept
from attention_zoo.training.study import score_model, study


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """The arguments of a run that its model does not depend on: see `train` and `run_recipe`."""

    out: Any
    resume: bool
    overwrite: bool
    distribute: bool
    callbacks: Sequence[keras.callbacks.Callback] | Callbacks
    verbose: Any
    seeds: int = 0
    report: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        checks.natural("seeds", self.seeds)
        for name in ("resume", "overwrite", "distribute"):
            checks.boolean(name, getattr(self, name))
        if self.distribute and self.seeds:
            raise ValueError(
                "A study over seeds is many small runs: leave `seeds` or `distribute` out."
            )
        if self.seeds and self.out is None:
            raise ValueError("A study over seeds needs `out`, where its state is kept.")


def run(plan: Plan, options: RunOptions) -> TrainingResult:
    """Train what is planned, measure it, and write it.

    Raises:
        ValueError: for data that cannot be distributed, and what the factory refuses.
        FileExistsError, TrainingError: as `train`.
    """
    data = plan.train
    special = isinstance(data, Stream) or data.heads or data.sample_weight is not None
    if options.distribute and special:
        raise ValueError(
            "`distribute` takes arrays with one target and no weights. Leave it out, or the others."
        )
    out = None if options.out is None else files.local_path("out", options.out)
    config = {**dtype_of_process(), **plan.recipe.config}
    plan = plan._replace(recipe=plan.recipe.changed(config=config))
    # First of all, since TensorFlow does not let it come later
    with draws_kept(), strategy(options.distribute) as devices:
        return _train(devices, plan, out, options)


def _train(
    devices: SingleDevice, plan: Plan, out: Path | None, options: RunOptions
) -> TrainingResult:
    recipe, callbacks = plan.recipe, options.callbacks
    build_for(recipe, plan.train, 0)  # what cannot be built fails before anything is written
    state = devices.on_main_process(
        lambda: state_folder(out, options.resume, options.overwrite, writes=devices.first)
    )
    model, history = fit(
        recipe,
        plan.train,
        plan.validation,
        backup=None if state is None else state / "run",
        strategy=devices,
        callbacks=callbacks if callable(callbacks) else lambda phase: callbacks,
        verbose=options.verbose if devices.first else 0,
        class_weight=plan.class_weight,
    )
    if plan.train.classes and not plan.train.heads and plan.train.y.ndim == 1:
        models.name_classes(model, plan.train.classes)
    held_out, name = plan.measured()
    score = trivial = metrics = None
    if held_out is not None:
        score = score_model(model, recipe, held_out)
        trivial = baseline(plan.train, held_out, plan.next_value)
    if options.seeds and state is not None:
        (state / "study").mkdir(exist_ok=True)
        metrics = study(recipe, options.seeds, state / "study", options.report)

    def write() -> Path | None:
        if out is None or state is None or not devices.first:
            return None
        examples = plan.train if held_out is None else held_out
        path = save_run(
            out, model, recipe, examples, score or {}, metrics, overwrite=options.overwrite
        )
        shutil.rmtree(state)
        return path

    path = devices.on_main_process(write)
    return TrainingResult(
        model, keras_history(model, history), score, trivial, recipe, path, name, held_out
    )
