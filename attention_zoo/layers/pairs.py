"""What layers share that attend from a query sequence to a value sequence."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from attention_zoo.layers import query_value
from attention_zoo.layers.base import fixed_size, same_size
from attention_zoo.layers.scoring import ScoredAttention
from attention_zoo.ops import masks


class Pairs(NamedTuple):
    """Checked and silent tensors, and which query may see which key."""

    query: Any
    value: Any
    key: Any
    query_mask: Any
    visible: Any


class PairwiseAttention(ScoredAttention):
    """A layer that is called with a query, a value and optionally a key, all sequences."""

    kind = "sequence"
    window: int | None = None
    causal: bool = False

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
        visible = masks.pairwise(
            masks.length(query),
            masks.length(key),
            query_mask=query_mask,
            key_mask=key_mask,
            attention_mask=masks.standardize(attention_mask, square, name="attention_mask"),
            causal=self.causal,
            window=self.window,
        )
        query = masks.silence(query, query_mask)
        value, key = masks.silence(value, key_mask), masks.silence(key, key_mask)
        return Pairs(query, value, key, query_mask, visible)

    def compute_mask(self, query: Any, previous_mask: Any) -> Any:
        return previous_mask
