"""Bahdanau's attention: from a query, or the last state, to one vector."""

from __future__ import annotations

from typing import Any

from attention_zoo.core import checks
from attention_zoo.layers.many_to_one import ManyToOneAttention
from attention_zoo.layers.register import register


@register("bahdanau")
class BahdanauAttention(ManyToOneAttention):
    """A query attends to a sequence through a hidden layer; the output is made of both.

    ```
    logits[t] = v . tanh(q W + x[t] U + b)
    scores = normalizer(logits / temperature)      over t
    context = sum_t scores[t] x[t]
    output = tanh([context; q] C)
    ```

    Alone, `layer(x)`, the query `q` is the last visible state of `x`, so that it is many-to-one
    and fits in a `Sequential`. Given, `layer(query, value)`, the query is a vector or a sequence
    of any length, as in Bahdanau, Cho and Bengio, 2015 (arXiv:1409.0473), whose decoder takes
    the context without the last line. Keys are the values unless given. Any length works.

    The arithmetic is that of `Attention(units, score="bahdanau")` of the package `attention`
    5.0.0, which needs a fixed length and whose query is x[:, -1], padding or not. Its weights are
    carried over to a layer with `use_bias=False` by

    ```
    query_kernel = bahdanau_w1/kernel              score_vector = bahdanau_v/kernel, its one column
    key_kernel = bahdanau_w2/kernel                output_kernel = attention_vector/kernel
    ```

    Differs from the paper: alone, the query is the last visible state, not a decoder's previous
    one.

    Masking: masked steps have scores of exactly 0, whatever they hold, NaN included, and are
    never the query. A sample with no visible step has a context of 0: alone its output is 0 too,
    beside a query it is the query's alone. Masked queries have scores and outputs of 0. The mask
    of a sequence of queries is passed on, any other is not.

    Args:
        units: the width of the output.
        attention_units: the width of the score's hidden layer; None is the width of the key.
        bidirectional: alone, take the first half of the query from the last visible step and the
            second half from the first one, where the backward half of
            `keras.layers.Bidirectional(merge_mode="concat")` has read everything.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.

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
            unequal batches or lengths; for a query given to a bidirectional layer.

    Example:

    >>> layer = az.layers.BahdanauAttention(units=8, attention_units=5)
    >>> query, states = np.ones((4, 3), "float32"), np.ones((4, 20, 6), "float32")
    >>> y, scores = layer(query, states, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 8), (4, 20))
    """

    score = "additive"

    def __init__(
        self,
        units: int = 128,
        attention_units: int | None = None,
        bidirectional: bool = False,
        **kwargs: Any,
    ):
        super().__init__(units=units, bidirectional=bidirectional, **kwargs)
        checks.positive_int("attention_units", attention_units, none=True)
        self.attention_units = attention_units
