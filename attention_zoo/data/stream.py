"""What `fit` takes beside arrays: a tf.data.Dataset, a PyDataset, a torch DataLoader."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from attention_zoo.data.dataset import Dataset, from_arrays


def is_stream(x: Any) -> bool:
    """Return True for batches that can be read again; TypeError for a generator, which cannot."""
    if isinstance(x, keras.utils.PyDataset):
        return True
    if isinstance(x, Iterator):
        raise TypeError(
            "`x` must be something that can be read more than once, since training reads it in "
            "each epoch: arrays, a tf.data.Dataset, a keras.utils.PyDataset or a torch DataLoader. "
            f"Received: {type(x).__name__}"
        )
    kinds = {f"{one.__module__.partition('.')[0]}.{one.__name__}" for one in type(x).__mro__}
    return bool(kinds & {"tensorflow.DatasetV2", "torch.DataLoader"})


def batches(source: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The batches of one epoch as NumPy arrays: x, y and the sample weights."""
    if isinstance(source, keras.utils.PyDataset):
        if source.num_batches is None:
            raise ValueError("`x` must be a PyDataset that knows its length. Received: no end")
        source = map(source.__getitem__, range(source.num_batches))
    elif hasattr(source, "cardinality") and int(source.cardinality()) == -1:
        raise ValueError("`x` must be a tf.data.Dataset that ends. Received: one that repeats")
    for batch in source:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(batch))
        if y is None:
            raise ValueError("`x` must give batches (x, y). Received: batches without y")
        yield tuple(keras.tree.map_structure(_array, part) for part in (x, y, weight))


def _array(value: Any) -> np.ndarray | None:
    if value is None:
        return None
    return keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else np.asarray(value)


@dataclasses.dataclass(frozen=True, eq=False)
class Stream(Dataset):
    """A `Dataset` whose inputs stay where they are: `x` is their first batch, `y` all targets.

    Attributes:
        source: what `fit` takes.
        length: the number of samples.
        sizes: the sizes of a sample; None for a length that differs between batches.
    """

    source: Any = None
    length: int = 0
    sizes: tuple[int | None, ...] = ()

    def __len__(self) -> int:
        return self.length

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The sizes of a sample."""
        return self.sizes

    def visible(self) -> Any:
        """The inputs of each batch."""
        for x, _, _ in batches(self.source):
            x = x.astype("float32")
            yield Dataset(x, np.empty(0), self.kind, mask_value=self.mask_value).visible()


def from_stream(source: Any, kind: Any = None, *, per_step: bool = False) -> Stream:
    """Read a stream once, to know what it holds.

    Args:
        source: batches (x, y) or (x, y, sample_weight), finite.
        kind: as in `from_arrays`.
        per_step: as in `from_arrays`.

    Raises:
        ValueError: for an endless stream, and for what `from_arrays` refuses. Classes must be
            numbered from 0, since a stream is trained on as it is.
    """
    first, targets, length, sizes = None, [], 0, None
    for x, y, _ in batches(source):
        if first is None:
            first, sizes = x, x.shape[1:]
        elif sizes != x.shape[1:]:
            sizes = (None, *x.shape[2:])
        targets.append(y)
        length += len(x)
    if first is None or sizes is None:
        raise ValueError("`x` has no samples.")
    y = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *targets)
    # Of the targets alone: zeros stand for x
    targets_of = from_arrays(np.zeros((length, 1)), y, None, kind, per_step=per_step)
    for name, head in (targets_of.heads or {"y": targets_of}).items():
        if head.classes and list(head.classes) != list(range(len(head.classes))):
            raise ValueError(
                f"`{name}` of a stream must be classes numbered 0, 1, ... "
                f"Received: {head.classes[:10]}"
            )
    about = {field.name: getattr(targets_of, field.name) for field in dataclasses.fields(Dataset)}
    about["x"] = first.astype("float32")
    return Stream(**about, source=source, length=length, sizes=sizes)
