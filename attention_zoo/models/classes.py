"""What the classes of a model are called: kept with the model, and in a preset's card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from attention_zoo.core.registry import one_of

_names: WeakKeyDictionary[keras.Model, list[Any]] = WeakKeyDictionary()


def name_classes(model: keras.Model, names: Sequence[Any] | None) -> None:
    """Keep the names of a model's classes, for `az.explain`, `az.trust` and `az.save`.

    `az.train`, the estimators and `az.load` do so by themselves. Keras's own file does not hold
    them.

    Args:
        model: a model with one output of classes.
        names: a name for each class, in the order of the model's numbers; None for none.

    Raises:
        ValueError: for another number of names than the model has classes.

    Example:

    >>> model = az.build("dense", input_shape=(5,), outputs=1, activation="sigmoid")
    >>> az.models.name_classes(model, ["no", "yes"])
    >>> az.models.class_names(model)
    ['no', 'yes']
    """
    if names is None:
        _names.pop(model, None)
        return
    count = class_count(model)
    if len(names) != count:
        raise ValueError(
            f"`names` must be {count} names, one for each class of the model. Received: {names!r}"
        )
    _names[model] = list(names)


def class_names(model: keras.Model) -> list[Any] | None:
    """Return the names of a model's classes, in the order of its numbers.

    Args:
        model: a Keras model.

    Returns:
        The names, or None where they are not known.

    Example:

    >>> az.models.class_names(az.build("dense", input_shape=(5,))) is None
    True
    """
    try:
        return _names.get(model)
    except TypeError:  # no weak reference to it
        return None


def class_codes(y: Any, names: Sequence[Any] | None) -> np.ndarray:
    """Labels as the numbers of their classes, and numbers that are no labels as they are, such as
    the float32 of a `Dataset`.

    ValueError for text that is none of the names, with the nearest.
    """
    y = np.asarray(y)
    if not names or (y.dtype.kind == "f" and not any(isinstance(n, float) for n in names)):
        return y
    codes = {name: code for code, name in enumerate(names)}
    labels = y.ravel().tolist()
    unknown = next((label for label in labels if label not in codes), None)
    if unknown is None:
        return np.array([codes[label] for label in labels], int).reshape(y.shape)
    if y.dtype.kind in "fiub":
        return y
    raise one_of("label in `y`", unknown, map(str, names))


def class_labels(codes: np.ndarray, names: Sequence[Any] | None) -> np.ndarray:
    """The names of classes by their numbers; the array itself where it holds other than the number
    of one class a sample."""
    if not names or codes.ndim != 1 or not np.isin(codes, np.arange(len(names))).all():
        return codes
    return np.asarray(names)[codes.astype(int)]


def class_count(model: keras.Model) -> int:
    """The number of classes of a model with one output for a sample, two for a single value; else
    0."""
    outputs = getattr(model, "outputs", None) or []
    return max(2, outputs[0].shape[-1]) if len(outputs) == 1 and len(outputs[0].shape) == 2 else 0
