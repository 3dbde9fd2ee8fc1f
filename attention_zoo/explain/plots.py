"""Pictures of attention. Every function returns the Figure and shows nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by the colour-blind and in grey
_BAR, _SPREAD, _EXPECTED = "#0072B2", "#333333", "#E69F00"


def plot_profile(
    profile: np.ndarray, expected: np.ndarray | None = None, *, names: Any = None, title: str = ""
) -> Figure:
    """Bars of the mean attention per index, with its spread and the expected indices.

    Args:
        profile: attention per index, `(samples, indices)`.
        expected: how often the answer is at each index, between 0 and 1, or None.
        names: one label an index; by default its number.
        title: a line above the picture.

    Returns:
        The `Figure`.

    Raises:
        ValueError: if the number of names is not that of the indices.
    """
    count = profile.shape[1]
    if names is not None and len(names) != count:
        raise ValueError(f"`names` must have {count} labels. Received: {len(names)}")
    labels = list(names) if names is not None else list(range(count))
    figure = Figure(figsize=(min(14, max(5, 0.3 * count)), 3.6), layout="constrained")
    axes = figure.add_subplot()
    at = np.arange(count)
    mean = profile.mean(0)
    low, high = np.percentile(profile, [10, 90], axis=0)
    if expected is not None and expected.any():
        axes.bar(
            at, expected / expected.max() * 1.02, width=1.0, color=_EXPECTED, alpha=0.35,
            label="where the answer is",
        )  # fmt: skip
    axes.bar(at, mean, width=0.75, color=_BAR, label=f"mean of {len(profile)} samples")
    axes.vlines(at, low, high, color=_SPREAD, linewidth=1.4, label="10 % to 90 % of the samples")
    axes.set_ylim(0, min(1.02, max(0.05, 1.15 * max(mean.max(), high.max()))))
    axes.set_xlim(-0.6, count - 0.4)
    every = max(1, -(-count // 40))
    rotation = 90 if max(len(str(label)) for label in labels) > 3 else 0
    axes.set_xticks(at[::every], [str(label) for label in labels[::every]], rotation=rotation)
    axes.set_xlabel("index" if names is None else "")
    axes.set_ylabel("attention")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    if title:
        axes.set_title(title, fontsize=10, loc="left")
    return figure
