"""What may be attended to: True is visible, False is not."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


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


def standardize_pairs(
    mask: Any, sizes: tuple[int | None, ...], *, name: str = "attention_mask"
) -> Any:
    """An attention mask as a boolean tensor that broadcasts to the scores, or None.

    Args:
        mask: `(queries, keys)`, `(batch, queries, keys)` or `(batch, heads, queries, keys)`; the
            sizes of all but the keys may be 1. Boolean, integer, or floating as Keras's layers
            take it: what is above 0.5 is visible.
        sizes: batch, heads, queries and keys of the scores; heads None where they have no such
            axis, sizes None where they are not known.
        name: the argument's name, for an error.

    Returns:
        A tensor of the rank of the scores, which is 3 without heads.
    """
    if mask is None:
        return None
    mask = mask if hasattr(mask, "dtype") else ops.convert_to_tensor(mask)
    floating = "float" in keras.backend.standardize_dtype(mask.dtype)
    mask = mask > 0.5 if floating else ops.cast(mask, "bool")
    received, heads = tuple(mask.shape), sizes[1]
    wanted = (sizes[0], 1 if heads is None else heads, *sizes[2:])
    missing = (1,) * (4 - len(received))
    aligned = (*received[:-2], *missing, *received[-2:])
    if len(received) not in (2, 3, 4) or not all(
        a in (None, size) or size is None or (a == 1 and axis < 3)
        for axis, (a, size) in enumerate(zip(aligned, wanted, strict=True))
    ):
        shapes = ", ".join(map(str, (wanted[2:], (wanted[0], *wanted[2:]), wanted)))
        raise ValueError(
            f"`{name}` must have one of the shapes {shapes}, where sizes before the last may be 1. "
            f"Received: {received}"
        )
    if len(received) == 4:
        return ops.squeeze(mask, 1) if heads is None else mask
    for _ in range((3 if heads is None else 4) - len(received)):
        mask = ops.expand_dims(mask, -3)
    return mask


def apply_mask(x: Any, mask: Any) -> Any:
    """`x` with 0 wherever `mask` is False, whatever stands there, NaN included.

    Args:
        x: a tensor `(batch, time, ...)`.
        mask: boolean, the leading dimensions of `x`, or None, which leaves `x` as it is.
    """
    if mask is None:
        return x
    while len(mask.shape) < len(x.shape):
        mask = ops.expand_dims(mask, -1)
    return ops.where(mask, x, ops.zeros((), dtype=x.dtype))


def count(mask: Any, x: Any) -> Any:
    """How many steps are visible, at least 1, in the dtype of `x`: `(batch, 1)`, or a scalar
    without a mask.

    Args:
        mask: boolean, `(batch, time)`, or None.
        x: a tensor `(batch, time, ...)`.
    """
    if mask is None:
        return ops.cast(ops.maximum(ops.shape(x)[1], 1), x.dtype)
    number = ops.sum(ops.cast(mask, x.dtype), axis=1, keepdims=True)
    return ops.maximum(number, ops.ones((), x.dtype))


def both(mask: Any, other: Any) -> Any:
    """What two masks leave visible; None is a mask that hides nothing."""
    if mask is None or other is None:
        return other if mask is None else mask
    return ops.logical_and(mask, other)


def visible_pairs(
    query_mask: Any = None,
    key_mask: Any = None,
    attention_mask: Any = None,
    *,
    query_steps: Any = None,
    key_steps: Any = None,
    causal: bool = False,
    window: int | None = None,
) -> Any:
    """Which query may attend to which key, under every condition at once.

    Args:
        query_mask: `(batch, queries)`; a masked query attends to nothing.
        key_mask: `(batch, keys)`; no query attends to a masked key.
        attention_mask: `(batch, [heads,] queries, keys)`, the user's own.
        query_steps, key_steps: the steps that these queries and keys are, vectors of integers;
            needed where `causal` or `window` is set.
        causal: query step i sees only keys up to i.
        window: query step i sees only keys j with |i - j| <= window.

    Returns:
        A boolean tensor that broadcasts to `(batch, [heads,] queries, keys)`, or None if all is
        visible. It has the axis of heads only if `attention_mask` has.
    """
    queries = None if query_mask is None else ops.expand_dims(query_mask, -1)
    keys = None if key_mask is None else ops.expand_dims(key_mask, -2)
    mask = both(queries, keys)
    if causal or window is not None:
        ahead = ops.expand_dims(key_steps, 0) - ops.expand_dims(query_steps, 1)
        if causal:
            mask = both(mask, ops.expand_dims(ahead <= 0, 0))
        if window is not None:
            mask = both(mask, ops.expand_dims(ops.abs(ahead) <= window, 0))
    if mask is not None and attention_mask is not None and len(attention_mask.shape) == 4:
        mask = ops.expand_dims(mask, 1)
    return both(mask, attention_mask)
