"""What LuongAttention and BahdanauAttention share: a query, or the last state, over a sequence."""

from __future__ import annotations

from typing import Any

from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers import query_value
from attention_zoo.layers.base import fixed_size, same_size
from attention_zoo.layers.scoring import ScoredAttention
from attention_zoo.ops import masks
from attention_zoo.ops.arithmetic import matmul, tanh


class ManyToOneAttention(ScoredAttention):
    """Attends from a query, alone the last visible state, and answers with tanh([context; query]).

    Args:
        units: the width of the output.
        bidirectional: alone, take the query's first half from the last visible step and its
            second half from the first one, where the backward layer ends.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.
    """

    kind = "pool"
    score_axes = (("step",), ("query", "key"))
    attention_units: int | None = None

    def __init__(self, units: int = 128, bidirectional: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        checks.positive_int("units", units)
        checks.boolean("bidirectional", bidirectional)
        self.units = units
        self.bidirectional = bidirectional
        self._sequence = False

    def build(
        self, query_shape: tuple, value_shape: tuple | None = None, key_shape: tuple | None = None
    ) -> None:
        query, value, key = self._shapes(query_shape, value_shape, key_shape)
        self.query_width = fixed_size(self, "query feature", query[-1])
        self.value_width = fixed_size(self, "value feature", value[-1])
        self.key_width = fixed_size(self, "key feature", key[-1])
        if self.bidirectional and self.query_width % 2:
            raise ValueError(
                "bidirectional=True needs two halves of one width, as merge_mode='concat' of "
                f"keras.layers.Bidirectional makes them. Received: {self.query_width} features"
            )
        self.build_score(self.query_width, self.key_width, self.attention_units or self.key_width)
        self.output_kernel = self.add_kernel(
            "output_kernel", (self.value_width + self.query_width, self.units)
        )

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
        shapes = self._shapes(*map(query_value.shape_of, (query, value, key)))
        self._check_built(shapes)
        self._sequence = value is not None and len(query.shape) == 3
        if value is None:
            # Keras fills in `query_mask` where it sees two tensors, an explicit `mask` being one
            mask = query_mask if mask is None else mask
            self._refuse("needs a `value`", value_mask=value_mask, key_mask=key_mask)
            query, value, key, visible = self._alone(query, mask)
        else:
            self._refuse("is for one tensor alone; beside it, use `value_mask`", mask=mask)
            query, value, key, visible = self._given(
                query, value, key, query_mask, value_mask, key_mask
            )
        scores = self.attend(self.logits(query, key), visible)
        context = matmul(self.drop(scores, training), value)
        both = ops.concatenate([context, query], axis=-1)
        outputs = tanh(matmul(both, self.output_kernel))
        if not self._sequence:
            outputs, scores = ops.squeeze(outputs, 1), ops.squeeze(scores, 1)
        return self.finish(outputs, scores, return_attention_scores)

    def _alone(self, x: Any, mask: Any) -> tuple:
        x = self.cast_inputs(x)
        mask = masks.standardize(mask, x.shape[:2])
        x = masks.silence(x, mask)
        query = _state(x, mask, last=True)
        if self.bidirectional:
            half = self.query_width // 2
            first = _state(x, mask, last=False)
            query = ops.concatenate([query[:, :half], first[:, half:]], axis=-1)
        return ops.expand_dims(query, 1), x, x, masks.Pairwise(keys=mask).visible()

    def _given(
        self, query: Any, value: Any, key: Any, query_mask: Any, value_mask: Any, key_mask: Any
    ) -> tuple:
        query, value = self.cast_inputs(query), self.cast_inputs(value)
        key = value if key is None else self.cast_inputs(key)
        query_mask = masks.standardize(query_mask, query.shape[:-1], name="query_mask")
        value_mask = masks.standardize(value_mask, value.shape[:2], name="value_mask")
        key_mask = masks.standardize(key_mask, key.shape[:2], name="key_mask")
        if value_mask is None or key_mask is None:
            visible = key_mask if value_mask is None else value_mask
        else:
            visible = ops.logical_and(value_mask, key_mask)
        query = masks.silence(query, query_mask)
        value, key = masks.silence(value, visible), masks.silence(key, visible)
        if not self._sequence:
            query = ops.expand_dims(query, 1)
            query_mask = None if query_mask is None else ops.expand_dims(query_mask, 1)
        pairs = masks.Pairwise(queries=query_mask, keys=visible).visible()
        return query, value, key, pairs

    def _shapes(self, query: Any, value: Any = None, key: Any = None) -> tuple:
        """The three shapes, checked against each other; alone, the query's own for all."""
        if value is None:
            self._refuse("needs a `value`", key=key)
            query_value.check_sequence(self, query)
            return query, query, query
        key = value if key is None else key
        query_value.check_fit(self, query, value, key)
        if self.bidirectional:
            raise ValueError(
                f"{type(self).__name__} with bidirectional=True finds its query in the states, so "
                f"none can be given. Received: a query of shape {tuple(query)}"
            )
        return query, value, key

    def _check_built(self, shapes: tuple) -> None:
        built = {"query": self.query_width, "value": self.value_width, "key": self.key_width}
        for (name, width), shape in zip(built.items(), shapes, strict=True):
            same_size(self, f"{name} features", width, shape[-1])

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
        if value_shape is None:
            return (query_shape[0], self.units)
        return (*query_shape[:-1], self.units)

    def compute_scores_shape(self, query_shape: tuple, value_shape: tuple | None = None) -> tuple:
        if value_shape is None:
            return tuple(query_shape[:2])
        return (*query_shape[:-1], value_shape[1])

    def compute_output_spec(
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
        given = list(map(query_value.shape_of, (query, value, key)))
        self._check_built(self._shapes(*given))
        self._sequence = value is not None and len(query.shape) == 3
        outputs = self.spec(self.compute_output_shape(*given))
        if not return_attention_scores:
            return outputs
        return outputs, self.spec(self.compute_scores_shape(*given[:2]))

    def compute_mask(self, query: Any, previous_mask: Any) -> Any:
        return previous_mask if self._sequence else None


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
    return ops.sum(masks.silence(x, ops.logical_and(mask, ops.equal(steps, at))), axis=1)
