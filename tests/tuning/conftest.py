"""A search whose trainings take no time, for what is about the search and not about training."""

import contextlib
import zlib

import numpy as np
import pytest

from attention_zoo.training.compiling import build_for
from attention_zoo.tuning import trials


def luck(recipe):
    """A number between 0 and 1 that a recipe has every time."""
    return zlib.crc32(repr(recipe.model_dump()).encode()) / 2**32


def train_nothing(
    recipe, train, validation, *, weights=None, callbacks=lambda phase: (), cache=None
):
    losses = []
    for number, phase in enumerate(recipe.phases):
        for epoch in range(phase.epochs):
            losses.append(luck(recipe) + 1 / (epoch + 1))
            for told in callbacks(number):
                told.on_epoch_end(epoch, {"loss": losses[-1], "val_loss": losses[-1]})
    return build_for(recipe, train, -1), {"loss": losses, "val_loss": losses}


def measure_nothing(model, data, objectives):
    size = float(model.count_params())
    return {"log_loss": 1 / size + np.sin(size), "accuracy": 0.5, "parameters": size}


@pytest.fixture
def quick(monkeypatch):
    """Trials that build their model and make their metrics up, the same ones every time."""
    monkeypatch.setattr(trials, "fit", train_nothing)
    monkeypatch.setattr(trials, "measure_objectives", measure_nothing)
    monkeypatch.setattr(
        "attention_zoo.tuning.searching.score_model", lambda *args: {"accuracy": 0.5}
    )
    monkeypatch.setattr("attention_zoo.tuning.pictures.write_pictures", lambda *args: None)
    monkeypatch.setattr("attention_zoo.tuning.trials.temporary_models", contextlib.nullcontext)
