"""A recipe over several seeds, beside plain softmax and beside no attention."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from attention_zoo import tasks
from attention_zoo.core import files
from attention_zoo.training.data import Dataset, from_task
from attention_zoo.training.fit import fit
from attention_zoo.training.measure import measure
from attention_zoo.training.recipe import Phase, Recipe

TEST_SAMPLES = 10_000


def softmax_control(recipe: Recipe) -> Recipe:
    """The same recipe with softmax, and nothing that sharpens it after the fit."""
    attention = _attention(recipe)
    plain = {"normalizer": "softmax", "scores_regularizer": None, "temperature": 1.0}
    config = {**attention["config"], **plain}
    return recipe.changed(
        config={**recipe.config, "attention": {**attention, "config": config}},
        phases=_without_attention(recipe),
    )


def no_attention_control(recipe: Recipe) -> Recipe:
    """The same recipe with no attention layer: all alike, or the mean over time."""
    return recipe.changed(
        config={**recipe.config, "attention": None}, phases=_without_attention(recipe)
    )


CONTROLS: dict[str, Callable[[Recipe], Recipe]] = {
    "ours": lambda recipe: recipe,
    "softmax": softmax_control,
    "no_attention": no_attention_control,
}


def datasets(recipe: Recipe) -> tuple[Dataset, Dataset, Dataset]:
    """Train, validation and test draws of the recipe's task."""
    task = tasks.get(str(recipe.task), **recipe.task_config)
    sizes = {"train": recipe.samples, "validation": recipe.validation, "test": TEST_SAMPLES}
    train, validation, test = (from_task(task, n, recipe.seed, s) for s, n in sizes.items())
    return train, validation, test


def study(
    recipe: Recipe, seeds: int, folder: Path, report: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Train a recipe and its controls with the seeds 0, 1, 2, ... and measure each.

    Args:
        recipe: a recipe of a task.
        seeds: how many seeds.
        folder: keeps the figures of each finished run, so that an interrupted study goes on.
        report: called with a line after each run.

    Returns:
        `{"seeds": n, "ours" | "softmax" | "no_attention": {"runs": [...], "median": {...}}}`.
    """
    result: dict[str, Any] = {"seeds": seeds}
    for name, control in CONTROLS.items():
        runs = []
        for seed in range(seeds):
            done = folder / f"{name}_{seed}.json"
            if not done.exists():
                one = control(recipe).changed(seed=seed)
                train, validation, test = datasets(one)
                model, _ = fit(one, train, validation)
                with files.new_file(done) as scratch:
                    scratch.write_text(json.dumps(measure(model, test)), "utf-8")
                keras.utils.clear_session()
            runs.append(json.loads(done.read_text("utf-8")))
            figures = ", ".join(f"{key} {value:.4f}" for key, value in runs[-1].items())
            report(f"{name}, seed {seed}: {figures}")
        median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        result[name] = {"runs": runs, "median": median}
    return result


def _attention(recipe: Recipe) -> dict[str, Any]:
    attention = recipe.config.get("attention")
    if isinstance(attention, str):
        return {"class_name": attention, "config": {}}
    if not isinstance(attention, dict):
        raise ValueError("A study needs a recipe that names its attention layer.")
    return {"config": {}, **attention}


def _without_attention(recipe: Recipe) -> list[dict[str, Any]]:
    return [
        Phase(epochs=p.epochs, learning_rate=p.learning_rate).model_dump() for p in recipe.phases
    ]
