"""The layer of the package `attention` 5.0.0."""

from __future__ import annotations

from typing import Any

from attention_zoo.core.registry import one_of
from attention_zoo.layers.bahdanau import BahdanauAttention
from attention_zoo.layers.luong import LuongAttention


def Attention(
    units: int = 128, score: str = "luong", **kwargs: Any
) -> LuongAttention | BahdanauAttention:
    """The layer that `attention.Attention(units, score)` of the package `attention` 5.0.0 was.

    ```
    score="luong"        LuongAttention(units)
    score="bahdanau"     BahdanauAttention(units, use_bias=False)
    ```

    With the weights carried over, as the two say, it gives the package's outputs. Any length works,
    which the package's bahdanau did not admit.

    Masking: as in the two layers. The package takes no mask: its query is the last step, padding
    or not, and it attends to padding. Without a mask the two are equal.

    Args:
        units: the width of the output.
        score: `"luong"` or `"bahdanau"`.
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.

    Returns:
        A `LuongAttention` or a `BahdanauAttention`: `(batch, time, features)` to `(batch, units)`.

    Raises:
        ValueError: for another score, or units that are no positive integer.

    Example:

    >>> from attention_zoo.compat import Attention
    >>> tuple(Attention(units=8, score="bahdanau")(np.ones((4, 20, 6), "float32")).shape)
    (4, 8)
    """
    if score == "luong":
        return LuongAttention(units, **kwargs)
    if score == "bahdanau":
        return BahdanauAttention(units, use_bias=False, **kwargs)
    raise one_of("score", score, ("luong", "bahdanau"))
