"""How well each query fits each key: `(batch, queries, d)` and `(batch, keys, d)` to
`(batch, queries, keys)`."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from attention_zoo.ops.arithmetic import matmul, tanh
from attention_zoo.ops.blocks import join, map_blocks, split

#: How many numbers are held at once: 8 MiB in float32, which stays in a processor's cache.
TILE = 2**21


def dot(query: Any, key: Any) -> Any:
    """q . k (Luong, Pham and Manning, 2015, arXiv:1508.04025)."""
    return matmul(query, ops.swapaxes(key, -1, -2))


def scaled_dot(query: Any, key: Any) -> Any:
    """q . k / sqrt(d) (Vaswani et al., 2017, arXiv:1706.03762)."""
    return dot(query / math.sqrt(query.shape[-1]), key)


def additive(query: Any, key: Any, vector: Any) -> Any:
    """v . tanh(q + k) of a projected query and key (Bahdanau, Cho and Bengio, 2015,
    arXiv:1409.0473; Luong's concat); `vector` is `(d,)`.

    The pairs, d times as large as the logits, are made for as many queries at a time as fit in
    `TILE` numbers.
    """
    if query.shape[0] == 0 or cells(query, key, width=True) <= TILE:
        return _additive(query, key, vector)
    rows = max(1, TILE // cells(query, key, width=True, queries=1))
    if keras.backend.backend() == "torch":
        from attention_zoo.ops.blocks_torch import Additive

        return Additive.apply(query, key, vector, rows)
    blocks = split(query, rows)
    logits = map_blocks(_additive, [blocks], [key, vector])
    return join(logits, ops.shape(query)[-2])


def _additive(query: Any, key: Any, vector: Any) -> Any:
    if keras.backend.backend() == "jax":
        # With the keys in front its gradients take a quarter of the time for most batches
        pairs = tanh(ops.expand_dims(query, -3) + ops.expand_dims(key, -2))
        logits = ops.squeeze(matmul(pairs, ops.expand_dims(vector, -1)), -1)
        return ops.swapaxes(logits, -1, -2)
    pairs = tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
    return ops.squeeze(matmul(pairs, ops.expand_dims(vector, -1)), -1)


def _number(size: Any, unknown: int) -> int:
    if size is None or isinstance(size, int):
        return size or unknown
    return 1


def cells(query: Any, key: Any, *, width: bool = False, queries: int | None = None) -> int:
    """How many logits these queries and keys have, or numbers in their pairs with `width`.

    An unknown batch counts as 32, Keras's default; an unknown length as 1024 steps; one that JAX
    has a symbol for while it exports as 1, since blocks need a number.
    """
    sizes = [_number(query.shape[0], 32), *query.shape[1:-2]]
    sizes += [queries or _number(query.shape[-2], 1024), _number(key.shape[-2], 1024)]
    return math.prod(sizes) * (query.shape[-1] if width else 1)
