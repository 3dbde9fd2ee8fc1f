"""Data to train on: a task's draws, or the user's own arrays and files."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np

from attention_zoo.core import arrays, checks
from attention_zoo.core.registry import one_of
from attention_zoo.data.padding import pad
from attention_zoo.data.targets import fields_of_target
from attention_zoo.tasks import Task

Kind = Literal["binary", "multiclass", "regression"]


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets that fit each other, and what else describes them.

    Args:
        x: the inputs, `(samples, features)` or `(samples, time, features)`.
        y: the targets, `(samples,)`, `(samples, time)` or `(samples, outputs)`.
        kind: `"binary"`, `"multiclass"` or `"regression"`.
        relevance: which cells or steps the target depends on, or None.
        mask_value: the value that fills padding steps; None where there is no padding.
        classes: the labels in the order of the classes; None for numbers.
        names: the names of the features.
        tolerance: for a regression: a prediction is right if it is off by less.
        ordered: whether the samples follow each other in time; the last are then held out.
        sample_weight: how much each sample counts, `(samples,)`; None if all count the same.
        vector: whether y is `(samples, outputs)`; else a y of two axes is `(samples, time)`.
        any_length: whether the model takes series of any length.
        heads: for several outputs the data of each, with the same x.

    Example:

    >>> data = az.training.Dataset(np.zeros((7, 3)), np.zeros(7), "regression")
    >>> len(data), data.input_shape, data.outputs
    (7, (3,), 1)
    """

    x: np.ndarray
    y: np.ndarray
    kind: str
    relevance: np.ndarray | None = None
    mask_value: float | None = None
    classes: list[Any] | None = None
    names: list[str] | None = None
    tolerance: float | None = None
    ordered: bool = False
    sample_weight: np.ndarray | None = None
    vector: bool = False
    any_length: bool = False
    heads: dict[str, Dataset] | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one sample."""
        return (None, *self.x.shape[2:]) if self.any_length else self.x.shape[1:]

    @property
    def outputs(self) -> int:
        """How many outputs a model needs."""
        if self.vector:
            return self.y.shape[1]
        return len(self.classes) if self.kind == "multiclass" and self.classes else 1

    def target(self) -> Any:
        """The targets as `fit` takes them: of each step with the last axis of the model's output,
        of several outputs a dictionary."""
        if self.heads:
            return {name: head.target() for name, head in self.heads.items()}
        return self.y[..., None] if self.y.ndim > 1 and not self.vector else self.y

    def visible(self) -> np.ndarray:
        """The inputs without the padding; series as a single one, since lengths differ."""
        if self.mask_value is None:
            return self.x
        return self.x[np.any(self.x != self.mask_value, axis=-1)][None]

    def as_series(self) -> Dataset:
        """A table's rows as series of one feature, for recurrent models."""
        series = dataclasses.replace(self, x=self.x[..., None])
        return series._with_heads(lambda head: head.y)

    def fingerprint(self) -> str:
        """The SHA-256 of the inputs and targets."""
        digest = hashlib.sha256(repr((self.x.shape, self.y.shape)).encode())
        digest.update(np.ascontiguousarray(self.x).tobytes())
        digest.update(np.ascontiguousarray(self.y).tobytes())
        for name, head in (self.heads or {}).items():
            digest.update(name.encode() + np.ascontiguousarray(head.y).tobytes())
        if self.sample_weight is not None:
            digest.update(np.ascontiguousarray(self.sample_weight).tobytes())
        return digest.hexdigest()

    def take(self, indices: np.ndarray) -> Dataset:
        """Some of the samples."""
        parts = {name: getattr(self, name) for name in ("relevance", "sample_weight")}
        parts = {name: None if part is None else part[indices] for name, part in parts.items()}
        some = dataclasses.replace(self, x=self.x[indices], y=self.y[indices], **parts)
        return some._with_heads(lambda head: head.y[indices])

    def _with_heads(self, target: Callable[[Dataset], np.ndarray]) -> Dataset:
        """The same, its outputs with these inputs and their new targets."""
        shared: dict[str, Any] = {"x": self.x, "sample_weight": self.sample_weight}
        heads = {
            name: dataclasses.replace(head, y=target(head), **shared)
            for name, head in (self.heads or {}).items()
        }
        return dataclasses.replace(self, heads=heads or None)


def check_dataset(data: Any) -> None:
    """TypeError for data that are neither a `Dataset` nor None, such as (x, y)."""
    if data is not None and not isinstance(data, Dataset):
        raise TypeError(
            "`data` must be a Dataset: training.from_arrays(x, y) or training.read(file). "
            f"Received: {type(data).__name__}"
        )


