"""From what a user gives to `train` to a `Dataset`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from attention_zoo.core.registry import one_of
from attention_zoo.data.alignment import align_to_training
from attention_zoo.data.dataset import Dataset, from_arrays
from attention_zoo.data.stream import Stream, from_stream, is_stream
from attention_zoo.data.window_stream import WindowStream, from_windows
from attention_zoo.data.windows import Windows


def to_dataset(
    x: Any, y: Any = None, *, sample_weight: Any = None, kind: Any = None, ordered: bool = False,
    per_step: bool = False, name: str = "x",
) -> Dataset:  # fmt: skip
    """Arrays, a frame, a `Dataset` or a stream as a `Dataset`.

    Args:
        x, y: arrays or frames; or as x alone a `Dataset` or a stream.
        sample_weight, kind, ordered, per_step: as in `from_arrays`.
        name: of x in the errors.

    Raises:
        TypeError: for a y or weights beside what has its own.
        ValueError: for data that do not fit each other.
    """
    if not isinstance(x, Dataset) and not is_stream(x):
        if y is None:
            raise TypeError(
                f"`y` is missing: the targets for the samples of `{name}`. Only a Dataset, a "
                "tf.data.Dataset, a PyDataset and a DataLoader have their own. "
                f"Received: {type(x).__name__}"
            )
        return from_arrays(x, y, None, kind, ordered=ordered, sample_weight=sample_weight,
                           per_step=per_step)  # fmt: skip
    if y is not None or sample_weight is not None:
        beside = "y" if y is not None else "sample_weight"
        raise TypeError(
            f"`{beside}` must be left out: `{name}` has its own. Received: {type(x).__name__}"
        )
    if isinstance(x, Windows):
        return from_windows(x)
    if not isinstance(x, Dataset):
        return from_stream(x, kind, per_step=per_step)
    if kind not in (None, x.kind):
        raise ValueError(
            f"`kind` of a Dataset is chosen when it is made: from_arrays(x, y, kind={kind!r}). "
            f"Received: data of the kind {x.kind!r}"
        )
    return dataclasses.replace(x, ordered=True) if ordered else x


def to_held_out(name: str, given: Any, train: Dataset, *, per_step: bool = False) -> Dataset | None:
    """Data that validate or test, as they are, with the columns and classes of what trains.

    Args:
        name: of the argument.
        given: `(x, y)` or `(x, y, sample_weight)`, a `Dataset`, a stream, or None.
        train: what trains.
        per_step: as in `from_arrays`.
    """
    if given is None:
        return None
    if isinstance(given, tuple) and len(given) in (2, 3):
        weight = given[2] if len(given) == 3 else None
        found = to_dataset(*given[:2], sample_weight=weight, name=name, per_step=per_step)
    elif isinstance(given, Dataset) or is_stream(given):
        found = to_dataset(given, name=name, per_step=per_step)
    else:
        raise TypeError(
            f"`{name}` must be (x, y), (x, y, sample_weight), a Dataset, or batches as `fit` takes "
            f"them. Received: {type(given).__name__}"
        )
    if isinstance(found, WindowStream) or isinstance(train, WindowStream):
        if (found.names, found.y.shape[1:]) != (train.names, train.y.shape[1:]):
            raise ValueError(
                f"`{name}` must be windows like those that train, as .split makes them. Received: "
                f"columns {found.names}, targets of shape {found.y.shape[1:]} for a window"
            )
        return dataclasses.replace(found, mask_value=train.mask_value)
    if isinstance(found, Stream):
        same = {each.name: getattr(train, each.name) for each in dataclasses.fields(Dataset)
                if each.name in ("kind", "classes", "vector", "mask_value")}  # fmt: skip
        return found if found.heads else dataclasses.replace(found, **same)
    if found.x.ndim == 2 and train.x.ndim == 3 and train.x.shape[2] == 1:
        found = found.as_series()
    if found.mask_value != train.mask_value and found.mask_value is not None:
        raise ValueError(
            f"`{name}` has a mask and the training data have none: give both or neither."
        )
    return align_to_training(found, train, name)


def weigh_classes(data: Dataset, class_weight: Mapping[Any, float] | None) -> Dataset:
    """The data, whose samples count by their class, as `fit`'s `class_weight`: by labels.

    Raises:
        ValueError: for a class that is not there, and for what has no classes.
    """
    if class_weight is None:
        return data
    if not data.classes or data.heads or data.y.ndim > 1:
        raise ValueError(
            "`class_weight` is for one target of classes. Received: "
            f"{'several outputs' if data.heads else f'a target of the kind {data.kind!r}'}"
        )
    weights = np.ones(len(data.classes), "float32")
    for label, weight in class_weight.items():
        if label not in data.classes:
            raise one_of("class in `class_weight`", label, map(str, data.classes))
        weights[data.classes.index(label)] = weight
    each = weights[data.y.astype(int)]
    if data.sample_weight is not None:
        each = each * data.sample_weight
    return dataclasses.replace(data, sample_weight=each)
