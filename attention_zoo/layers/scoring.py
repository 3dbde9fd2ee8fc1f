"""The weights of a score, for every layer that has queries and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import initializers, ops

from attention_zoo.core.registry import one_of
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.ops import scores
from attention_zoo.ops.arithmetic import matmul, tanh

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "dot": scores.dot,
    "scaled_dot": scores.scaled_dot,
    "general": scores.dot,
    "additive": scores.additive,
}
SCORES = tuple(_FUNCTIONS)


def check_score(score: Any) -> None:
    """Refuse a name that is no score of queries and keys, with the nearest one."""
    if score not in SCORES:
        raise one_of("score", score, SCORES)


class ScoredAttention(AttentionLayer):
    """An attention layer with a `score` of queries and keys and its `units`.

    ```
    dot          q . k                        no weights; equal widths
    scaled_dot   q . k / sqrt(d)              no weights; equal widths
    general      q W . k                      score_kernel (query width, key width)
    additive     v . tanh(q W + k U + b)      query_kernel, key_kernel, score_bias, score_vector
    ```

    A subclass sets `self.score` and `self.units`, calls `build_score` in `build`, and `logits` in
    `call`.
    """

    score: str
    units: int | None

    def build_score(self, query_width: int, key_width: int, units: int | None = None) -> None:
        """Make the weights that the score needs; `units` stands in for `self.units`."""
        if self.score == "general":
            self.score_kernel = self.add_kernel("score_kernel", (query_width, key_width))
        elif self.score == "additive":
            units = units or self.units or key_width
            self.query_kernel = self.add_kernel("query_kernel", (query_width, units))
            self.key_kernel = self.add_kernel("key_kernel", (key_width, units))
            self.score_bias = self.add_bias("score_bias", (units,))
            # A kernel's initializer may take matrices only
            seed = getattr(self.kernel_initializer, "seed", None)
            self.score_vector = self.add_weight(
                name="score_vector",
                shape=(units,),
                initializer=self._distinct(initializers.GlorotUniform(seed), "score_vector"),
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            )
        elif query_width != key_width:
            raise ValueError(
                f"{type(self).__name__} with score={self.score!r} needs queries and keys of one "
                "width; score='general' or 'additive' takes any. "
                f"Received: query width {query_width}, key width {key_width}"
            )

    def logits(self, query: Any, key: Any) -> Any:
        """`(batch, queries, width)` and `(batch, keys, width)` to `(batch, queries, keys)`."""
        return self.score_function(*self.projected(query, key))

    def projected(self, query: Any, key: Any) -> tuple[Any, ...]:
        """What the function of the score takes: queries, keys, and the weights of each pair."""
        if self.score == "general":
            return matmul(query, self.score_kernel), key
        if self.score == "additive":
            return self._hidden(query), self.keys(key), self.score_vector
        return query, key

    @property
    def score_function(self) -> Callable[..., Any]:
        """The score of what `projected` returns."""
        return _FUNCTIONS[self.score]

    def keys(self, key: Any) -> Any:
        """The part of the score that needs no query, once for all the queries of a loop."""
        return matmul(key, self.key_kernel) if self.score == "additive" else key

    def step_logits(self, query: Any, keys: Any) -> Any:
        """`(batch, width)` and what `keys` made of the keys to `(batch, keys)`.

        In a loop TensorFlow's XLA refuses the products of tensors of unequal rank in `logits`.
        """
        if self.score == "additive":
            pairs = tanh(ops.expand_dims(self._hidden(query), 1) + keys)
            return ops.sum(pairs * self.score_vector, axis=-1)
        if self.score == "general":
            query = matmul(query, self.score_kernel)
        fit = scores.scaled_dot if self.score == "scaled_dot" else scores.dot
        return ops.squeeze(fit(ops.expand_dims(query, 1), keys), 1)

    def _hidden(self, query: Any) -> Any:
        projected = matmul(query, self.query_kernel)
        return projected if self.score_bias is None else projected + self.score_bias
