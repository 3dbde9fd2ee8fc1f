"""Checks of shapes: an error names the layer and the axis before a backend fails on them."""

from __future__ import annotations

from typing import Any

import keras


def shape_of(x: Any) -> Any:
    """The shape of a tensor, the shapes of a list of tensors, or None for None."""
    if x is None:
        return None
    return tuple(map(shape_of, x)) if isinstance(x, (list, tuple)) else tuple(x.shape)


def reject_rank(layer: keras.layers.Layer, shape: tuple, ranks: str, hint: str = "") -> ValueError:
    """The error for an input whose number of axes the layer has no use for."""
    return ValueError(
        f"{type(layer).__name__} takes inputs of {ranks}.{hint and ' ' + hint} "
        f"Received: an input of shape {tuple(shape)}"
    )


def fixed_size(layer: keras.layers.Layer, axis: str, size: int | None, hint: str = "") -> int:
    """`size`, which must be known when the layer is built; ValueError says what to do instead."""
    if size is None:
        raise ValueError(
            f"{type(layer).__name__} needs a fixed {axis} size, since its weights depend on it."
            f"{hint and ' ' + hint} Received: {axis} size None"
        )
    return size


def same_size(layer: keras.layers.Layer, axis: str, built: int, received: int | None) -> None:
    """Refuse an input of another size than the layer was built for."""
    if received is not None and received != built:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} was built for {built} {axis}. "
            f"Received: {received} {axis}"
        )


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
