"""How well each query fits each key: `(batch, queries, d)` and `(batch, keys, d)` to
`(batch, queries, keys)`."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from attention_zoo.ops.arithmetic import matmul, tanh


def dot(query: Any, key: Any) -> Any:
    """q . k (Luong, Pham and Manning, 2015, arXiv:1508.04025)."""
    return matmul(query, ops.swapaxes(key, -1, -2))


def scaled_dot(query: Any, key: Any) -> Any:
    """q . k / sqrt(d) (Vaswani et al., 2017, arXiv:1706.03762)."""
    return dot(query / math.sqrt(query.shape[-1]), key)


def general(query: Any, key: Any, kernel: Any) -> Any:
    """q W . k, Luong's multiplicative score; `kernel` is `(query width, key width)`."""
    return dot(matmul(query, kernel), key)


def additive(query: Any, key: Any, vector: Any) -> Any:
    """v . tanh(q + k) of a projected query and key (Bahdanau, Cho and Bengio, 2015,
    arXiv:1409.0473; Luong's concat); `vector` is `(d,)`."""
    pairs = tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
    return ops.squeeze(matmul(pairs, ops.expand_dims(vector, -1)), -1)