def from_task(task: Task, n: int, seed: int, split: str) -> Dataset:
    """A draw of a task.

    Args:
        task: a task, from `az.tasks.get`.
        n: how many samples to draw.
        seed: of the draw.
        split: `"train"`, `"validation"` or `"test"`; their samples differ for the same seed.

    Returns:
        A `Dataset` with the relevance that the task knows.

    Example:

    >>> task = az.tasks.get("planted_step")
    >>> az.training.from_task(task, 5, seed=0, split="test").x.shape[0]
    5
    """
    sample = task.sample(n, seed=seed, split=split)
    classes = list(range(task.outputs)) if task.kind == "multiclass" else None
    x, mask_value = pad(sample.x, sample.mask)
    about: dict[str, Any] = {"mask_value": mask_value, "tolerance": task.tolerance}
    vector = sample.y.ndim == 2 and not task.per_step
    return Dataset(
        x, sample.y, task.kind, sample.relevance, classes=classes, vector=vector, **about
    )


def from_arrays(
    x: Any,
    y: Any,
    mask: Any = None,
    kind: Any = None,
    *,
    ordered: bool = False,
    sample_weight: Any = None,
    per_step: bool = False,
) -> Dataset:
    """The user's own arrays, checked.

    Args:
        x: numbers, `(samples, features)` or `(samples, time, features)`; a frame's columns become
            the names.
        y: `(samples,)` or `(samples, 1)`: integers or text are classes, other numbers a
            quantity to predict. Objects must be all text or all numbers. `(samples, outputs)`:
            several quantities, classes as one-hot rows, or yes and no of several labels. A
            dictionary of such: several outputs, each with its own loss.
        mask: `(samples, time)`, True where a step is real; None if all are.
        kind: `"binary"`, `"multiclass"` or `"regression"` to decide against what y looks like; of
            several outputs a dictionary.
        ordered: whether the samples come one after the other in time. What is held out are then
            the last ones, so that nothing learns from its future; samples that overlap, such as
            sliding windows, still share what is in both.
        sample_weight: `(samples,)`, how much each sample counts, at least 0; None: all the same.
        per_step: whether a y of two axes is `(samples, time)`, a target for each step.

    Returns:
        A `Dataset`.

    Raises:
        TypeError: if `ordered` is not True or False.
        ValueError: for NaN or infinite values, x and y of different lengths, another rank, no
            samples, an unknown kind. What nothing can be learned from, such as one class only, is
            refused by what trains on it.

    Example:

    >>> data = az.training.from_arrays([[1.0, 2.0], [3.0, 4.0]], ["no", "yes"])
    >>> data.kind, data.classes
    ('binary', ['no', 'yes'])
    """
    kinds = kind if isinstance(kind, Mapping) else {"": kind}
    for one in kinds.values():
        if one is not None and one not in get_args(Kind):
            raise one_of("kind", one, get_args(Kind))
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
    if len(x) == 0:
        raise ValueError("`x` has no samples.")
    about: dict[str, Any] = {"mask_value": mask_value, "names": names, "ordered": ordered}
    about["sample_weight"] = _weights(sample_weight, len(x))
    if not isinstance(y, Mapping):
        return Dataset(x, **fields_of_target("y", y, kind, len(x), per_step), **about)
    if not y or not all(isinstance(name, str) and name.isidentifier() for name in y):
        raise ValueError(
            "`y` must be an array, or a dictionary of them by names that are identifiers. "
            f"Received: {list(y)}"
        )
    heads = {}
    for name, one in y.items():
        wanted = kind.get(name) if isinstance(kind, Mapping) else kind
        target = fields_of_target(f"y[{name!r}]", one, wanted, len(x), per_step)
        heads[name] = Dataset(x, **target, **about)
    first = next(iter(heads.values()))
    return dataclasses.replace(first, heads=heads)


def _weights(sample_weight: Any, samples: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weights = arrays.numeric("sample_weight", sample_weight).astype("float32")
    arrays.finite("sample_weight", weights)
    if weights.shape != (samples,) or np.any(weights < 0):
        raise ValueError(
            f"`sample_weight` must be one number of at least 0 for each of the {samples} samples "
            f"of x. Received: shape {weights.shape}, the least {weights.min(initial=0):g}"
        )
    if not weights.any():
        raise ValueError("`sample_weight` must be above 0 for a sample at least. All are 0.")
    return weights
