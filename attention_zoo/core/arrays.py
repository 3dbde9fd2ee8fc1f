"""Checks of the user's arrays, before any model sees them."""

from __future__ import annotations

from typing import Any

import numpy as np


def numeric(name: str, value: Any) -> np.ndarray:
    """`value` as an array of numbers; float64 becomes float32, Keras's own default.

    Raises ValueError for rows of unequal length, text and objects.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"`{name}` must be an array of numbers with rows of equal length. "
            f"Received: dtype {array.dtype}"
        )
    return array.astype("float32") if array.dtype == np.float64 else array


def finite(name: str, array: np.ndarray) -> None:
    """Refuse NaN and infinite values, naming the first."""
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"`{name}` must be finite. Received: {int(bad.sum())} of {array.size} values NaN or "
            f"infinite, the first at {name}[{', '.join(map(str, first))}]"
        )


def fits(name: str, array: np.ndarray, shape: tuple) -> None:
    """Refuse an array that is not a batch of samples of `shape` (None: any size), or is empty."""
    expected = "(samples, " + ", ".join("any" if d is None else str(d) for d in shape) + ")"
    matches = array.ndim == len(shape) + 1 and all(
        want is None or got == want for got, want in zip(array.shape[1:], shape, strict=True)
    )
    if not matches:
        raise ValueError(f"`{name}` must have the shape {expected}. Received: {array.shape}")
    if array.shape[0] == 0:
        raise ValueError(f"`{name}` must have at least one sample. Received: {array.shape}")
