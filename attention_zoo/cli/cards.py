"""What a card says in short: how good the predictions are, and whether attention was needed."""

from __future__ import annotations

from attention_zoo import tasks
from attention_zoo.presets.card import Card

_LESS_IS_BETTER = ("mae", "mse")


def metric(card: Card) -> str | None:
    """Return the name of the score that a preset is judged by."""
    task = str((card.recipe or {}).get("task"))
    of_task = [tasks.TASKS.get(task).metric] if task in tasks.TASKS else []
    return next((name for name in (*of_task, "accuracy", "mae") if name in card.scores), None)


def verdict(card: Card) -> str:
    """Return a sentence if the same recipe with uniform attention does as well, else nothing."""
    scores = retrained_uniform(card)
    if scores is None:
        return ""
    name, uniform, recipe = scores
    better = recipe < 0.9 * uniform if name in _LESS_IS_BETTER else recipe > uniform + 0.005
    if better:
        return ""
    return (
        "With uniform attention it predicts as well: the prediction needs no attention, and the "
        "scores do not explain it."
    )


def retrained_uniform(card: Card | None) -> tuple[str, float, float] | None:
    """Return the score of the recipe with uniform attention beside its own, for `az.trust`."""
    if card is None or not card.study or "uniform" not in card.study:
        return None
    name = metric(card)
    if name is None:
        return None
    return name, *(card.study[variant]["median"][name] for variant in ("uniform", "ours"))
