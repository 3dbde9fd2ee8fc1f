"""What the page shows, as plain values: arrays as whole numbers of 16 bits or bits, in base64."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.outputs import predicted_classes
from attention_zoo.core import checks
from attention_zoo.explaining.layer_scores import LayerScores

#: The most scores or inputs of one sample, and of all samples together.
CELLS_A_SAMPLE = 100_000
CELLS = 1_500_000
#: A prediction of more values has no classes to choose.
_CLASSES = 50
#: The code of a value that is no number; those below it are spread evenly between two ends.
_NAN = 65535
_STEPS = _NAN - 1


def content(
    layers: Sequence[LayerScores],
    x: Any,
    predictions: Any,
    y: np.ndarray | None,
    output: int | None,
    feature_names: list[str] | None,
    samples: int,
    class_names: list[Any] | None = None,
) -> dict[str, Any]:
    """Return everything the page draws: at most so many samples, spread evenly over all of them,
    fewer where they are large."""
    checks.positive_int("samples", samples)
    layers = [*layers, *(layer.added() for layer in layers if layer.contributions is not None)]
    total = len(layers[0].scores)
    inputs = [np.asarray(array) for array in (x if isinstance(x, list) else [x])]
    drawn = {
        number: array
        for number, array in enumerate(inputs)
        if array.dtype.kind in "fiub" and 2 <= array.ndim <= 4
    }
    arrays = [*(layer.scores for layer in layers), *drawn.values()]
    cells = sum(min(math.prod(array.shape[1:]), CELLS_A_SAMPLE) for array in arrays)
    count = max(1, min(samples, total, CELLS // max(cells, 1)))
    rows = np.linspace(0, total - 1, count).round().astype(int)
    outputs = [np.asarray(each) for each in keras.tree.flatten(predictions)]
    shown = outputs[output or 0]
    classified = (len(outputs) == 1 or output is not None) and _classes(
        shown.reshape(total, -1), [0, 1] if class_names else y
    )
    predicted = predicted_classes(predictions, output) if classified else None
    return {
        "total": total,
        "numbers": rows.tolist(),
        "layers": [_layer(layer[rows]) for layer in layers],
        "inputs": [_input(array[rows], number) for number, array in drawn.items()],
        "input_count": len(inputs),
        "features": feature_names,
        "predictions": [[_short(value) for value in row.ravel()[:20]] for row in shown[rows]],
        "outputs": int(shown[0].size),
        "output": (output or 0) + 1,
        "output_count": len(outputs),
        "predicted": None if predicted is None else predicted[rows].tolist(),
        "classes": [_short(name) for name in class_names] if class_names and classified else None,
        "labels": None
        if y is None
        else [[_short(value) for value in np.ravel(row)[:20]] for row in y[rows]],
    }


def _layer(layer: LayerScores) -> dict[str, Any]:
    """The scores of one layer with its axes, and what is padding and truth in them."""
    grouped = _factors(layer.scores.shape[1:], CELLS_A_SAMPLE)
    found = {
        "name": layer.name,
        "what": layer.what,
        "axes": list(layer.axes),
        "attended": (layer.axis or 1) - 1,
        "sizes": list(layer.scores.shape[1:]),
        "grouped": list(grouped),
        "labels": [layer.names_of(axis) for axis in layer.axes],
        "scores": _numbers(_coarse(layer.scores, (1, *grouped))),
    }
    if layer.mask is not None:
        found["hidden"] = _bits(_coarse(~layer.spread(layer.mask), (1, *grouped)) == 1)
    try:
        truth = layer.truth
    except ValueError:  # a truth of another layer's cells
        truth = None
    if truth is not None:
        found["truth"] = _bits(_coarse(truth, (1, *grouped)) > 0)
    return found


def _input(array: np.ndarray, number: int) -> dict[str, Any]:
    """An input, of how many cells along each axis it is, and whether it holds whole numbers."""
    grouped = _factors(array.shape[1:], CELLS_A_SAMPLE)
    return {
        "number": number,
        "sizes": list(array.shape[1:]),
        "whole": array.dtype.kind in "iub",
        **_numbers(_coarse(array, (1, *grouped))),
    }


def _classes(outputs: np.ndarray, y: Any) -> bool:
    """Whether outputs `(samples, n)` are probabilities of few classes."""
    if not ((outputs >= 0) & (outputs <= 1)).all() or outputs.shape[1] > _CLASSES:
        return False
    if outputs.shape[1] > 1:
        return bool((np.abs(outputs.sum(1) - 1) < 1e-2).all())
    return y is not None and set(np.unique(y).tolist()) <= {0, 1}


def _short(value: Any) -> Any:
    """A value with four digits; None for NaN, text as it is."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.number)):
        number = float(value)
        return float(f"{number:.4g}") if math.isfinite(number) else None
    return str(value)


def _numbers(values: np.ndarray) -> dict[str, Any]:
    """Values as `{shape, low, high, data}`, each rounded to 1/65534 of the way between the ends."""
    values = np.asarray(values, "float64")
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    low = min(low, 0.0)
    width = max(high - low, 1e-12)
    codes = np.where(finite, np.rint((np.where(finite, values, low) - low) / width * _STEPS), _NAN)
    data = base64.b64encode(codes.astype("<u2").tobytes()).decode()
    return {
        "shape": list(values.shape),
        "low": float(low),
        "high": float(low + width),
        "data": data,
    }


def _bits(values: np.ndarray) -> dict[str, Any]:
    """Booleans as `{shape, data}`, eight to a byte, the first in the highest bit."""
    data = base64.b64encode(np.packbits(np.asarray(values, bool)).tobytes()).decode()
    return {"shape": list(np.shape(values)), "data": data}


def _coarse(values: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """The mean of so many neighbours along each axis; the last group of an axis may be smaller."""
    values = np.asarray(values, "float64")
    for axis, factor in enumerate(factors):
        if factor > 1:
            starts = np.arange(0, values.shape[axis], factor)
            sizes = np.diff(starts, append=values.shape[axis])
            shape = [-1 if i == axis else 1 for i in range(values.ndim)]
            values = np.add.reduceat(values, starts, axis=axis) / sizes.reshape(shape)
    return values


def _factors(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """How many neighbours to put together along each axis so that at most so many cells are left:
    the longest axis is halved until they are."""
    found = [1] * len(shape)
    left = list(shape)
    while np.prod(left, dtype=float) > most:
        axis = int(np.argmax(left))
        found[axis] *= 2
        left[axis] = -(-shape[axis] // found[axis])
    return tuple(found)
