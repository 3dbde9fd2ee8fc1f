"""What is to be predicted: classes, quantities, labels, read from the user's targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_zoo.core import arrays


def _plain(name: str, y: Any) -> np.ndarray:
    """The targets, those that are objects as text or numbers."""
    arrays.unmasked(name, y)
    array = np.asarray(y)
    # NumPy makes text of whatever stands beside text in a list
    listed = array.dtype.kind in "US" and isinstance(y, (list, tuple))
    return arrays.objects(name, y) if listed or array.dtype.kind in "OT" else array


def fields_of_target(
    name: str, y: Any, kind: str | None, samples: int, per_step: bool
) -> dict[str, Any]:
    """The fields of a `Dataset` that say what is to be predicted."""
    y = _plain(name, y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    y = y[..., 0] if y.ndim == 3 and y.shape[2] == 1 else y
    if y.shape[:1] != (samples,) or y.ndim > 2 or not y.size:
        raise ValueError(
            f"`{name}` must have one value for each of the {samples} samples of x, or a row of "
            f"them. Received: shape {y.shape}"
        )
    if y.dtype.kind not in "fiubUS":
        raise ValueError(f"`{name}` must be numbers or text. Received: dtype {y.dtype}")
    if y.dtype.kind == "f":
        arrays.finite(name, y)
    vector = y.ndim == 2 and not per_step
    if vector:
        if kind != "binary" and _one_hot(y):
            y, vector = y.argmax(1), False
            kind = "multiclass"
        elif kind == "multiclass" or y.dtype.kind in "US":
            raise ValueError(
                f"`{name}` of several columns must be numbers, and of classes one-hot: one 1 a "
                f"row, else 0. Received: shape {y.shape}, dtype {y.dtype}"
            )
        elif kind is None:
            labels = y.dtype.kind in "iub" and bool(np.isin(y, (0, 1)).all())
            kind = "binary" if labels else "regression"
        if vector:
            return {"y": y.astype("float32"), "kind": kind, "vector": True}
    if y.dtype.kind == "f" and kind is None:
        whole = bool(np.all(y == np.round(y)))
        kind = None if whole and len(np.unique(y)) == 2 else "regression"
    if kind == "regression":
        if y.dtype.kind in "US":
            raise ValueError(
                f"`{name}` is text, which is no quantity to predict: leave kind to classes."
            )
        return {"y": y.astype("float32"), "kind": kind}
    classes, codes = np.unique(y, return_inverse=True)
    if kind == "binary" and len(classes) > 2:
        raise ValueError(f"`{name}` must have 2 classes. Received: {len(classes)}")
    kind = kind or ("binary" if len(classes) <= 2 else "multiclass")
    codes = codes.reshape(y.shape).astype("float32")
    return {"y": codes, "kind": kind, "classes": [value.item() for value in classes]}


def _one_hot(y: np.ndarray) -> bool:
    """Whether each row is 0 but for one 1, in columns that are all used."""
    if y.dtype.kind not in "fiub" or not np.isin(y, (0, 1)).all():
        return False
    return bool((y.sum(1) == 1).all() and y.any(0).all())
