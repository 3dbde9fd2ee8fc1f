"""A query sequence attends to a memory sequence."""

from __future__ import annotations

from typing import Any

from attention_zoo.core import checks
from attention_zoo.layers.pairwise import PairwiseAttention, check_score
from attention_zoo.layers.register import register


@register("cross_attention")
class CrossAttention(PairwiseAttention):
    """For each step of a query sequence, a mean of the memory's steps it attends to.

    ```
    logits[i, j] = score(query[i], key[j])
    scores[i] = normalizer(logits[i] / temperature)     over the visible j
    output[i] = sum_j scores[i, j] value[j]
    ```

    With `"additive"`, `"general"` or `"dot"` it is the attention of Bahdanau, Cho and Bengio, 2015
    (arXiv:1409.0473) or Luong, Pham and Manning, 2015 (arXiv:1508.04025) over all of a decoder's
    states at once. Unlike `keras.layers.Attention` and `AdditiveAttention` it takes tensors one
    by one, has the score's matrices as weights, and gives zeros where nothing is visible.

    Differs from keras.layers.Attention: tensors one by one, trainable scores, zeros where nothing
    is visible.

    Masking: masked keys have scores of exactly 0, whatever they hold, NaN included; masked
    queries have scores and outputs of 0. The query's mask is passed on.

    Args:
        units: the width of the additive score's hidden layer; None is the key's width.
        score: `"additive"`, `"general"`, `"dot"` or `"scaled_dot"`.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.

    Call arguments:
        query: `(batch, queries, query width)`.
        value: `(batch, keys, value width)`, the memory.
        key: `(batch, keys, key width)`; by default the value.
        query_mask, value_mask, key_mask: boolean, `(batch, queries)` and `(batch, keys)`.
        attention_mask: which query may see which key, boolean or of numbers 0 and 1:
            `(queries, keys)`, `(1, queries, keys)`, `(batch, queries, keys)` or
            `(batch, 1, queries, keys)`.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.
        use_causal_mask: whether query i sees only keys up to i; None is False.

    Returns:
        `(batch, queries, value width)`; with `return_attention_scores` also the scores,
        `(batch, queries, keys)`, 1 in sum over the last axis.

    Raises:
        ValueError: for inputs that are not of rank 3, of unequal batches or lengths, or of other
            widths than built.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> query, memory = rng.normal(size=(4, 7, 3)), rng.normal(size=(4, 20, 5))
    >>> y, scores = az.layers.CrossAttention()(query, memory, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 7, 5), (4, 7, 20))
    """

    def __init__(self, units: int | None = None, score: str = "additive", **kwargs: Any):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        check_score(score)
        self.units = units
        self.score = score

    def build(
        self, query_shape: tuple, value_shape: tuple | None = None, key_shape: tuple | None = None
    ) -> None:
        value_shape = self._memory(value_shape)
        self._build_widths(query_shape, value_shape, key_shape or value_shape)
        self._build_score(self._query_width, self._key_width, self.units)

    def call(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool | None = None,
    ) -> Any:
        key = self._memory(value) if key is None else key
        pairs = self._pairs(query, value, key, query_mask, value_mask, key_mask, attention_mask)
        outputs, scores = self._attend_pairs(
            self._projected(pairs),
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
        )
        return self._finish(outputs, scores, return_attention_scores)

    def _memory(self, value: Any) -> Any:
        if value is None:
            raise ValueError(
                f"{type(self).__name__} needs a `value`, the memory it attends to: "
                "layer(query, value). For one sequence alone there is SelfAttention."
            )
        return value

    def compute_output_shape(
        self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None
    ) -> tuple:
        return (*query_shape[:2], self._memory(value_shape)[2])

    def _scores_shape(self, query: tuple, value: tuple, key: tuple | None = None) -> tuple:
        return (*query[:2], value[1])
