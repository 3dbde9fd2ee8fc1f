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
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    kind: Any = None,
    ordered: bool = False,
    per_step: bool = False,
    name: str = "x",
) -> Dataset:
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
        options = {"ordered": ordered, "per_step": per_step}
        return from_arrays(x, y, None, kind, sample_weight=sample_weight, **options)
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


def to_held_out(name: str, data: Any, train: Dataset, *, per_step: bool = False) -> Dataset | None:
    """Data that validate or test, as they are, with the columns and classes of what trains.

    Args:
        name: of the argument.
        data: `(x, y)` or `(x, y, sample_weight)`, a `Dataset`, a stream, or None.
        train: what trains.
        per_step: as in `from_arrays`.
    """
    if data is None:
        return None
    if isinstance(data, tuple) and len(data) in (2, 3):
        weight = data[2] if len(data) == 3 else None
        held_out = to_dataset(*data[:2], sample_weight=weight, name=name, per_step=per_step)
    elif isinstance(data, Dataset) or is_stream(data):
        held_out = to_dataset(data, name=name, per_step=per_step)
    else:
        raise TypeError(
            f"`{name}` must be (x, y), (x, y, sample_weight), a Dataset, or batches as `fit` takes "
            f"them. Received: {type(data).__name__}"
        )
    if isinstance(held_out, WindowStream) or isinstance(train, WindowStream):
        if (held_out.names, held_out.y.shape[1:]) != (train.names, train.y.shape[1:]):
            raise ValueError(
                f"`{name}` must be windows like those that train, as .split makes them. Received: "
                f"columns {held_out.names}, targets of shape {held_out.y.shape[1:]} for a window"
            )
        return dataclasses.replace(held_out, mask_value=train.mask_value)
    if isinstance(held_out, Stream):
        same = {each: getattr(train, each) for each in ("kind", "classes", "vector", "mask_value")}
        return held_out if held_out.heads else dataclasses.replace(held_out, **same)
    if held_out.x.ndim == 2 and train.x.ndim == 3 and train.x.shape[2] == 1:
        held_out = held_out.as_series()
    if held_out.mask_value != train.mask_value and held_out.mask_value is not None:
        raise ValueError(
            f"`{name}` has a mask and the training data have none: give both or neither."
        )
    return align_to_training(held_out, train, name)


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
