"""A preset measured on fresh samples, beside what its card says."""

from __future__ import annotations

import os
from typing import NamedTuple

from attention_zoo import tasks
from attention_zoo.core import checks
from attention_zoo.data.alignment import align_to_card
from attention_zoo.data.dataset import Dataset, check_dataset, from_task
from attention_zoo.presets.folder import find, read_card
from attention_zoo.presets.load import load
from attention_zoo.training.measure import measure
from attention_zoo.training.recipe import make_recipe
from attention_zoo.training.study import TEST_SAMPLES, score_model

#: Far from the seeds of any study.
FRESH_SEED = 1000


class Evaluation(NamedTuple):
    """The metrics of a preset: on its card, and measured now.

    Args:
        card: the metrics on the preset's card, by name.
        measured: the metrics measured now, by name.
        samples: how many samples they were measured on.

    Example:

    >>> az.training.evaluate("dense", samples=100).samples
    100
    """

    card: dict[str, float]
    measured: dict[str, float]
    samples: int


def evaluate(
    name: str | os.PathLike,
    *,
    data: Dataset | None = None,
    samples: int = TEST_SAMPLES,
    seed: int = FRESH_SEED,
) -> Evaluation:
    """Measure a preset on fresh draws of its task, or on your own data.

    Args:
        name: a preset's name or folder.
        data: your own data, from `training.read` or `training.from_arrays`; None for its task.
            Columns that have names are put in the order of the card's, and labels get the numbers
            of its classes.
        samples: how many samples to draw of the task.
        seed: of the draw.

    Returns:
        An `Evaluation`: the metrics on the card, those measured now, and on how many samples.

    Raises:
        ValueError: if the preset has no task and no data is given, or the data do not fit it:
            other columns than the card's, or labels that it does not know.
        TypeError: for data that are no `Dataset`, such as (x, y).

    Example:

    >>> result = az.training.evaluate("dense", samples=1000)
    >>> abs(result.measured["accuracy"] - result.card["accuracy"]) < 0.01
    True
    """
    checks.positive_int("samples", samples)
    check_dataset(data)
    card = read_card(name)
    if data is None and not (card.recipe or {}).get("task"):
        raise ValueError(f"The preset {str(name)!r} has no task: evaluate it on data of yours.")
    model = load(name)
    if data is not None:
        data = align_to_card(data, card, model, find(name).resolve().name)
        return Evaluation(card.scores, measure(model, data), len(data.x))
    recipe = make_recipe({**(card.recipe or {}), "seed": seed})
    task = tasks.get(str(recipe.task), **recipe.task_config)
    measured = score_model(model, recipe, from_task(task, samples, seed, "test"))
    return Evaluation(card.scores, measured, samples)
