"""What a card says in short: how good the answers are, and whether attention was needed."""

from __future__ import annotations

from attention_zoo import tasks
from attention_zoo.presets.card import Card

_LESS_IS_BETTER = ("mae", "mse")


def figure(card: Card) -> str | None:
    """The name of the figure that a preset is judged by."""
    task = str((card.recipe or {}).get("task"))
    own = [tasks.TASKS.get(task).figure] if task in tasks.TASKS else []
    return next((name for name in (*own, "accuracy", "mae") if name in card.scores), None)


def verdict(card: Card) -> str:
    """A sentence where attention that is frozen uniform answers as well; else nothing."""
    name = figure(card)
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
    """The figure of the recipe with its attention frozen uniform, beside that of the recipe, as
    `az.trust` takes it; None where the card has none."""
    name = figure(card) if card is not None and card.study else None
    if card is None or card.study is None or name is None or "uniform" not in card.study:
        return None
    return name, *(card.study[variant]["median"][name] for variant in ("uniform", "ours"))
