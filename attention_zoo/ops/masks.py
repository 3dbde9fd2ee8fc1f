"""What may be attended to: True is visible, False is not."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from attention_zoo.core.identity import by_identity


def standardize(mask: Any, shape: tuple, *, name: str = "mask") -> Any:
    """`mask` as a boolean tensor, or None; its shape must be `shape` as far as both are known.

    Raises TypeError for a floating mask, which could mean 0/1 or an additive -inf, and ValueError
    for one of another rank or size.
    """
    if mask is None:
        return None
    mask = mask if hasattr(mask, "dtype") else ops.convert_to_tensor(mask)
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype != "bool" and "int" not in dtype:
        raise TypeError(
            f"`{name}` must be boolean (or integer 0/1): True is visible. Received: dtype {dtype}"
        )
    received = tuple(mask.shape)
    fits = len(received) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(received, shape, strict=True)
    )
    if not fits:
        raise ValueError(f"`{name}` must have the shape {tuple(shape)}. Received: {received}")
    return ops.cast(mask, "bool")


def silence(x: Any, mask: Any) -> Any:
    """`x` with 0 wherever `mask` hides it, so that NaN or 1e4 in padding cannot speak.

    Args:
        x: a tensor `(batch, time, ...)`.
        mask: boolean, the leading dimensions of `x`, or None, which leaves `x` as it is.
    """
    if mask is None:
        return x
    while len(mask.shape) < len(x.shape):
        mask = ops.expand_dims(mask, -1)
    return ops.where(mask, x, ops.zeros((), dtype=x.dtype))


@by_identity
class Pairwise(NamedTuple):
    """Which query step may attend to which key step: every condition at once.

    Attributes:
        queries: `(batch, queries)`; a masked query attends to nothing.
        keys: `(batch, keys)`; a masked key is attended to by nobody.
        pairs: `(batch, queries, keys)`, the user's own.
        causal: query step i sees only keys up to i.
        window: query step i sees only keys j with |i - j| <= window.
    """

    queries: Any = None
    keys: Any = None
    pairs: Any = None
    causal: bool = False
    window: int | None = None

    def visible(self, query_steps: Any = None, key_steps: Any = None) -> Any:
        """A boolean tensor that broadcasts to `(batch, queries, keys)`, or None if all is visible.

        Args:
            query_steps, key_steps: the steps that these queries and keys are, vectors of
                integers; needed where `causal` or `window` is set.
        """
        conditions = []
        if self.queries is not None:
            conditions.append(ops.expand_dims(self.queries, -1))
        if self.keys is not None:
            conditions.append(ops.expand_dims(self.keys, -2))
        if self.pairs is not None:
            conditions.append(self.pairs)
        if self.causal or self.window is not None:
            ahead = ops.expand_dims(key_steps, 0) - ops.expand_dims(query_steps, 1)
            if self.causal:
                conditions.append(ops.expand_dims(ahead <= 0, 0))
            if self.window is not None:
                conditions.append(ops.expand_dims(ops.abs(ahead) <= self.window, 0))
        visible = None
        for condition in conditions:
            visible = condition if visible is None else ops.logical_and(visible, condition)
        return visible
