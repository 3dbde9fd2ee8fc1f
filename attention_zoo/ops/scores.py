"""How well each query fits each key: `(batch, queries, d)` and `(batch, keys, d)` to
`(batch, queries, keys)`."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from attention_zoo.ops import backend
from attention_zoo.ops.backend import matmul

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
        return backend.additive(query, key, vector)
    rows = max(1, TILE // cells(query, key, width=True, queries=1))
    return backend.additive_in_tiles(query, key, vector, rows)


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
