"""What the page shows of an explanation, as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from attention_zoo.explaining import names
from attention_zoo.explaining.page import packing

if TYPE_CHECKING:
    from attention_zoo.explaining.explanation import Explanation

#: How many scores or inputs of one sample, and of all samples together, a page holds.
CELLS_A_SAMPLE = 100_000
CELLS = 1_500_000
_CLASSES = 50


def content(explanation: Explanation, samples: int) -> dict[str, Any]:
    """Everything the page draws: at most so many samples, spread evenly over all of them, fewer
    where they are large."""
    total = len(explanation)
    inputs = explanation.x if isinstance(explanation.x, list) else [explanation.x]
    every = {number: np.asarray(array) for number, array in enumerate(inputs)}
    drawn = {number: array for number, array in every.items()
             if array.dtype.kind in "fiub" and 2 <= array.ndim <= 4}  # fmt: skip
    arrays = [*explanation.scores.values(), *drawn.values()]
    cells = sum(min(math.prod(array.shape[1:]), CELLS_A_SAMPLE) for array in arrays)
    count = max(1, min(samples, total, CELLS // max(cells, 1)))
    rows = np.linspace(0, total - 1, count).round().astype(int)
    some = explanation[rows]
    layers = [_layer(some, name) for name in some.scores]
    return {
        "total": total,
        "numbers": rows.tolist(),
        "layers": layers,
        "inputs": [_input(array[rows], number) for number, array in drawn.items()],
        "input_count": len(every),
        "features": some.feature_names,
        **_answers(some, explanation),
    }


def _layer(some: Explanation, name: str) -> dict[str, Any]:
    """The scores of one layer with its axes, and what is padding and truth in them."""
    scores = np.asarray(some.scores[name])
    grouped = packing.factors(scores.shape[1:], CELLS_A_SAMPLE)
    found = {
        "name": name,
        "axes": list(some.axes[name]),
        "attended": some.axes[name].index(some.attended[name]),
        "sizes": list(scores.shape[1:]),
        "grouped": list(grouped),
        "labels": [
            names.of_axis(some, axis, size)
            for axis, size in zip(some.axes[name], scores.shape[1:], strict=True)
        ],
        "scores": packing.numbers(packing.coarse(scores, (1, *grouped))),
    }
    mask = some.masks.get(name)
    if mask is not None:
        hidden = ~_spread(mask, scores, some.axes[name].index(some.attended[name]))
        found["hidden"] = packing.bits(packing.coarse(hidden, (1, *grouped)) == 1)
    truth = _truth(some, name)
    if truth is not None:
        found["truth"] = packing.bits(packing.coarse(truth, (1, *grouped)) > 0)
    return found


def _spread(mask: np.ndarray, scores: np.ndarray, attended: int) -> np.ndarray:
    """A mask `(samples, [segments,] indices)` over all cells of the scores."""
    mask = np.asarray(mask, bool)
    if mask.ndim == 2:
        shape = tuple(n if i in (0, 1 + attended) else 1 for i, n in enumerate(scores.shape))
        mask = mask.reshape(shape)
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (scores.ndim - mask.ndim)),
                           scores.shape)  # fmt: skip


def _truth(some: Explanation, name: str) -> np.ndarray | None:
    try:
        return some.truth_of(name)
    except ValueError:  # a truth of other layers' cells
        return None


def _input(array: np.ndarray, number: int) -> dict[str, Any]:
    """An input, of how many cells along each axis it is, and whether it holds whole numbers."""
    grouped = packing.factors(array.shape[1:], CELLS_A_SAMPLE)
    return {
        "number": number,
        "sizes": list(array.shape[1:]),
        "whole": array.dtype.kind in "iub",
        **packing.numbers(packing.coarse(array, (1, *grouped))),
    }


def _answers(some: Explanation, every: Explanation) -> dict[str, Any]:
    """Predictions and labels of each sample, and the classes where the outputs look like some."""
    import keras

    outputs = [np.asarray(p) for p in keras.tree.flatten(some.predictions)]
    number = some.output or 0
    of = np.asarray(keras.tree.flatten(every.predictions)[number])
    of = of.reshape(len(of), -1)
    named = len(outputs) == 1 or some.output is not None
    return {
        "predictions": [[short(value) for value in row.ravel()[:20]] for row in outputs[number]],
        "outputs": int(outputs[number][0].size),
        "output": number + 1,
        "output_count": len(outputs),
        "predicted": some.predicted.tolist() if named and _classes(of, every.y) else None,
        "labels": None
        if some.y is None
        else [[short(value) for value in np.ravel(row)[:20]] for row in some.y],
    }


def _classes(outputs: np.ndarray, y: np.ndarray | None) -> bool:
    """Whether outputs `(samples, n)` are probabilities of few classes."""
    if not ((outputs >= 0) & (outputs <= 1)).all() or outputs.shape[1] > _CLASSES:
        return False
    if outputs.shape[1] > 1:
        return bool((np.abs(outputs.sum(1) - 1) < 1e-2).all())
    return y is not None and set(np.unique(y).tolist()) <= {0, 1}


def short(value: Any) -> Any:
    """A value with four digits; None for NaN, text as it is."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.number)):
        number = float(value)
        return float(f"{number:.4g}") if math.isfinite(number) else None
    return str(value)
