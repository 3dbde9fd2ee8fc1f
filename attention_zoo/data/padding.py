"""Padding steps are marked by a value that all their features have."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Fills the padding of the user's own data; no step of theirs may have it in all its features.
PADDING = -1e3


def pad(x: np.ndarray, mask: Any) -> tuple[np.ndarray, float | None]:
    """`x` with its padding steps filled by a value that marks them, and that value."""
    if mask is None:
        return x, None
    mask = np.asarray(mask)
    if mask.dtype.kind not in "biu" or x.ndim != 3 or mask.shape != x.shape[:2]:
        raise ValueError(
            f"`mask` must be boolean, (samples, time) for x (samples, time, features). "
            f"Received: mask {mask.dtype} {mask.shape}, x {x.shape}"
        )
    mask = mask.astype(bool)
    if mask.size and not mask.any():
        raise ValueError(
            "`mask` must be True where a step is real. Received: False at every step of every "
            "sample"
        )
    if np.any(np.all(x == PADDING, axis=2) & mask):
        raise ValueError(f"`x` has real steps whose features are all {PADDING}, the padding value.")
    return np.where(mask[..., None], x, np.float32(PADDING)), PADDING
