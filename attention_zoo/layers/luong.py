"""Luong's attention: from a query, or the last state, to one vector."""

from __future__ import annotations

from typing import Any

from attention_zoo.core.registry import one_of
from attention_zoo.layers.many_to_one import ManyToOneAttention
from attention_zoo.layers.register import register

_SCORES = ("general", "dot", "scaled_dot")


@register("luong")
class LuongAttention(ManyToOneAttention):
    """A query attends to a sequence by a product of the two; the output is made of both.

    ```
    logits[t] = q W . x[t]                         score="general"
    logits[t] = q . x[t]                           score="dot"; over sqrt(width): "scaled_dot"
    scores = normalizer(logits / temperature)      over t
    context = sum_t scores[t] x[t]
    output = tanh([context; q] C)
    ```

    Alone, `layer(x)`, the query `q` is the last visible state of `x`, so that it is many-to-one
    and fits in a `Sequential`. Given, `layer(query, value)`, the query is a vector or a sequence
    of any length, which is Luong, Pham and Manning, 2015 (arXiv:1508.04025), global
    attention; their concat score is BahdanauAttention. Keys are the values unless given. Any
    length works.

    The arithmetic is that of `Attention(units, score="luong")` of the package `attention` 5.0.0,
    whose query is x[:, -1], padding or not. Its weights are carried over by

    ```
    score_kernel = luong_w/kernel transposed       output_kernel = attention_vector/kernel
    ```

    Differs from the paper: alone, the query is the last visible state, not a decoder's.

    Masking: masked steps have scores of exactly 0, whatever they hold, NaN included, and are
    never the query. A sample with no visible step has a context of 0: alone its output is 0 too,
    beside a query it is the query's alone. Masked queries have scores and outputs of 0. The mask
    of a sequence of queries is passed on, any other is not.

    Args:
        units: the width of the output.
        score: `"general"`, `"dot"` or `"scaled_dot"`.
        bidirectional: alone, take the first half of the query from the last visible step and the
            second half from the first one, where the backward half of
            `keras.layers.Bidirectional(merge_mode="concat")` has read everything.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`; no score
            here has a bias.

    Call arguments:
        query: `(batch, time, features)` alone; with a value, `(batch, width)` or
            `(batch, queries, width)`.
        value: `(batch, time, features)`, or None.
        key: `(batch, time, key width)`; None is the value.
        mask: boolean, `(batch, time)`, for a query that is alone; True is visible.
        query_mask, value_mask, key_mask: boolean, the leading axes of each, with a value.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.

    Returns:
        `(batch, units)`, or `(batch, queries, units)` for a sequence of queries; with
        `return_attention_scores` also the scores, `(batch, time)` or `(batch, queries, time)`, 1
        in sum over the visible steps.

    Raises:
        ValueError: for inputs of other ranks, of unknown widths or of others than built, of
            unequal batches or lengths; for a query of another width than the key, if the score
            has no kernel; for a query given to a bidirectional layer.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 6)).astype("float32")
    >>> y, scores = az.layers.LuongAttention(units=8)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 8), (4, 20))
    """

    def __init__(
        self, units: int = 128, score: str = "general", bidirectional: bool = False, **kwargs: Any
    ):
        super().__init__(units=units, bidirectional=bidirectional, **kwargs)
        if score not in _SCORES:
            raise one_of("score", score, _SCORES)
        self.score = score
