"""How much of a figure's variance a hyperparameter explains alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attention_zoo.tuning.results import TrialResult

#: A range is cut into so many parts of equally many trials.
_PARTS = 4


def importance(trials: Sequence[TrialResult], objective: str) -> dict[str, float]:
    """The main effect of each hyperparameter, the largest first.

        epsilon squared = (SS between the values - (k - 1) MS within) / SS total, at least 0

    (Kelley, 1935): the share of the variance between the groups of trials that have the same value,
    less what chance alone would give k groups. It is the empirical counterpart of the main effects
    of functional ANOVA (Hutter et al., 2014, ICML), without a model of the figure and without
    interactions. A range is cut at its quartiles; only trials in which the hyperparameter was
    active count, weighted by their share.

    Args:
        trials: completed trials.
        objective: the figure to explain.

    Returns:
        `{name: share between 0 and 1}`, for those with two values or more.
    """
    names = dict.fromkeys(name for one in trials for name in one.values if "tuner/" not in name)
    found = {}
    for name in names:
        active = [one for one in trials if name in one.values]
        values = _groups([one.values[name] for one in active])
        effect = epsilon_squared(values, np.array([one.figures[objective] for one in active]))
        if effect is not None:
            found[name] = effect * len(active) / len(trials)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def epsilon_squared(groups: np.ndarray, figures: np.ndarray) -> float | None:
    """The adjusted share of the variance between groups; None for one group, or one of each."""
    numbers = np.unique(groups)
    if not 1 < len(numbers) < len(figures):
        return None
    total = float(((figures - figures.mean()) ** 2).sum())
    if total == 0:
        return 0.0
    within = sum(
        float(((figures[groups == n] - figures[groups == n].mean()) ** 2).sum()) for n in numbers
    )
    chance = (len(numbers) - 1) * within / (len(figures) - len(numbers))
    return max(0.0, (total - within - chance) / total)


def _groups(values: Sequence[Any]) -> np.ndarray:
    """A group's number for each value: the value itself, or the part of the range it is in."""
    distinct, codes = np.unique(np.array(values), return_inverse=True)
    if len(distinct) <= 2 * _PARTS or not isinstance(values[0], float):
        return codes
    cuts = np.quantile(values, np.linspace(0, 1, _PARTS + 1)[1:-1])
    return np.searchsorted(cuts, values, side="right")
