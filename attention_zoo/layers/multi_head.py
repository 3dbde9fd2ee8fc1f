"""Several heads attend at once, each in another projection."""

from __future__ import annotations

from typing import Any

from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers.pairwise import PairwiseAttention
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import shape_of
from attention_zoo.ops import masks
from attention_zoo.ops.backend import affine, is_half, matmul, mean
from attention_zoo.ops.scores import scaled_dot

_LARGEST_BIAS = 1e30


@register("multi_head")
class MultiHeadAttention(PairwiseAttention):
    """Attends with several heads, over one sequence or from a query over a value.

    ```
    logits[h, i, j] = (query[i] Q_h) . (key[j] K_h) / sqrt(key_dim) + score_bias[h, i, j]
    scores[h, i] = normalizer(logits[h, i] / temperature)            over the visible j
    output[i] = concat_h(sum_j scores[h, i, j] value[j] V_h) O
    output[i] = mean_h(sum_j scores[h, i, j] value[j] V) O           with shared_values
    ```

    After Vaswani et al., 2017 (arXiv:1706.03762); with fewer `num_key_value_heads`,
    grouped-query attention (Ainslie et al., 2023, arXiv:2305.13245); with `shared_values`, the
    interpretable heads of the Temporal Fusion Transformer (Lim et al., 2019, arXiv:1912.09363),
    whose mean over heads is itself the attention of the output. Unlike
    `keras.layers.MultiHeadAttention` it takes one tensor alone, any normalizer, and gives the same
    output with and without scores.

    Differs from keras.layers.MultiHeadAttention: one tensor alone, any normalizer, shared values,
    zeros where nothing is visible.

    Masking: masked keys have scores of exactly 0, whatever they hold, NaN included; masked
    queries have scores and outputs of 0. A query that sees no key gets the output's bias alone.
    The query's mask is passed on.

    There is no `attention_axes`: a sequence has one time axis. For `(batch, space, time, features)`
    wrap the layer in `keras.layers.TimeDistributed`.

    Decoding: as in Keras, query i of a causal call sees keys 0 to i, so that one query alone sees
    key 0. A layer trained with `use_causal_mask=True` is asked one query at a time with all keys so
    far, the last `window + 1` of them where there is a window:
    `layer(x[:, t : t + 1], x[:, : t + 1], use_causal_mask=False)`.

    Args:
        num_heads: the number of heads.
        key_dim: the width of each head's query and key; None is the query's width / num_heads.
        value_dim: the width of each head's value; None is `key_dim`.
        num_key_value_heads: the number of key and value heads, which divides `num_heads`; None is
            `num_heads`.
        shared_values: one value projection for all heads, whose results are averaged.
        output_dim: the width of the output; None is that of the query.
        window: query i sees only keys j with `|i - j| <= window`; None is no limit.
        use_causal_mask: query i sees only keys up to i.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.

    Call arguments:
        query: `(batch, queries, width)`.
        value: `(batch, keys, value width)`; by default the query.
        key: `(batch, keys, key width)`; by default the value.
        mask, query_mask: boolean, `(batch, queries)`; `mask` is `query_mask` by its Keras name.
        value_mask, key_mask: boolean, `(batch, keys)`.
        attention_mask: which query may see which key, boolean or of numbers 0 and 1:
            `(queries, keys)`, `(1, queries, keys)`, `(batch, queries, keys)` or
            `(batch, num_heads or 1, queries, keys)`.
        score_bias: added to the logits, for relative positions: broadcastable to
            `(batch, heads, queries, keys)`.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.
        use_causal_mask: whether query i sees only keys up to i; None is what the layer was
            made with.

    Returns:
        `(batch, queries, output_dim)`; with `return_attention_scores` also the scores,
        `(batch, heads, queries, keys)`, 1 in sum over the last axis.

    Raises:
        ValueError: for heads that do not divide the width, inputs that are not of rank 3, of
            unequal batches or lengths, or of other widths than built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 6)).astype("float32")
    >>> y, scores = az.layers.MultiHeadAttention(num_heads=2)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 20, 6), (4, 2, 20, 20))
    """

    def __init__(
        self,
        num_heads: int = 4,
        key_dim: int | None = None,
        value_dim: int | None = None,
        num_key_value_heads: int | None = None,
        shared_values: bool = False,
        output_dim: int | None = None,
        window: int | None = None,
        use_causal_mask: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        checks.positive_int("num_heads", num_heads)
        optional = {
            "key_dim": key_dim,
            "value_dim": value_dim,
            "num_key_value_heads": num_key_value_heads,
            "output_dim": output_dim,
            "window": window,
        }
        for name, size in optional.items():
            checks.positive_int(name, size, none=True)
        checks.boolean("shared_values", shared_values)
        checks.boolean("use_causal_mask", use_causal_mask)
        if num_key_value_heads is not None and num_heads % num_key_value_heads:
            raise ValueError(
                f"`num_key_value_heads` must divide `num_heads`. Received: num_heads={num_heads}, "
                f"num_key_value_heads={num_key_value_heads}"
            )
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim
        self.num_key_value_heads = num_key_value_heads
        self.shared_values = shared_values
        self.output_dim = output_dim
        self.window = window
        self.use_causal_mask = use_causal_mask

    def build(
        self, query_shape: tuple, value_shape: tuple | None = None, key_shape: tuple | None = None
    ) -> None:
        value_shape = value_shape or query_shape
        self._build_widths(query_shape, value_shape, key_shape or value_shape)
        if self.key_dim is None and self._query_width % self.num_heads:
            raise ValueError(
                "`num_heads` must divide the query's width where `key_dim` is None. "
                f"Received: num_heads={self.num_heads}, query width {self._query_width}"
            )
        self._head_width = self.key_dim or self._query_width // self.num_heads
        self._head_value_width = self.value_dim or self._head_width
        groups = self.num_key_value_heads or self.num_heads
        values = 1 if self.shared_values else groups
        out = self.output_dim or self._query_width
        joined = self._head_value_width * (1 if self.shared_values else self.num_heads)
        for name, rows, columns in (
            ("query", self._query_width, self.num_heads * self._head_width),
            ("key", self._key_width, groups * self._head_width),
            ("value", self._value_width, values * self._head_value_width),
            ("output", joined, out),
        ):
            setattr(self, f"{name}_kernel", self._add_kernel(f"{name}_kernel", (rows, columns)))
            setattr(self, f"{name}_bias", self._add_bias(f"{name}_bias", (columns,)))

    def call(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        mask: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        score_bias: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool | None = None,
    ) -> Any:
        if query_mask is None:
            query_mask = masks.standardize(mask, (shape_of(query) or ())[:2])
        if value is None:
            value, value_mask = query, query_mask if value_mask is None else value_mask
        key = value if key is None else key
        pairs = self._pairs(
            query, value, key, query_mask, value_mask, key_mask, attention_mask, self.num_heads
        )
        groups = self.num_key_value_heads or self.num_heads
        queries = self._project("query", pairs.query, self.num_heads, self._head_width)
        keys = self._spread(self._project("key", pairs.key, groups, self._head_width))
        if self.shared_values:
            values = self._dense("value", pairs.value)
        else:
            values = self._spread(
                self._project("value", pairs.value, groups, self._head_value_width)
            )
        outputs, scores = self._attend_pairs(
            pairs._replace(query=queries, key=keys, value=values, bias=self._bias(score_bias)),
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
            score=scaled_dot,
            apply=_apply_mean if self.shared_values else matmul,
        )
        outputs = self._dense("output", self._joined(outputs))
        outputs = masks.apply_mask(outputs, pairs.query_mask)
        return self._finish(outputs, scores, return_attention_scores)

    def _bias(self, score_bias: Any) -> Any:
        if score_bias is None:
            return None
        bias = ops.convert_to_tensor(score_bias)
        if is_half(self.compute_dtype):
            # Keras's cast to float16 makes -inf of the -1e9 that is to hide a pair
            bias = ops.clip(ops.cast(bias, "float32"), -_LARGEST_BIAS, _LARGEST_BIAS)
        else:
            bias = ops.cast(bias, self.compute_dtype)
        return ops.reshape(bias, (1,) * (4 - len(bias.shape)) + tuple(ops.shape(bias)))

    def _project(self, name: str, x: Any, heads: int, width: int) -> Any:
        """`(batch, time, features)` to `(batch, heads, time, width)`."""
        x = self._dense(name, x)
        x = ops.reshape(x, (*ops.shape(x)[:2], heads, width))
        return ops.swapaxes(x, 1, 2)

    def _dense(self, name: str, x: Any) -> Any:
        return affine(x, getattr(self, f"{name}_kernel"), getattr(self, f"{name}_bias"))

    def _spread(self, x: Any) -> Any:
        """Each key and value head once for every query head of its group."""
        times = self.num_heads // (self.num_key_value_heads or self.num_heads)
        return x if times == 1 else ops.repeat(x, times, axis=1)

    def _joined(self, mixed: Any) -> Any:
        """`(batch, heads, time, width)` to `(batch, time, heads * width)`."""
        if self.shared_values:
            return mixed
        mixed = ops.swapaxes(mixed, 1, 2)
        return ops.reshape(mixed, (*ops.shape(mixed)[:2], self.num_heads * self._head_value_width))

    def compute_output_shape(
        self, query_shape: tuple, value_shape: Any = None, key_shape: Any = None
    ) -> tuple:
        return (*query_shape[:2], self.output_dim or query_shape[2])

    def _scores_shape(self, query: tuple, value: Any = None, key: Any = None) -> tuple:
        return (query[0], self.num_heads, query[1], (query if value is None else value)[1])


def _apply_mean(scores: Any, value: Any) -> Any:
    return matmul(mean(scores, axis=1), value)
