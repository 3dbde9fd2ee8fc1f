"""How good forecasts are by step ahead, and the forecasts that anybody could make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention_zoo.core import checks


def forecast_metrics(
    y: np.ndarray,
    forecasts: np.ndarray,
    *,
    quantiles: Sequence[float] | None = None,
    scale: float | None = None,
) -> dict[str, np.ndarray]:
    """The errors of forecasts for each step ahead.

    ```
    mae       mean |y - f|                  rmse      sqrt(mean (y - f)^2)
    mase      mae / scale                   smape     mean 2 |y - f| / (|y| + |f|)
    pinball   mean max(q (y - f), (q - 1) (y - f))
    coverage  the share of y between the lowest and the highest quantile
    ```

    Hyndman and Koehler, 2006 (International Journal of Forecasting 22) has the scaled error, and
    Koenker and Bassett, 1978 (Econometrica 46) the pinball loss. Errors are those of the middle
    quantile. What is NaN in y is missing, and left out.

    Args:
        y: `(windows, horizon)` or `(windows, horizon, targets)`.
        forecasts: of the same shape; with quantiles one more axis.
        quantiles: those in the last axis of the forecasts, increasing; None for none.
        scale: the error of the naive forecast on the past, for `mase`.

    Returns:
        `{name: (horizon,)}`; `mase` where there is a scale, `pinball` and `coverage` of quantiles.

    Raises:
        ValueError: for shapes that do not fit each other.

    Example:

    >>> y = np.array([[1.0, 2.0], [3.0, np.nan]])
    >>> found = az.metrics.forecast_metrics(y, np.array([[1.0, 3.0], [5.0, 0.0]]))
    >>> found["mae"].tolist(), found["rmse"].round(3).tolist()
    ([1.0, 1.0], [1.414, 1.0])
    """
    y, forecasts = np.asarray(y, "float64"), np.asarray(forecasts, "float64")
    more = () if quantiles is None else (len(quantiles),)
    if y.ndim not in (2, 3) or forecasts.shape != (*y.shape, *more):
        raise ValueError(
            f"`forecasts` must have the shape {(*y.shape, *more)}, that of y "
            f"(windows, horizon[, targets]){' and the quantiles' if more else ''}. "
            f"Received: {forecasts.shape}, y {y.shape}"
        )
    point = forecasts if quantiles is None else forecasts[..., len(quantiles) // 2]
    axes = (0,) if y.ndim == 2 else (0, 2)
    off = np.abs(y - point)
    size = np.abs(y) + np.abs(point)
    found = {
        "mae": np.nanmean(off, axes),
        "mse": np.nanmean(off**2, axes),
        "rmse": np.sqrt(np.nanmean(off**2, axes)),
        "smape": np.nanmean(np.where(size == 0, 0.0, 2 * off / np.where(size == 0, 1, size)), axes),
    }
    if scale is not None:
        checks.positive("scale", scale)
        found["mase"] = found["mae"] / scale
    if quantiles is not None:
        q = np.asarray(quantiles)
        error = y[..., None] - forecasts
        loss = np.maximum(q * error, (q - 1) * error).mean(-1)
        inside = (forecasts[..., 0] <= y) & (y <= forecasts[..., -1])
        found["pinball"] = np.nanmean(loss, axes)
        found["coverage"] = np.nanmean(np.where(np.isnan(y), np.nan, inside), axes)
    return found


def simple_forecasts(
    past: np.ndarray, horizon: int, seasons: Sequence[int] = ()
) -> dict[str, np.ndarray]:
    """Forecasts that learn nothing: the last value, the last season, the line of the past
    (naive, seasonal naive and drift: Hyndman and Athanasopoulos, 2021, Forecasting: Principles and
    Practice, section 5.2).

    Args:
        past: `(windows, length)` or `(windows, length, targets)`, the values that are known.
        horizon: how many steps ahead.
        seasons: the lengths of seasons, in steps, each at most the length.

    Returns:
        `{name: forecasts (windows, horizon[, targets])}` of "last value", "drift" and
        "value SEASON steps before".

    Raises:
        ValueError: for a season that is longer than the past.

    Example:

    >>> found = az.metrics.simple_forecasts(np.array([[1.0, 2.0, 3.0]]), horizon=2, seasons=[3])
    >>> {name: forecast[0].tolist() for name, forecast in found.items()}
    {'last value': [3.0, 3.0], 'drift': [4.0, 5.0], 'value 3 steps before': [1.0, 2.0]}
    """
    checks.positive_int("horizon", horizon)
    past = np.asarray(past, "float64")
    length, ahead = past.shape[1], np.arange(horizon)
    last = past[:, -1:]
    slope = (last - past[:, :1]) / max(1, length - 1)
    steps = (ahead + 1).reshape(1, -1, *[1] * (past.ndim - 2))
    found = {"last value": np.repeat(last, horizon, axis=1), "drift": last + slope * steps}
    for season in seasons:
        checks.positive_int("seasons", season)
        if season > length:
            raise ValueError(
                f"`seasons` must be at most the {length} steps of the past. Received: {season}"
            )
        found[f"value {season} steps before"] = past[:, length - season + ahead % season]
    return found
