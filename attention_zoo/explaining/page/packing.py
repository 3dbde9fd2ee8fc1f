"""Arrays as short text: whole numbers of 16 bits or single bits, in base64."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

#: The code of a value that is no number; those below it are spread evenly between two ends.
_NAN = 65535
_STEPS = _NAN - 1


def numbers(values: np.ndarray) -> dict[str, Any]:
    """Values as `{shape, low, high, data}`, each rounded to 1/65534 of the way between the ends."""
    values = np.asarray(values, "float64")
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    low = min(low, 0.0)
    width = max(high - low, 1e-12)
    codes = np.where(finite, np.rint((np.where(finite, values, low) - low) / width * _STEPS), _NAN)
    data = base64.b64encode(codes.astype("<u2").tobytes()).decode()
    return {"shape": list(values.shape), "low": float(low), "high": float(low + width),
            "data": data}  # fmt: skip


def bits(values: np.ndarray) -> dict[str, Any]:
    """Booleans as `{shape, data}`, eight to a byte, the first in the highest bit."""
    data = base64.b64encode(np.packbits(np.asarray(values, bool)).tobytes()).decode()
    return {"shape": list(np.shape(values)), "data": data}


def coarse(values: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """The mean of so many neighbours along each axis; the last group of an axis may be smaller."""
    values = np.asarray(values, "float64")
    for axis, factor in enumerate(factors):
        if factor > 1:
            starts = np.arange(0, values.shape[axis], factor)
            sizes = np.diff(starts, append=values.shape[axis])
            shape = [-1 if i == axis else 1 for i in range(values.ndim)]
            values = np.add.reduceat(values, starts, axis=axis) / sizes.reshape(shape)
    return values


def factors(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """How many neighbours to put together along each axis so that at most so many cells are left:
    the longest axis is halved until they are."""
    found = [1] * len(shape)
    left = list(shape)
    while np.prod(left, dtype=float) > most:
        axis = int(np.argmax(left))
        found[axis] *= 2
        left[axis] = -(-shape[axis] // found[axis])
    return tuple(found)
