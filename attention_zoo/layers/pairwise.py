"""Layers with queries and keys: the weights of a score, and attention of queries over keys."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from keras import initializers, ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.recorder import ACTIVE
from attention_zoo.layers.shapes import check_fit, check_sequence, fixed_size, same_size, shape_of
from attention_zoo.ops import masks, scores
from attention_zoo.ops.backend import affine, matmul
from attention_zoo.ops.blockwise import Inputs, Rule, attend

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "dot": scores.dot,
    "scaled_dot": scores.scaled_dot,
    "general": scores.dot,
    "additive": scores.additive,
}
#: From so many GiB of scores on, a call that wants them says what they take.
_LARGE = 1.0


def check_score(score: Any, known: tuple[str, ...] = tuple(_FUNCTIONS)) -> None:
    """Refuse a name that is no score of queries and keys, with the nearest one."""
    if score not in known:
        raise one_of("score", score, known)


class ScoredAttention(AttentionLayer):
    """An attention layer with a `score` of queries and keys and its `units`.

    ```
    dot          q . k                        no weights; equal widths
    scaled_dot   q . k / sqrt(d)              no weights; equal widths
    general      q W . k                      score_kernel (query width, key width)
    additive     v . tanh(q W + k U + b)      query_kernel, key_kernel, score_bias, score_vector
    ```
    """

    score: str
    units: int | None

    def _build_score(self, query_width: int, key_width: int, units: int | None = None) -> None:
        """Make the weights that the score needs; `units` is the additive one's width."""
        if self.score == "general":
            self.score_kernel = self._add_kernel("score_kernel", (query_width, key_width))
        elif self.score == "additive":
            units = units or key_width
            self.query_kernel = self._add_kernel("query_kernel", (query_width, units))
            self.key_kernel = self._add_kernel("key_kernel", (key_width, units))
            self.score_bias = self._add_bias("score_bias", (units,))
            # A kernel's initializer may take matrices only
            drawn = initializers.GlorotUniform(getattr(self.kernel_initializer, "seed", None))
            self.score_vector = self._add_kernel("score_vector", (units,), drawn)
        elif query_width != key_width:
            raise ValueError(
                f"{type(self).__name__} with score={self.score!r} needs queries and keys of one "
                "width; score='general' or 'additive' takes any. "
                f"Received: query width {query_width}, key width {key_width}"
            )

    def _projected(self, inputs: Inputs) -> Inputs:
        """The inputs as the score's function takes them, with its weights."""
        if self.score == "general":
            return inputs._replace(query=matmul(inputs.query, self.score_kernel))
        if self.score == "additive":
            query = affine(inputs.query, self.query_kernel, self.score_bias)
            key = matmul(inputs.key, self.key_kernel)
            return inputs._replace(query=query, key=key, weights=(self.score_vector,))
        return inputs


class PairwiseAttention(ScoredAttention):
    """A layer that is called with a query, a value and optionally a key."""

    kind = "sequence"
    score_axes: ClassVar[tuple[tuple[str, ...], ...]] = (("query", "key"), ("head", "query", "key"))

    def _build_widths(self, query: tuple, value: tuple, key: tuple) -> None:
        """Check the shapes, and keep the widths that the layer is built for."""
        self._check(query, value, key)
        self._query_width = fixed_size(self, "query feature", query[-1])
        self._value_width = fixed_size(self, "value feature", value[-1])
        self._key_width = fixed_size(self, "key feature", key[-1])

    def _check(self, query: tuple, value: tuple, key: tuple) -> None:
        """Check the shapes against each other and, once built, against the widths built for."""
        if self.kind == "sequence":
            check_sequence(self, query)
        check_fit(self, query, value, key)
        if self.built:
            widths = {"query": self._query_width, "value": self._value_width}
            widths["key"] = self._key_width
            for (name, width), shape in zip(widths.items(), (query, value, key), strict=True):
                same_size(self, f"{name} features", width, shape[-1])

    def _pairs(
        self,
        query: Any,
        value: Any,
        key: Any,
        query_mask: Any,
        value_mask: Any,
        key_mask: Any,
        attention_mask: Any = None,
        heads: int | None = None,
    ) -> Inputs:
        """The call's tensors, checked, 0 where they are masked, and the masks."""
        self._check(*(shape_of(x) or () for x in (query, value, key)))
        query, value, key = map(self._cast, (query, value, key))
        query_mask = masks.standardize(query_mask, query.shape[:2], name="query_mask")
        value_mask = masks.standardize(value_mask, value.shape[:2], name="value_mask")
        key_mask = masks.standardize(key_mask, key.shape[:2], name="key_mask")
        key_mask = masks.both(value_mask, key_mask)
        sizes = (query.shape[0], heads, query.shape[1], key.shape[1])
        attention_mask = masks.standardize_pairs(attention_mask, sizes)
        masked = masks.apply_mask(value, key_mask)
        key = masked if key is value else masks.apply_mask(key, key_mask)
        query = masks.apply_mask(query, query_mask)
        return Inputs(query, key, masked, query_mask, key_mask, attention_mask)

    def _attend_pairs(
        self,
        inputs: Inputs,
        *,
        return_attention_scores: bool,
        training: bool | None,
        use_causal_mask: bool | None = None,
        score: Callable[..., Any] | None = None,
        apply: Callable[[Any, Any], Any] = matmul,
    ) -> tuple[Any, Any]:
        """The outputs, and the scores where they are wanted, else None.

        Args:
            inputs: what `_pairs` returned, projected.
            return_attention_scores, training: of the call.
            use_causal_mask: of the call; None is what the layer was made with.
            score: of what is projected; None is the layer's own.
            apply: the scores and the value to the outputs.
        """
        if use_causal_mask is None:
            use_causal_mask = getattr(self, "use_causal_mask", False)
        else:
            checks.boolean("use_causal_mask", use_causal_mask)
        recorder = ACTIVE.get()
        penalized = self.scores_regularizer is not None
        wanted = return_attention_scores or recorder is not None or penalized
        if wanted:
            self._warn_of_size(inputs.query, inputs.key)
        rule = Rule(
            score or _FUNCTIONS[self.score],
            self.normalizer,
            self.temperature,
            self.dropout,
            use_causal_mask,
            getattr(self, "window", None),
            apply,
        )
        inputs = inputs._replace(seed=self._dropout_seed(training))
        outputs, found = attend(rule, inputs, scores=wanted, training=bool(training))
        if recorder is not None:
            keys = None if inputs.key_mask is None else ops.expand_dims(inputs.key_mask, 1)
            others = recorder.intervene(self, found, keys, -1)
            if others is not found:
                outputs, found = apply(others, inputs.value), others
        return outputs, found

    def _warn_of_size(self, query: Any, key: Any) -> None:
        size = scores.cells(query, key) * 4 / 2**30
        if size > _LARGE:
            warnings.warn(
                f"The attention scores of {type(self).__name__} {self.name!r} take {size:.1f} GiB, "
                f"and several times as much while they are made, for {query.shape[-2]} queries and "
                f"{key.shape[-2]} keys. Without return_attention_scores, attention_scores() and "
                "scores_regularizer, memory is linear in the length.",
                stacklevel=2,
            )
