"""A recipe over several seeds, beside plain softmax and beside uniform attention."""

from __future__ import annotations

import inspect
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from attention_zoo import models, tasks
from attention_zoo.catalog import MODELS
from attention_zoo.core import files, foreign
from attention_zoo.data.dataset import Dataset, from_task
from attention_zoo.layers.register import attention_config
from attention_zoo.models.register import PLACES
from attention_zoo.training.compiling import build_for
from attention_zoo.training.fit import fit
from attention_zoo.training.measure import measure
from attention_zoo.training.memory import temporary_models
from attention_zoo.training.recipe import Recipe

TEST_SAMPLES = 10_000

#: A control shows a difference in kind: fewer seeds do.
_CONTROL_SEEDS = 3

#: How many samples, and which metrics, at other sizes of a task.
_OTHER_SAMPLES = 1000
_AT_OTHER_SIZES = ("accuracy", "mae", "relevance_mass_accuracy")


def softmax_control(recipe: Recipe) -> Recipe:
    """The same recipe with softmax, and nothing that sharpens it after the fit."""
    return _with_normalizer(recipe, "softmax")


def uniform_control(recipe: Recipe) -> Recipe:
    """The same recipe with its attention frozen uniform: what it predicts without attending
    (Wiegreffe and Pinter, 2019, arXiv:1908.04626)."""
    return _with_normalizer(recipe, "uniform")


CONTROLS: dict[str, Callable[[Recipe], Recipe]] = {
    "ours": lambda recipe: recipe,
    "softmax": softmax_control,
    "uniform": uniform_control,
}


def datasets(recipe: Recipe) -> tuple[Dataset, Dataset, Dataset]:
    """Train, validation and test draws of the recipe's task."""
    task = tasks.get(str(recipe.task), **recipe.task_config)
    sizes = {"train": recipe.samples, "validation": recipe.validation, "test": TEST_SAMPLES}
    train, validation, test = (from_task(task, n, recipe.seed, s) for s, n in sizes.items())
    return train, validation, test


def score_model(model: keras.Model, recipe: Recipe, test: Dataset) -> dict[str, float]:
    """The metrics of a trained model on held-out samples, and at the recipe's other sizes."""
    metrics = measure(model, test)
    for name, config in recipe.also.items():
        task = tasks.get(str(recipe.task), **{**recipe.task_config, **config})
        data = from_task(task, _OTHER_SAMPLES, recipe.seed, "test")
        dtype = models.blueprint(model).config["dtype"]
        same = models.copy_weights(model.get_weights(), build_for(recipe, data, -1, dtype=dtype))
        others = measure(same, data)
        metrics.update({f"{k}_at_{name}": others[k] for k in _AT_OTHER_SIZES if k in others})
    return metrics


def study(
    recipe: Recipe, seeds: int, folder: Path, report: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Train a recipe and its controls with the seeds 0, 1, 2, ... and measure each.

    Args:
        recipe: a recipe of a task.
        seeds: how many seeds; of the controls at most 3.
        folder: keeps the metrics of each finished run, so that an interrupted study goes on.
        report: called with a line after each run.

    Returns:
        `{"seeds": n, "ours" | "softmax" | "uniform": {"runs": [...], "median": {...}}}`.
    """
    result: dict[str, Any] = {"seeds": seeds}
    for name, control in CONTROLS.items():
        runs = []
        for seed in range(seeds if name == "ours" else min(seeds, _CONTROL_SEEDS)):
            done = folder / f"{name}_{seed}.json"
            if not done.exists():
                with temporary_models():
                    metrics = _metrics(control(recipe).changed(seed=seed))
                with files.new_file(done) as scratch:
                    scratch.write_text(json.dumps(metrics), "utf-8")
            remedy = "Remove it: that run is done again."
            runs.append(foreign.records(done, kind=dict, hint=remedy))
            line = ", ".join(f"{key} {value:.4f}" for key, value in runs[-1].items())
            report(f"{name}, seed {seed}: {line}")
        median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        result[name] = {"runs": runs, "median": median}
    return result


def _metrics(recipe: Recipe) -> dict[str, float]:
    train, validation, test = datasets(recipe)
    model, _ = fit(recipe, train, validation)
    return score_model(model, recipe, test)


def _with_normalizer(recipe: Recipe, name: str) -> Recipe:
    """The recipe with another normalizer in each of its attention layers."""
    plain = {"normalizer": name, "scores_regularizer": None, "temperature": 1.0}
    found = {place: attention_config(layer, plain) for place, layer in _attention(recipe).items()}
    return recipe.changed(
        config={**recipe.config, **found},
        phases=[{**phase.model_dump(), "attention": {}} for phase in recipe.phases],
    )


def _attention(recipe: Recipe) -> dict[str, Any]:
    """The attention layers of a recipe, by the factory's argument that they are."""
    factory = inspect.signature(MODELS.get(recipe.architecture)).parameters
    given = {p: recipe.config.get(p, factory[p].default) for p in PLACES if p in factory}
    found = {place: layer for place, layer in given.items() if layer is not None}
    if not found:
        raise ValueError("A study needs a recipe with an attention layer. Received: attention=None")
    return found
