"""A forecast after its past, with its quantiles and what was attended to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_zoo.plots import style


def plot_forecast(
    past: Any,
    forecast: Any,
    *,
    truth: Any = None,
    attention: Any = None,
    times: Sequence[Any] | None = None,
    title: str = "",
) -> Figure:
    """Draw the forecast of one window: a line, or a fan of quantiles, over what was attended to.

    Args:
        past: `(length,)`, the values that are known; NaN leaves a hole.
        forecast: `(horizon,)`, or `(horizon, quantiles)`, increasing.
        truth: `(horizon,)`, what came; None where it is not known.
        attention: `(horizon, length)`, the scores of each step ahead: their mean shades the past.
        times: the time stamps of past and horizon, `(length + horizon,)`; None counts the steps
            from the present.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: for arrays that do not fit each other.

    Example:

    >>> from attention_zoo.plots import plot_forecast
    >>> fan = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]])
    >>> figure = plot_forecast(np.zeros(5), fan, attention=np.full((2, 5), 0.2))
    >>> len(figure.axes)
    1
    """
    past = np.asarray(past, "float64")
    fan = np.asarray(forecast, "float64")
    fan = fan[:, None] if fan.ndim == 1 else fan
    length, horizon = len(past), len(fan)
    steps: Any = np.arange(-length + 1, horizon + 1) if times is None else np.asarray(times)
    for name, value, shape in (
        ("past", past, (length,)),
        ("times", steps, (length + horizon,)),
        ("truth", truth, (horizon,)),
        ("attention", attention, (horizon, length)),
    ):
        if value is not None and np.shape(value) != shape:
            raise ValueError(f"`{name}` must have the shape {shape}. Received: {np.shape(value)}")
    figure = style.new_figure(8, 3.2, title)
    axes = figure.subplots()
    if attention is not None:
        shade = np.asarray(attention, "float64").mean(0)
        shade = shade / max(float(shade.max()), 1e-12)
        half = (steps[1] - steps[0]) / 2 if len(steps) > 1 else 0.5
        for step, one in zip(steps[:length], shade, strict=True):
            axes.axvspan(step - half, step + half, color=style.ORANGE, alpha=0.5 * one, linewidth=0)
    axes.plot(steps[:length], past, color=style.DARK, label="past")
    ahead, count = steps[length:], fan.shape[1]
    for low in range(count // 2):
        axes.fill_between(
            ahead, fan[:, low], fan[:, count - 1 - low], color=style.BLUE, alpha=0.2, linewidth=0
        )
    axes.plot(ahead, fan[:, count // 2], color=style.BLUE, label="forecast")
    if truth is not None:
        axes.plot(ahead, truth, "--", color=style.GREEN, label="what came")
    axes.set_xlabel("steps from the present" if times is None else "time")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    style.plain(axes)
    return figure
