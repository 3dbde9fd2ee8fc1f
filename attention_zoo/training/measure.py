"""How well a model predicts, and whether it attends to the right place."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.input_steps import at_input_steps
from attention_zoo.capture.profile import over_input
from attention_zoo.capture.scores import capture_scores
from attention_zoo.data.baseline import Baseline, trivial
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.stream import Stream, batches
from attention_zoo.data.window_stream import WindowStream
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.metrics import (
    auprc,
    false_discovery_rate,
    pointing_game,
    relevance_mass_accuracy,
    relevance_rank_accuracy,
    true_positive_rate,
)
from attention_zoo.training.forecasting import best_simple_forecast, score_forecasts

#: Recurrent states carry what came shortly before them.
LATER_STEPS = 2


def measure(model: keras.Model, data: Dataset) -> dict[str, float]:
    """How good the predictions are and, where the truth is there, localization.

    Args:
        model: a built model.
        data: samples that fit it.

    Returns:
        `accuracy` and `log_loss` (the mean of -log p of the true class), for two classes also
        `auc` (the area under the ROC curve); or `mae`, `mse` and, where the task says how close is
        right, `accuracy`. With a known relevance and one attention layer also
        `relevance_mass_accuracy` overall and by class, `relevance_rank_accuracy`,
        `pointing_game`, `auprc`, `true_positive_rate` and `false_discovery_rate` of the cells with
        any attention, and, for attention over time, the mass on the relevant steps and the two
        after each. Attention by several queries, heads or hops counts by its mean. What the samples
        do not define, such as the `auc` of a single class, is left out. Of several outputs each
        has its own, as `<output>_<metric>`.

    Example:

    >>> data = az.training.from_task(az.tasks.get("planted_feature"), 100, seed=0, split="test")
    >>> az.training.measure(az.load("dense"), data)["accuracy"] > 0.9
    True
    """
    relevance = data.relevance
    if isinstance(data, WindowStream):
        return score_forecasts(model, data)
    if isinstance(data, Stream) or data.heads:
        return _metrics(_predictions(model, data), data)
    if relevance is None or not any(isinstance(la, AttentionLayer) for la in model.layers):
        return _metrics(_predictions(model, data), data)
    captured = at_input_steps(model, data.x, capture_scores(model, data.x, batch_size=1000))
    result = _performance(captured.predictions, data)
    # A truth for each query is that of the scores themselves
    whole = (one for one in captured.scores.values() if one.shape == relevance.shape)
    by_query = next(whole, None) if relevance.ndim == 3 else None
    scores = over_input(captured) if by_query is None else by_query
    if by_query is None and relevance.ndim == 3 and relevance.shape[1] != scores.shape[1]:
        relevance = np.max(relevance, axis=1)  # this model attends once for all queries
    if scores.ndim == 2 and relevance.ndim == 2:
        scores = scores[:, : relevance.shape[1]]  # the last window is padded
    mass = relevance_mass_accuracy(scores, relevance)
    result["relevance_mass_accuracy"] = float(mass.mean())
    if data.kind == "binary" and data.y.ndim == 1:
        for label in np.unique(data.y).astype(int):
            result[f"relevance_mass_accuracy_y{label}"] = float(mass[data.y == label].mean())
    result["relevance_rank_accuracy"] = float(
        np.nanmean(relevance_rank_accuracy(scores, relevance))
    )
    result["pointing_game"] = float(pointing_game(scores, relevance).mean())
    result["auprc"] = auprc(scores, relevance)
    result["true_positive_rate"] = float(np.nanmean(true_positive_rate(scores, relevance)))
    result["false_discovery_rate"] = float(false_discovery_rate(scores, relevance).mean())
    if data.x.ndim == 3 and relevance.ndim == 2:
        later = relevance.copy()
        for shift in range(1, LATER_STEPS + 1):
            later[:, shift:] = np.maximum(later[:, shift:], relevance[:, :-shift])
        result["mass_on_relevant_and_2_later_steps"] = float(
            relevance_mass_accuracy(scores, later).mean()
        )
    return _defined(result)


def baseline(train: Dataset, test: Dataset, next_value: int | None = None) -> Baseline:
    """The metrics of the best trivial prediction that the training data allow, where the target may
    be the next value of a feature."""
    if isinstance(test, WindowStream):
        return best_simple_forecast(test)
    name, predictions = "", {}
    for head, data in (train.heads or {"": train}).items():
        name, predictions[head] = trivial(
            data, test.heads[head] if test.heads else test, next_value
        )
    score = _metrics(predictions if train.heads else predictions[""], test)
    return Baseline("a trivial prediction of each output" if train.heads else name, score)


def _predictions(model: keras.Model, data: Dataset) -> Any:
    if not isinstance(data, Stream):
        return model.predict(data.x, batch_size=1000, verbose=0)
    each = [model.predict_on_batch(x) for x, _, _ in batches(data.source)]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *each)


def _defined(metrics: dict[str, float]) -> dict[str, float]:
    """Without those that these samples do not define, such as the AUC of one class."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _metrics(predictions: Any, data: Dataset) -> dict[str, float]:
    if not data.heads:
        return _defined(_performance(predictions, data))
    return {
        f"{name}_{metric}": value
        for name, head in data.heads.items()
        for metric, value in _metrics(predictions[name], head).items()
    }


def _performance(predictions: np.ndarray, data: Dataset) -> dict[str, float]:
    if data.kind == "multiclass":
        right = np.take_along_axis(predictions, data.y.astype(int)[..., None], -1)
        return {
            "accuracy": float((predictions.argmax(-1) == data.y).mean()),
            "log_loss": _log_loss(right),
        }
    predictions = predictions.reshape(data.y.shape)
    if data.kind == "binary":
        accuracy = float(((predictions > 0.5) == (data.y > 0.5)).mean())
        right = np.where(data.y > 0.5, predictions, 1 - predictions.astype("float64"))
        auc = _auc(predictions.ravel(), data.y.ravel() > 0.5)
        return {"accuracy": accuracy, "auc": auc, "log_loss": _log_loss(right)}
    off = np.abs(predictions.astype("float64") - data.y)
    result = {"mae": float(off.mean()), "mse": float((off**2).mean())}
    if data.tolerance is not None:
        result["accuracy"] = float((off < data.tolerance).mean())
    return result


def _log_loss(right: np.ndarray) -> float:
    """The mean of -log p, where p is the predicted probability of the true class."""
    # As Keras clips them: a float32 may be exactly 0
    return float(-np.log(np.clip(right, 1e-7, 1.0).astype("float64")).mean())


def _auc(predictions: np.ndarray, positive: np.ndarray) -> float:
    """The share of the pairs of both classes that are in the right order; a tie is half right."""
    _, group, sizes = np.unique(predictions, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    of_positive = int(positive.sum())
    pairs = of_positive * (len(predictions) - of_positive)
    if pairs == 0:
        return float("nan")
    return float((ranks[positive].sum() - of_positive * (of_positive + 1) / 2) / pairs)
