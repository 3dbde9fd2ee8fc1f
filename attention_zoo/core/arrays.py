"""Checks of the user's arrays, before any model sees them."""

from __future__ import annotations

import io
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np


def numeric(name: str, value: Any) -> np.ndarray:
    """Return `value` as an array of numbers; float64 becomes float32, Keras's default.

    Raises ValueError for rows of unequal length, text, objects and masked values.
    """
    unmasked(name, value)
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


def unmasked(name: str, value: Any) -> None:
    """Refuse NumPy's masked arrays with masked values, which `np.asarray` would drop."""
    for array in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
            raise ValueError(
                f"`{name}` must have no masked values: fill them, as with {name}.filled(0), or "
                "leave whole steps out by `mask=` where that is taken. "
                f"Received: {np.ma.count_masked(array)} of {array.size} values masked"
            )


def objects(name: str, value: Any) -> np.ndarray:
    """Return objects that are all text or all numbers as an array of these.

    Raises ValueError for others, such as None or NaN beside text, naming the first.
    """
    array = np.asarray(value, dtype=object)
    values = array.ravel().tolist()
    kinds: tuple[Any, ...] = (str, bytes, (bool, np.bool_), numbers.Real)
    kind = next((k for k in kinds if values and isinstance(values[0], k)), ())
    wrong = next((i for i, v in enumerate(values) if not isinstance(v, kind)), None)
    if wrong is not None:
        raise ValueError(
            f"`{name}` must be all text or all numbers, without gaps. "
            f"Received: {repr(values[wrong])[:100]} at {name}[{wrong}]"
        )
    result = np.asarray(values)
    if result.dtype == object:
        raise ValueError(f"`{name}` must be numbers that fit in 64 bits.")
    return result.reshape(array.shape)


def plain(value: Any) -> Any:
    """Return NumPy's scalars as Python's, in lists, tuples and dictionaries too; else the value."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    return value


def columns(value: Any) -> list[str] | None:
    """Return the names of a frame's columns, or None."""
    names = getattr(value, "columns", None)
    return None if names is None else [str(name) for name in names]


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


def npz_bytes(named: Mapping[str, Any], *, compressed: bool = False) -> bytes:
    """Return arrays as the bytes of an `.npz` file."""
    memory = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(memory, **named)
    return memory.getvalue()
