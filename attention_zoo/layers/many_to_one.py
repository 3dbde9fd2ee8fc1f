"""What LuongAttention and BahdanauAttention share: a query, or the last state, over a sequence."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops
from keras.src.backend.common.masking import set_keras_mask

from attention_zoo.core import checks
from attention_zoo.layers.pairwise import PairwiseAttention
from attention_zoo.layers.shapes import check_sequence, shape_of
from attention_zoo.ops import masks
from attention_zoo.ops.backend import matmul, tanh
from attention_zoo.ops.blockwise import Inputs


class ManyToOneAttention(PairwiseAttention):
    """Attends from a query, alone the last visible state, and returns tanh([context; query] C).

    Args:
        units: the width of the output.
        bidirectional: alone, take the query's first half from the last visible step and its
            second half from the first one, where the backward layer ends.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.
    """

    kind = "pool"
    score_axes = (("step",), ("query", "key"))

    def __init__(self, units: int = 128, bidirectional: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        checks.positive_int("units", units)
        checks.boolean("bidirectional", bidirectional)
        self.units = units
        self.bidirectional = bidirectional

    def build(
        self, query_shape: tuple, value_shape: tuple | None = None, key_shape: tuple | None = None
    ) -> None:
        self._build_widths(*self._checked(query_shape, value_shape, key_shape))
        if self.bidirectional and self._query_width % 2:
            raise ValueError(
                "bidirectional=True needs two halves of one width, as merge_mode='concat' of "
                f"keras.layers.Bidirectional makes them. Received: {self._query_width} features"
            )
        units = getattr(self, "attention_units", None)
        self._build_score(self._query_width, self._key_width, units)
        width = self._value_width + self._query_width
        self.output_kernel = self._add_kernel("output_kernel", (width, self.units))

    def call(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        mask: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        self._checked(*map(shape_of, (query, value, key)))
        several = value is not None and len(query.shape) == 3
        if value is None:
            self._refuse("needs a `value`", value_mask=value_mask, key_mask=key_mask)
            # Keras fills in `query_mask` where it sees two tensors, an explicit `mask` being one
            pairs = self._alone(query, query_mask if mask is None else mask)
        else:
            self._refuse("is for one tensor alone; beside it, use `value_mask`", mask=mask)
            if not several:
                query_mask = masks.standardize(query_mask, query.shape[:1], name="query_mask")
                query_mask = None if query_mask is None else ops.expand_dims(query_mask, 1)
                query = ops.expand_dims(query, 1)
            key = value if key is None else key
            pairs = self._pairs(query, value, key, query_mask, value_mask, key_mask)
        context, scores = self._attend_pairs(
            self._projected(pairs),
            return_attention_scores=return_attention_scores,
            training=training,
        )
        both = ops.concatenate([context, pairs.query], axis=-1)
        outputs = tanh(matmul(both, self.output_kernel))
        if not several:
            outputs = ops.squeeze(outputs, 1)
            scores = None if scores is None else ops.squeeze(scores, 1)
        elif pairs.query_mask is not None:
            # Keras gives `compute_mask` the query alone, from which it cannot tell
            set_keras_mask(outputs, pairs.query_mask)
        return self._finish(outputs, scores, return_attention_scores)

    def _alone(self, x: Any, mask: Any) -> Inputs:
        """A sequence as value and key, and its last visible state as the query."""
        x, mask = self._prepare(x, mask)
        query = _state(x, mask, last=True)
        if self.bidirectional:
            half = self._query_width // 2
            first = _state(x, mask, last=False)
            query = ops.concatenate([query[:, :half], first[:, half:]], axis=-1)
        return Inputs(ops.expand_dims(query, 1), x, x, key_mask=mask)

    def _checked(self, query: Any, value: Any = None, key: Any = None) -> tuple:
        """The three shapes, checked against each other; alone, the query's own for all."""
        if value is None:
            self._refuse("needs a `value`", key=key)
            check_sequence(self, query)
            value = query
        elif self.bidirectional:
            raise ValueError(
                f"{type(self).__name__} with bidirectional=True finds its query in the states, so "
                f"none can be given. Received: a query of shape {tuple(query)}"
            )
        key = value if key is None else key
        self._check(query, value, key)
        return query, value, key

    def _refuse(self, reason: str, **arguments: Any) -> None:
        for name, value in arguments.items():
            if value is not None:
                shape = getattr(value, "shape", value)
                raise ValueError(
                    f"`{name}` of {type(self).__name__} {reason}. "
                    f"Received: {name} of shape {tuple(shape)}"
                )

    def compute_output_shape(
        self, query_shape: tuple, value_shape: tuple | None = None, key_shape: tuple | None = None
    ) -> tuple:
        self._checked(query_shape, value_shape, key_shape)
        front = query_shape[:1] if value_shape is None else query_shape[:-1]
        return (*front, self.units)

    def compute_output_spec(self, query: Any, value: Any = None, *args: Any, **kwargs: Any) -> Any:
        found = super().compute_output_spec(query, value, *args, **kwargs)
        if value is not None and len(query.shape) == 3 and kwargs.get("query_mask") is not None:
            set_keras_mask(keras.tree.flatten(found)[0], kwargs["query_mask"])
        return found

    def _scores_shape(self, query: tuple, value: tuple | None = None, key: Any = None) -> tuple:
        return tuple(query[:2]) if value is None else (*query[:-1], value[1])


def _state(x: Any, mask: Any, *, last: bool) -> Any:
    """The state at the last (or first) visible step of each sample; zeros if there is none."""
    if x.shape[1] == 0:
        return ops.sum(x, axis=1)
    if mask is None:
        return x[:, -1] if last else x[:, 0]
    length = ops.shape(x)[1]
    steps = ops.expand_dims(ops.arange(length), 0)
    # Not `ops.max`, which refuses a batch of 0
    rank = ops.where(mask, steps + 1 if last else length - steps, 0)
    at = ops.argmax(rank, axis=1, keepdims=True)
    return ops.sum(masks.apply_mask(x, ops.logical_and(mask, ops.equal(steps, at))), axis=1)
