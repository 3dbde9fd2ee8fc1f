"""How well a model does on held-out samples, and whether it looks at the right place."""

from __future__ import annotations

import keras
import numpy as np

from attention_zoo.explain.localisation import (
    pointing_game,
    relevance_mass_accuracy,
    relevance_rank_accuracy,
)
from attention_zoo.explain.scores import watch
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.training.data import Dataset

#: Recurrent states carry what came shortly before them.
LATER_STEPS = 2


def measure(model: keras.Model, data: Dataset) -> dict[str, float]:
    """Accuracy (or mean absolute error) and, where the truth is known, localisation.

    Returns:
        `accuracy` or `mae`; with a known relevance and one attention layer also
        `relevance_mass_accuracy` overall and by class, `relevance_rank_accuracy`,
        `pointing_game`, and, for attention over time, the mass on the relevant steps and the
        two after each.
    """
    relevance = data.relevance
    if relevance is None or not any(isinstance(la, AttentionLayer) for la in model.layers):
        return _performance(model.predict(data.x, batch_size=1000, verbose=0), data)
    seen = watch(model, data.x, batch_size=1000)
    result = _performance(seen["predictions"], data)
    scores = next(iter(seen["scores"].values()))
    mass = relevance_mass_accuracy(scores, relevance)
    result["relevance_mass_accuracy"] = float(mass.mean())
    if data.kind == "binary":
        for label in (0, 1):
            result[f"relevance_mass_accuracy_y{label}"] = float(mass[data.y == label].mean())
    result["relevance_rank_accuracy"] = float(
        np.nanmean(relevance_rank_accuracy(scores, relevance))
    )
    result["pointing_game"] = float(pointing_game(scores, relevance).mean())
    if data.x.ndim == 3 and relevance.ndim == 2:
        later = relevance.copy()
        for shift in range(1, LATER_STEPS + 1):
            later[:, shift:] = np.maximum(later[:, shift:], relevance[:, :-shift])
        result["mass_on_relevant_and_2_later_steps"] = float(
            relevance_mass_accuracy(scores, later).mean()
        )
    return result


def _performance(predictions: np.ndarray, data: Dataset) -> dict[str, float]:
    if data.kind == "regression":
        return {"mae": float(np.abs(predictions[:, 0] - data.y).mean())}
    if data.kind == "binary":
        return {"accuracy": float(((predictions[:, 0] > 0.5) == (data.y > 0.5)).mean())}
    return {"accuracy": float((predictions.argmax(1) == data.y).mean())}
