"""Whether a query, a value and a key fit each other, said before a backend stumbles on them."""

from __future__ import annotations

from typing import Any

import keras

from attention_zoo.layers.base import reject_rank


def shape_of(x: Any) -> Any:
    """The shape of a tensor, the shapes of a list of tensors, or None for None."""
    if x is None:
        return None
    return tuple(map(shape_of, x)) if isinstance(x, (list, tuple)) else tuple(x.shape)


def one_tensor(layer: keras.layers.Layer, shape: tuple) -> None:
    """Refuse the shapes of a list of tensors where one shape is meant."""
    if any(isinstance(size, (list, tuple)) for size in shape):
        raise ValueError(
            f"{type(layer).__name__} takes tensors one by one, as in layer(query, value), not a "
            f"list of them. Received: {len(shape)} tensors of shapes {list(shape)}"
        )


def check_sequence(layer: keras.layers.Layer, shape: tuple) -> None:
    """Refuse anything but one tensor `(batch, time, features)`."""
    one_tensor(layer, shape)
    if len(shape) != 3:
        raise reject_rank(
            layer,
            shape,
            "rank 3, (batch, time, features)",
            "After a recurrent layer, set return_sequences=True.",
        )


def check_fit(layer: keras.layers.Layer, query: tuple, value: tuple, key: tuple) -> None:
    """Refuse a query, value and key of other ranks, of unequal batches or unequal lengths."""
    for shape in (query, value, key):
        one_tensor(layer, shape)
    if len(query) not in (2, 3):
        raise reject_rank(layer, query, "queries of rank 2 or 3, (batch, [time,] features)")
    for shape in (value, key):
        if len(shape) != 3:
            raise reject_rank(layer, shape, "values and keys of rank 3, (batch, time, features)")
    _equal(layer, "batch size", query=query[0], value=value[0], key=key[0])
    _equal(layer, "length", value=value[1], key=key[1])


def _equal(layer: keras.layers.Layer, what: str, **sizes: int | None) -> None:
    if len({size for size in sizes.values() if isinstance(size, int)}) > 1:
        received = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} needs inputs of one {what}. "
            f"Received: {received}"
        )
