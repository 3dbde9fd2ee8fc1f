"""What a card says in short: how good the answers are, and whether attention was needed."""

from __future__ import annotations

from attention_zoo import tasks
from attention_zoo.presets.card import Card

_LESS_IS_BETTER = ("mae", "mse")


def metric(card: Card) -> str | None:
    """Return the name of the score that a preset is judged by."""
    task = str((card.recipe or {}).get("task"))
    own = [tasks.TASKS.get(task).metric] if task in tasks.TASKS else []
    return next((name for name in (*own, "accuracy", "mae") if name in card.scores), None)


def verdict(card: Card) -> str:
    """Return a sentence where attention that is frozen uniform does as well; else nothing."""
    name = metric(card)
    if name is None or not card.study:
        return ""
    ours, uniform = (card.study[variant]["median"][name] for variant in ("ours", "uniform"))
    better = ours < 0.9 * uniform if name in _LESS_IS_BETTER else ours > uniform + 0.005
    if better:
        return ""
    return (
        "Frozen uniform it answers as well: the answer needs no attention, and where it looks "
        "does not explain how the model comes to it."
    )


def retrained_uniform(card: Card | None) -> tuple[str, float, float] | None:
    """Return the score of the recipe with uniform attention beside its own, for `az.trust`."""
    name = metric(card) if card is not None and card.study else None
    if card is None or card.study is None or name is None or "uniform" not in card.study:
        return None
    return name, *(card.study[variant]["median"][name] for variant in ("uniform", "ours"))
