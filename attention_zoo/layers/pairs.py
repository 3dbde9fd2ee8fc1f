"""What layers share that attend from a query sequence to a value sequence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.layers import query_value, recorder
from attention_zoo.layers.base import fixed_size, same_size
from attention_zoo.layers.scoring import ScoredAttention
from attention_zoo.ops import masks
from attention_zoo.ops.arithmetic import matmul
from attention_zoo.ops.blockwise import Inputs, Rule, attend
from attention_zoo.ops.scores import cells

#: From so many GiB of scores on, a call that wants them says what they take.
_LARGE = 1.0


@by_identity
class Pairs(NamedTuple):
    """Checked and silent tensors, and the masks that say which query may see which key."""

    query: Any
    value: Any
    key: Any
    query_mask: Any
    key_mask: Any
    attention_mask: Any


class PairwiseAttention(ScoredAttention):
    """A layer that is called with a query, a value and optionally a key, all sequences."""

    kind = "sequence"
    score_axes = (("query", "key"), ("head", "query", "key"))
    window: int | None = None
    use_causal_mask: bool = False

    def remember_widths(self, query: tuple, value: tuple, key: tuple) -> None:
        """Check the shapes against each other and keep their widths."""
        if len(query) != 3:
            query_value.check_sequence(self, query)
        query_value.check_fit(self, query, value, key)
        self.query_width = fixed_size(self, "query feature", query[2])
        self.value_width = fixed_size(self, "value feature", value[2])
        self.key_width = fixed_size(self, "key feature", key[2])

    def pairs(
        self, query: Any, value: Any, key: Any, query_mask: Any, value_mask: Any, key_mask: Any,
        attention_mask: Any,
    ) -> Pairs:  # fmt: skip
        """The call's tensors, ready to be attended."""
        shapes = [query_value.shape_of(x) or () for x in (query, value, key)]
        query_value.check_fit(self, *shapes)
        widths = (self.query_width, self.value_width, self.key_width)
        for name, width, shape in zip(("query", "value", "key"), widths, shapes, strict=True):
            same_size(self, f"{name} features", width, shape[-1])
        query, value, key = map(self.cast_inputs, (query, value, key))
        query_mask = masks.standardize(query_mask, query.shape[:2], name="query_mask")
        value_mask = masks.standardize(value_mask, value.shape[:2], name="value_mask")
        key_mask = masks.standardize(key_mask, key.shape[:2], name="key_mask")
        if value_mask is not None and key_mask is not None:
            key_mask = ops.logical_and(value_mask, key_mask)
        elif key_mask is None:
            key_mask = value_mask
        square = (query.shape[0], query.shape[1], key.shape[1])
        attention_mask = masks.standardize(attention_mask, square, name="attention_mask")
        query = masks.silence(query, query_mask)
        silent = masks.silence(value, key_mask)
        key = silent if key is value else masks.silence(key, key_mask)
        return Pairs(query, silent, key, query_mask, key_mask, attention_mask)

    def look(
        self,
        seen: Pairs,
        projected: tuple[Any, ...],
        value: Any,
        score: Callable[..., Any],
        *,
        asked: bool,
        training: bool | None,
        causal: bool | None = None,
        bias: Any = None,
        apply: Callable[[Any, Any], Any] = matmul,
    ) -> tuple[Any, Any]:
        """The outputs, and the scores where somebody wants them, else None.

        Args:
            seen: what `pairs` returned, for its masks.
            projected: queries and keys, `(batch, [heads,] time, width)`, and the score's weights.
            value: `(batch, [heads,] keys, width)`.
            score: of what is projected.
            asked: whether the caller wants the scores.
            training: whether dropout is applied.
            causal: whether query i sees only keys up to i; None is what the layer was made with.
            bias: added to the logits, or None.
            apply: the scores and the value to the outputs.
        """
        query, key, *weights = projected
        if causal is not None:
            checks.boolean("use_causal_mask", causal)
        active = recorder.active()
        wanted = asked or active is not None or self.scores_regularizer is not None
        if wanted:
            self._warn_of_size(query, key)
        causal = self.use_causal_mask if causal is None else causal
        rule = Rule(
            score, self.normalizer, self.temperature, self.dropout, causal, self.window, apply
        )
        masked = (seen.query_mask, seen.key_mask, seen.attention_mask)
        inputs = Inputs(
            query, key, value, tuple(weights), *masked, bias, self.dropout_seed(training)
        )
        outputs, scores = attend(rule, inputs, scores=wanted, training=bool(training))
        if active is not None:
            keys = None if seen.key_mask is None else ops.expand_dims(seen.key_mask, 1)
            others = active.intervene(self, scores, keys, -1)
            if others is not scores:
                outputs, scores = apply(others, value), others
        return outputs, scores

    def _warn_of_size(self, query: Any, key: Any) -> None:
        size = cells(query, key) * 4 / 2**30
        if size > _LARGE:
            warnings.warn(
                f"The attention scores of {type(self).__name__} {self.name!r} take {size:.1f} GiB, "
                f"and several times as much while they are made, for {query.shape[-2]} queries and "
                f"{key.shape[-2]} keys. Without return_attention_scores, attention_scores() and "
                "scores_regularizer, memory is linear in the length.",
                stacklevel=2,
            )

    def compute_mask(self, query: Any, previous_mask: Any) -> Any:
        return previous_mask
