"""A trial as a plain function: recipes and data in, metrics and weights out.

It knows no search and writes no file, so that it runs here or in a process of a Dask cluster.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.core.identity import by_identity
from attention_zoo.data.dataset import Dataset
from attention_zoo.presets.weights import load_weights_bytes, weights_bytes
from attention_zoo.training.compiled_cache import CompiledModelCache
from attention_zoo.training.compiling import build_for
from attention_zoo.training.fit import TrainingError, fit
from attention_zoo.training.memory import temporary_models
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.seeding import ONE_AT_A_TIME
from attention_zoo.tuning.objectives import TrialError, measure_objectives, signed
from attention_zoo.version import __version__


@by_identity
class TrialData(NamedTuple):
    """What all trials of a search share: it travels to a worker once.

    Attributes:
        parts: pairs of what trains and what validates: one, or the folds of a cross-validation,
            each standardized by what trains.
        whole: of a cross-validation the samples of all folds, as they are; None for none.
        objectives: the metrics that are searched for, the first of them to choose weights.
        search: a name, under which a process keeps compiled models.
        versions: what a process must have to join, as `versions` returns it.
    """

    parts: tuple[tuple[Dataset, Dataset], ...]
    whole: Dataset | None
    objectives: tuple[str, ...]
    search: str
    versions: str

    @property
    def train(self) -> Dataset:
        """What the best model is trained on."""
        return self.parts[0][0] if self.whole is None else self.whole


@dataclasses.dataclass(frozen=True)
class Trial:
    """One point of the space, to be trained.

    Attributes:
        number: counted from 0, which is the default.
        recipes: one for each execution and fold.
        start: the weights to begin with, of an earlier trial that Hyperband promotes.
    """

    number: int
    recipes: tuple[Recipe, ...]
    start: bytes | None = None


class Execution(NamedTuple):
    """One training of a trial: its record as plain values, and its weights if it is the best."""

    record: dict[str, Any]
    weights: bytes | None


class WorkerError(RuntimeError):
    """A worker that cannot take part in the search."""


def versions() -> str:
    """What decides the results of a trial beside its recipe and data."""
    backend = keras.backend.backend()
    return f"attention_zoo {__version__}, keras {keras.__version__}, {backend} backend"


def execute(
    trial: Trial,
    data: TrialData,
    done: Sequence[dict[str, Any]] = (),
    on_epoch_end: Callable[[int, int, dict[str, float]], None] = lambda *args: None,
) -> Iterator[Execution]:
    """Train and measure a point, once for each recipe that has no record in `done`.

    Raises:
        TrialError: if the point cannot be built, or its training becomes NaN.
        WorkerError: if this process has other versions than the search.
    """
    if versions() != data.versions:
        raise WorkerError(f"A worker has {versions()}; the search has {data.versions}.")
    name = data.objectives[0]
    values = [signed(name, record["metrics"][name]) for record in done]
    # One trial at a time, since Keras's session belongs to the whole process
    with ONE_AT_A_TIME, temporary_models():
        for number in range(len(values), len(trial.recipes)):
            told = functools.partial(on_epoch_end, number)
            record, model = _train(trial, number, data, told)
            value = signed(name, record["metrics"][name])
            best = all(value > other for other in values)
            values.append(value)
            # No fold's model knows all samples
            yield Execution(record, weights_bytes(model) if best and data.whole is None else None)


def run_trial(trial: Trial, data: TrialData, done: Sequence[dict[str, Any]]) -> list[Execution]:
    """`execute`, all at once, as a task of a cluster."""
    # Dask's other threads estimate the size of each message by draws from Python's generator, which
    # the trial is seeded by: they get one of their own
    sizes: Any = importlib.import_module("dask.sizeof")
    sizes.random = random.Random()
    return list(execute(trial, data, done))


@functools.lru_cache(maxsize=1)
def compiled_models(search: str) -> CompiledModelCache:
    """Compiled models of one search, for further trials of the same shape."""
    return CompiledModelCache()


def model_of(recipe: Recipe, data: TrialData, weights: bytes) -> keras.Model:
    """The model of a trial with its weights."""
    model = build_for(recipe, data.train, -1)
    load_weights_bytes(model, weights)
    return model


def train_on_all(recipe: Recipe, data: TrialData) -> keras.Model:
    """A model trained on the samples of all folds."""
    # Nothing is left to validate on; the epochs are known
    return fit(recipe, data.train, data.train)[0]


def _train(
    trial: Trial, number: int, data: TrialData, on_epoch_end: Callable[[int, Any], None]
) -> tuple[dict[str, Any], keras.Model]:
    recipe = given = trial.recipes[number]
    fold = number % len(data.parts)
    train, validation = data.parts[fold]
    if data.whole is not None:
        # Folds come standardized: each has another mean, and the compiled model has none
        given = recipe.changed(config={**recipe.config, "standardize": False})
    losses: list[list[float]] = [[] for _ in recipe.phases]

    def callbacks(phase: int) -> list[keras.callbacks.Callback]:
        def tell(epoch: int, logs: dict[str, float]) -> None:
            on_epoch_end(sum(map(len, losses)), logs)
            losses[phase].append(float(np.nan_to_num(logs["val_loss"], nan=np.inf)))

        return [keras.callbacks.LambdaCallback(on_epoch_end=tell)]

    begun = time.monotonic()
    try:
        start = trial.start
        weights = None if start is None else model_of(recipe, data, start).get_weights()
        cache = compiled_models(data.search)
        model, history = fit(
            given, train, validation, weights=weights, callbacks=callbacks, cache=cache
        )
    except (ValueError, TrainingError) as error:
        raise TrialError(str(error)) from error
    found = measure_objectives(model, validation, data.objectives)
    if data.whole is not None:
        found["parameters"] = float(build_for(recipe, data.train, 0).count_params())
    found["val_loss"] = min(losses[-1])
    for name in data.objectives:
        if not np.isfinite(found[name]):
            raise TrialError(f"The objective {name!r} became {found[name]}.")
    record = {
        "seed": recipe.seed,
        **({} if data.whole is None else {"fold": fold}),
        "recipe": recipe.model_dump(),
        "seconds": time.monotonic() - begun,
        # Each phase goes on from the best of the one before
        "best_epochs": [1 + int(np.argmin(phase)) for phase in losses],
        "history": history,
        "metrics": {name: value for name, value in found.items() if np.isfinite(value)},
    }
    return record, model


def best_recipe(records: Sequence[dict[str, Any]]) -> Recipe:
    """The recipe whose run ends at the best epochs of an execution, of several at their medians."""
    recipe = Recipe.model_validate(records[0]["recipe"])
    epochs = np.median([one["best_epochs"] for one in records], axis=0)
    phases = [
        {**phase.model_dump(), "epochs": max(1, round(count))}
        for phase, count in zip(recipe.phases, epochs.tolist(), strict=True)
    ]
    return recipe.changed(phases=phases, patience=None)
