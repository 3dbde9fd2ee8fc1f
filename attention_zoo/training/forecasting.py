"""A model of windows, measured as forecasters measure."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.data.baseline import Baseline
from attention_zoo.data.window_stream import WindowStream
from attention_zoo.layers.quantile_output import QuantileOutput
from attention_zoo.metrics.forecasts import forecast_metrics, simple_forecasts


def score_forecasts(model: keras.Model, data: WindowStream) -> dict[str, float]:
    """The errors of a model's forecasts, their means over the steps ahead."""
    last = model.layers[-1]
    quantiles = last.quantiles if isinstance(last, QuantileOutput) else None
    forecasts, y, past = _collected(data, model)
    found = _means(y, forecasts, past, data, quantiles)
    if quantiles is not None:
        found[f"coverage_{100 * (quantiles[-1] - quantiles[0]):.0f}"] = found.pop("coverage")
    return found


def best_simple_forecast(data: WindowStream) -> Baseline:
    """The simple forecast with the least squared error on these windows."""
    _, y, past = _collected(data, None)
    seasons = [one for one in data.source.grid.seasons() if one <= past.shape[1]]
    found = [
        Baseline(name, _means(y, forecasts, past, data, None))
        for name, forecasts in simple_forecasts(past, y.shape[1], seasons).items()
    ]
    return min(found, key=lambda one: one.score["mse"])


def _collected(data: WindowStream, model: keras.Model | None) -> tuple[Any, np.ndarray, np.ndarray]:
    """The forecasts, if there is a model, the targets, and the past of the targets."""
    source = data.source
    forecasts, targets, pasts = [], [], []
    for index in range(len(source)):
        x, y = source[index]
        past = x[:, : source.length, : source.targets]
        past = np.where(past == np.float32(source.mask_value), np.nan, past)
        past = past[..., 0] if source.targets == 1 else past
        targets.append(y)
        pasts.append(past)
        if model is not None:
            forecasts.append(model.predict_on_batch(x))
    made = np.concatenate(forecasts) if forecasts else None
    return made, np.concatenate(targets), np.concatenate(pasts)


def _means(
    y: np.ndarray, forecasts: np.ndarray, past: np.ndarray, data: WindowStream, quantiles: Any
) -> dict[str, float]:
    season = next((one for one in data.source.grid.seasons() if one < past.shape[1]), 1)
    naive = (
        np.nanmean(np.abs(past[:, season:] - past[:, :-season])) if season < past.shape[1] else 0
    )
    scale = float(naive) or None
    by_step = forecast_metrics(y, forecasts, quantiles=quantiles, scale=scale)
    return {name: float(np.nanmean(values)) for name, values in by_step.items()}
