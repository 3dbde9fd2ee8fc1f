"""Data to train on: a task's draws, or the user's own arrays and files."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any, get_args

import numpy as np

from attention_zoo.core import arrays, checks
from attention_zoo.core.registry import one_of
from attention_zoo.tasks import Task
from attention_zoo.training.recipe import Kind


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets that fit each other, with what is known about them."""

    x: np.ndarray
    y: np.ndarray
    kind: str
    relevance: np.ndarray | None = None
    #: The value that fills padding steps, or None where there is no padding.
    mask_value: float | None = None
    #: The labels as they were, in the order of the classes; None for numbers.
    classes: list[Any] | None = None
    names: list[str] | None = None
    #: For a regression: an answer is right if it is off by less.
    tolerance: float | None = None
    #: Whether the samples come one after the other in time, so that the later ones are held out.
    ordered: bool = False

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.x.shape[1:]

    @property
    def outputs(self) -> int:
        """How many outputs a model needs."""
        return len(self.classes) if self.kind == "multiclass" and self.classes else 1

    def visible(self) -> np.ndarray:
        """The inputs without the padding; series as a single one, since lengths differ."""
        if self.mask_value is None:
            return self.x
        return self.x[np.any(self.x != self.mask_value, axis=-1)][None]

    def as_series(self) -> Dataset:
        """A table's rows as series of one feature, for recurrent models."""
        return dataclasses.replace(self, x=self.x[..., None])

    def fingerprint(self) -> str:
        """The SHA-256 of the inputs and targets."""
        digest = hashlib.sha256(repr((self.x.shape, self.y.shape)).encode())
        digest.update(np.ascontiguousarray(self.x).tobytes())
        digest.update(np.ascontiguousarray(self.y).tobytes())
        return digest.hexdigest()

    def take(self, indices: np.ndarray) -> Dataset:
        """Some of the samples."""
        relevance = None if self.relevance is None else self.relevance[indices]
        return dataclasses.replace(self, x=self.x[indices], y=self.y[indices], relevance=relevance)


def check_dataset(data: Any) -> None:
    """TypeError for data that are neither a `Dataset` nor None, such as (x, y)."""
    if data is not None and not isinstance(data, Dataset):
        raise TypeError(
            "`data` must be a Dataset: training.from_arrays(x, y) or training.read(file). "
            f"Received: {type(data).__name__}"
        )


def from_task(task: Task, n: int, seed: int, split: str) -> Dataset:
    """A draw of a task."""
    sample = task.sample(n, seed=seed, split=split)
    classes = list(range(task.outputs)) if task.kind == "multiclass" else None
    x, mask_value = pad(sample.x, sample.mask)
    return Dataset(
        x, sample.y, task.kind, sample.relevance, mask_value=mask_value, classes=classes,
        tolerance=task.tolerance,
    )  # fmt: skip


#: Fills the padding of the user's own data; no step of theirs may have it in all its features.
PADDING = -1e3


def from_arrays(
    x: Any, y: Any, mask: Any = None, kind: str | None = None, *, ordered: bool = False
) -> Dataset:
    """The user's own arrays, checked.

    Args:
        x: numbers, `(samples, features)` or `(samples, time, features)`; a frame's columns become
            the names.
        y: `(samples,)` or `(samples, 1)`: integers or text are classes, other numbers a
            quantity to predict. Objects must be all text or all numbers.
        mask: `(samples, time)`, True where a step is real; None if all are.
        kind: `"binary"`, `"multiclass"` or `"regression"` to decide against what y looks like.
        ordered: whether the samples come one after the other in time. What is held out are then
            the last ones, so that nothing learns from its future; samples that overlap, such as
            sliding windows, still share what is in both.

    Raises:
        TypeError: if `ordered` is not True or False.
        ValueError: for NaN or infinite values, x and y of different lengths, another rank, no
            samples, an unknown kind. What nothing can be learned from, such as one class only, is
            refused by what trains on it.
    """
    if kind is not None and kind not in get_args(Kind):
        raise one_of("kind", kind, get_args(Kind))
    checks.boolean("ordered", ordered)
    names = arrays.columns(x)
    x = arrays.numeric("x", x)
    if x.ndim not in (2, 3):
        raise ValueError(
            "`x` must be (samples, features) or (samples, time, features). "
            f"Received: shape {x.shape}"
        )
    x, mask_value = pad(x.astype("float32"), mask)
    arrays.finite("x", x)
    y = _plain(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.shape != (len(x),):
        raise ValueError(
            f"`y` must have one value for each of the {len(x)} samples of x. "
            f"Received: shape {y.shape}"
        )
    if len(x) == 0:
        raise ValueError("`x` has no samples.")
    target, kind, classes = _target(y, kind)
    return Dataset(
        x, target, kind, mask_value=mask_value, classes=classes, names=names, ordered=ordered
    )


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


def _plain(y: Any) -> np.ndarray:
    """The targets, those that are objects as text or numbers."""
    arrays.unmasked("y", y)
    array = np.asarray(y)
    # NumPy makes text of whatever stands beside text in a list
    listed = array.dtype.kind in "US" and isinstance(y, (list, tuple))
    return arrays.objects("y", y) if listed or array.dtype.kind in "OT" else array


def _target(y: np.ndarray, kind: str | None) -> tuple[np.ndarray, str, list[Any] | None]:
    if y.dtype.kind not in "fiubUS":
        raise ValueError(f"`y` must be numbers or text. Received: dtype {y.dtype}")
    if y.dtype.kind == "f":
        arrays.finite("y", y)
        whole = bool(np.all(y == np.round(y)))
        if kind is None:
            kind = None if whole and len(np.unique(y)) == 2 else "regression"
    if kind == "regression":
        if y.dtype.kind in "US":
            raise ValueError("`y` is text, which is no quantity to predict: leave kind to classes.")
        return y.astype("float32"), kind, None
    classes, codes = np.unique(y, return_inverse=True)
    if kind == "binary" and len(classes) > 2:
        raise ValueError(f"`y` must have 2 classes. Received: {len(classes)}")
    kind = kind or ("binary" if len(classes) <= 2 else "multiclass")
    return codes.astype("float32"), kind, [value.item() for value in classes]
