"""Bootstrap intervals of means."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_zoo.core import arrays, checks

#: How many values are drawn at once.
_CELLS = 2_000_000


def bootstrap_interval(
    values: Any, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean (Efron, 1979, The Annals of Statistics 7).

    ```
    mean*[b] = mean of len(values) values drawn with replacement,   b = 1, ..., resamples
    interval = the (1 - level) / 2 and (1 + level) / 2 quantiles of mean*
    ```

    It holds the mean over all samples of that kind in about `level` of the cases. For the
    difference of two metrics of the same samples pass the difference of each sample.

    Args:
        values: one a sample, `(samples,)`.
        level: how often the interval is to hold the mean, between 0 and 1.
        resamples: how many means are drawn.
        seed: of the draws.

    Returns:
        `(low, high)`.

    Raises:
        ValueError: for values that are not `(samples,)`, finite and at least one, and for a level
            that is not between 0 and 1.

    Example:

    >>> low, high = az.metrics.bootstrap_interval([0.0, 1.0] * 50)
    >>> 0.38 < low < 0.5 < high < 0.62
    True
    """
    values = np.asarray(arrays.numeric("values", values), "float64")
    arrays.finite("values", values)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"`values` must be (samples,), one or more. Received: {values.shape}")
    number = isinstance(level, (int, float, np.number)) and not isinstance(level, bool)
    if not number or not 0 < level < 1:
        raise ValueError(f"`level` must be a number between 0 and 1. Received: level={level!r}")
    checks.positive_int("resamples", resamples)
    checks.natural("seed", seed)
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS // len(values))
    means = [
        values[rng.integers(len(values), size=(min(at_once, resamples - first), len(values)))].mean(
            1
        )
        for first in range(0, resamples, at_once)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
