"""One trial: the executions of one point of the space, and what is kept of them."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np

from attention_zoo.core import files
from attention_zoo.data.dataset import Dataset
from attention_zoo.training.backup import read_weights, write_weights
from attention_zoo.training.compiled_cache import CompiledModelCache
from attention_zoo.training.compiling import build_for
from attention_zoo.training.fit import TrainingError, fit
from attention_zoo.training.recipe import Recipe
from attention_zoo.tuning.folder import TuningError, cure_of, read_state
from attention_zoo.tuning.hypermodel import HyperAttention
from attention_zoo.tuning.objectives import OBJECTIVES, figures

CHECKPOINT = "best.weights.h5"


class Spectator:
    """Is told how a search goes on; it does nothing but what a subclass adds."""

    def search_begins(self, notes: Sequence[str]) -> None:
        """What the user should know before the first trial."""

    def trial_begins(self, trial: str, values: dict[str, Any]) -> None:
        """A trial with these values begins."""

    def epoch_ends(self, trial: str, execution: int, epoch: int, logs: dict[str, float]) -> None:
        """An epoch of an execution has ended; both are numbered from 0."""

    def trial_ends(self, trial: str) -> None:
        """A trial has ended, well or not."""


@dataclasses.dataclass(frozen=True, eq=False)
class Trainer:
    """Trains and measures points of a space, always in the same way.

    Attributes:
        hypermodel: turns a point into a recipe.
        parts: pairs of what trains and what validates, the same for all trials: one, or the folds
            of a cross-validation, each standardized by what trains.
        objectives: the figures that are searched for, the first of them to choose epochs' weights.
        epochs: how many, at most.
        patience: an execution ends after so many epochs without a lower validation loss; None
            to go through all of them.
        executions: how often each point is trained on each part, with the seeds `seed`,
            `seed` + 1, ...
        seed: of the first execution of every trial, so that points differ and not their luck.
        common: what all recipes have in common, such as the task.
        whole: of a cross-validation the samples of all folds, as they are; None for none.
        cache: compiled models, for further executions and points of the same shape.
    """

    hypermodel: HyperAttention
    parts: tuple[tuple[Dataset, Dataset], ...]
    objectives: tuple[str, ...]
    epochs: int
    patience: int | None
    executions: int
    seed: int
    common: dict[str, Any]
    whole: Dataset | None = None
    cache: CompiledModelCache = dataclasses.field(default_factory=CompiledModelCache)

    @property
    def train(self) -> Dataset:
        """What the best model is trained on."""
        return self.parts[0][0] if self.whole is None else self.whole

    def recipe(self, values: dict[str, Any], execution: int = 0) -> Recipe:
        """The recipe of one execution of a point; the folds of one have its seed."""
        done = values.get("tuner/initial_epoch", 0)
        epochs = values.get("tuner/epochs", self.epochs) - done
        return self.hypermodel.recipe(
            values, epochs=epochs, patience=self.patience or self.epochs,
            seed=self.seed + execution // len(self.parts), **self.common,
        )  # fmt: skip

    def untrained(self, values: dict[str, Any]) -> keras.Model:
        """The model of a point, with new weights."""
        return build_for(self.recipe(values), self.train, 0)

    def run(
        self, trial: str, values: dict[str, Any], folder: Path, start: Path | None,
        spectator: Spectator,
    ) -> dict[str, float]:  # fmt: skip
        """Train and measure a point, and return its figures, the means over its executions and
        their folds.

        Each execution's history and figures are written to `execution_<n>.json` as soon as it
        ends, and found there when an interrupted trial is run again; the weights of the best are
        kept in `best.weights.h5`, but of folds, since none of them knows all samples.

        Raises:
            keras_tuner.errors.FailedTrialError: if the point cannot be built, or its training
                becomes NaN.
            keras_tuner.errors.FatalError: if its results cannot be written.
        """
        found: list[dict[str, Any]] = []
        for execution in range(self.executions * len(self.parts)):
            path = folder / f"execution_{execution}.json"
            if not path.exists():
                record, model = self._execute(trial, values, execution, start, spectator)
                best = self.whole is None
                best = best and all(self._better(record, earlier) for earlier in found)
                _keep(path, record, folder / CHECKPOINT if best else None, model)
            found.append(read_state(path))
        names = [n for n in found[0]["figures"] if all(n in one["figures"] for one in found)]
        return {name: float(np.mean([one["figures"][name] for one in found])) for name in names}

    def model(self, values: dict[str, Any], folder: Path) -> keras.Model:
        """The trained model of a trial whose weights were kept."""
        model = self.untrained(values)
        path = folder / CHECKPOINT
        read_weights(model, path, error=TuningError, cure=cure_of(folder / "trial.json"))
        return model

    def trained_on_all(self, recipe: Recipe) -> keras.Model:
        """A model trained on the samples of all folds."""
        # Nothing is left to validate on; the epochs are known
        return fit(recipe, self.train, self.train)[0]

    def _better(self, record: dict[str, Any], other: dict[str, Any]) -> bool:
        name = self.objectives[0]
        sign = 1 if OBJECTIVES[name].direction == "max" else -1
        return sign * record["figures"][name] > sign * other["figures"][name]

    def _execute(
        self, trial: str, values: dict[str, Any], execution: int, start: Path | None,
        spectator: Spectator,
    ) -> tuple[dict[str, Any], keras.Model]:  # fmt: skip
        recipe = given = self.recipe(values, execution)
        fold = execution % len(self.parts)
        train, validation = self.parts[fold]
        if self.whole is not None:
            # Folds come standardized: each has a mean of its own, and the compiled model none
            given = recipe.changed(config={**recipe.config, "standardize": False})
        begun = time.monotonic()
        told = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: spectator.epoch_ends(trial, execution, epoch, logs)
        )
        try:
            weights = None
            if start is not None and start.exists():
                weights = self.model(values, start.parent).get_weights()
            model, history = fit(
                given, train, validation, weights=weights,
                callbacks=lambda phase: [told], cache=self.cache,
            )  # fmt: skip
        except (ValueError, TrainingError) as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        found = figures(model, validation, self.objectives)
        if self.whole is not None:
            found["parameters"] = float(self.untrained(values).count_params())
        losses = np.array(history["val_loss"])
        losses[np.isnan(losses)] = np.inf  # as an epoch without a loss is never the best
        found["val_loss"] = float(losses.min())
        not_finite = [name for name in self.objectives if not np.isfinite(found[name])]
        if not_finite:
            raise keras_tuner.errors.FailedTrialError(
                f"The objective {not_finite[0]!r} became {found[not_finite[0]]}."
            )
        record = {
            "seed": recipe.seed,
            **({} if self.whole is None else {"fold": fold}),
            "recipe": recipe.model_dump(),
            "seconds": time.monotonic() - begun,
            "best_epoch": int(np.argmin(losses)),
            "history": history,
            "figures": {name: value for name, value in found.items() if np.isfinite(value)},
        }
        return record, model


def _keep(path: Path, record: dict[str, Any], checkpoint: Path | None, model: keras.Model) -> None:
    try:
        if checkpoint is not None:
            write_weights(model, checkpoint)
        with files.new_file(path, overwrite=True) as scratch:
            scratch.write_text(json.dumps(record), "utf-8")
    except OSError as error:
        # KerasTuner takes other errors for those of the trial, and would go on
        raise keras_tuner.errors.FatalError(str(error)) from error
