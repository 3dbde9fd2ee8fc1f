"""Attention of a query sequence over a key sequence, in memory linear in their lengths.

The queries are evaluated some at a time, each with all of its keys, and once more for the
gradients: the same arithmetic as the plain evaluation for every score, normalizer and mask. Under
a `window` each block sees only the keys within it, so that time too is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
from keras import ops

from attention_zoo.core.identity import by_identity
from attention_zoo.ops import fused, masks, normalizers
from attention_zoo.ops.backend import is_half, join, map_blocks, matmul, split
from attention_zoo.ops.dropout import dropout
from attention_zoo.ops.scores import TILE, additive, cells

#: Up to so many numbers the plain evaluation is faster.
PLAIN = 2**22
#: The gradients of the keys are added up once a block, which fewer rows would not be worth.
_FEWEST = 4


class Rule(NamedTuple):
    """How logits are made, normalized, dropped and applied: all that is no tensor.

    Attributes:
        score: `(query, key, *weights)` to logits.
        normalizer, temperature: as in `normalizers.normalize`.
        rate: the fraction of the scores dropped.
        causal, window: as in `masks.visible_pairs`.
        apply: `(scores, value)` to outputs.
    """

    score: Callable[..., Any]
    normalizer: normalizers.Spec = "softmax"
    temperature: float = 1.0
    rate: float = 0.0
    causal: bool = False
    window: int | None = None
    apply: Callable[[Any, Any], Any] = matmul


@by_identity
class Inputs(NamedTuple):
    """The tensors of a call; the last two axes of the first three are time and features.

    Attributes:
        query, key, value: `(batch, [heads,] time, features)`.
        query_mask, key_mask, attention_mask: as in `masks.visible_pairs`.
        weights: what the score takes beside the query and key.
        bias: added to the logits, broadcastable to them and of their rank, or None; of the
            query's dtype, or float32 beside one in half precision.
        seed: of the dropout, or None.
    """

    query: Any
    key: Any
    value: Any
    query_mask: Any = None
    key_mask: Any = None
    attention_mask: Any = None
    weights: tuple = ()
    bias: Any = None
    seed: Any = None


def plain(rule: Rule, inputs: Inputs) -> tuple[Any, Any]:
    """The outputs and the scores, all at once."""
    tensors = _tensors(inputs)
    logits, visible = _logits(rule, tensors, len(inputs.weights))
    scores = _normalized(rule, logits, visible, inputs.query.dtype)
    return rule.apply(_dropped(rule, scores, tensors), inputs.value), scores


def blockwise(rule: Rule, inputs: Inputs, rows: int, *, compiled: bool = False) -> Any:
    """The outputs alone, `rows` queries at a time; `compiled` as in `map_blocks`."""
    tensors, weights = _tensors(inputs), len(inputs.weights)
    dtype = inputs.query.dtype
    blocks = {
        name: split(tensors.pop(name), rows, axis)
        for name, axis in (("query", -2), ("query_steps", 0), ("query_mask", 1))
        if name in tensors
    }
    for name in ("attention_mask", "bias"):
        if name in tensors and tensors[name].shape[-2] != 1:
            blocks[name] = split(tensors.pop(name), rows)
    if banded(rule, inputs, rows):
        blocks |= _bands(rule, inputs, rows, tensors)
    names = [*blocks, *tensors]

    def block(*given: Any) -> Any:
        named = dict(zip(names, given, strict=True))
        logits, visible = _logits(rule, named, weights)
        divided = logits if rule.temperature == 1 else logits / rule.temperature
        if rule.normalizer != "softmax" or rule.apply is not matmul or is_half(dtype):
            scores = _normalized(rule, logits, visible, dtype)
            return rule.apply(_dropped(rule, scores, named), named["value"])
        # Divided by their sum after the product, the scores are gone through once less
        powers, total = normalizers.powers(divided, visible)
        return matmul(_dropped(rule, powers, named), named["value"]) / total

    outputs = map_blocks(block, list(blocks.values()), list(tensors.values()), compiled=compiled)
    return join(outputs, ops.shape(inputs.query)[-2])


def attend(rule: Rule, inputs: Inputs, *, scores: bool, training: bool = False) -> tuple[Any, Any]:
    """The outputs, and the scores if they are wanted, in the way that suits the shapes.

    Args:
        rule, inputs: what to evaluate.
        scores: whether the scores are wanted, which takes the whole tensor of them.
        training: whether gradients are likely to be.

    Returns:
        The outputs and the scores, or None in place of the scores.
    """
    if scores or _is_empty(inputs):
        return plain(rule, inputs)
    # In half precision the kernel rounds more than the plain evaluation does
    if _is_small(rule, inputs) and (is_half(inputs.query.dtype) or not fused.can(rule, inputs)):
        return plain(rule, inputs)
    if fused.can(rule, inputs):
        return fused.attend(rule, inputs), None
    lengths = inputs.query.shape[-2], inputs.key.shape[-2]
    compiled = training and None not in lengths
    return blockwise(rule, inputs, rows_of(rule, inputs), compiled=compiled), None


def rows_of(rule: Rule, inputs: Inputs) -> int:
    """How many queries to evaluate at once."""
    query, key = inputs.query, inputs.key
    # On torch the additive score goes through its pairs by itself
    wide = rule.score is additive and keras.backend.backend() != "torch"
    length = query.shape[-2] or 1024
    rows = max(_FEWEST, TILE // cells(query, key, width=wide, queries=1))
    if rule.window is not None:
        # Fewer would copy each key into many bands
        band = TILE * (key.shape[-2] or 1024) // (3 * rule.window)
        band //= cells(query, key, width=wide, queries=1)
        band = max(-(-rule.window // 2), min(rule.window, band))
        if banded(rule, inputs, band):
            rows = band
    return -(-length // -(-length // rows))


def banded(rule: Rule, inputs: Inputs, rows: int) -> bool:
    """Whether the window is so narrow that each block is evaluated with the keys in it alone."""
    length = inputs.key.shape[-2]
    if rule.window is None or None in (length, inputs.query.shape[-2]):
        return False
    if inputs.attention_mask is not None or inputs.bias is not None:
        return False
    return 2 * _span(rule, rows) < length


def _span(rule: Rule, rows: int) -> int:
    window = rule.window or 0
    return rows + window * (1 if rule.causal else 2)


def _bands(rule: Rule, inputs: Inputs, rows: int, tensors: dict[str, Any]) -> dict[str, Any]:
    """The keys and values that each block of queries sees, taken out of `tensors`."""
    span, before = _span(rule, rows), rule.window or 0
    length, count = inputs.key.shape[-2], -(-inputs.query.shape[-2] // rows)
    after = max(0, (count - 1) * rows + span - before - length)
    starts = ops.expand_dims(rows * ops.arange(count), 1)
    index = starts + ops.expand_dims(ops.arange(span), 0)

    def bands(x: Any, axis: int) -> Any:
        x = ops.pad(x, [[before, after] if i == axis else [0, 0] for i in range(len(x.shape))])
        return ops.moveaxis(ops.take(x, index, axis=axis), axis, 0)

    steps = index - before
    exist = ops.logical_and(steps >= 0, steps < length)
    key_mask = tensors.pop("key_mask", None)
    exist = ops.expand_dims(exist, 1)
    if key_mask is not None:
        exist = ops.logical_and(bands(key_mask, 1), exist)
    time = len(inputs.key.shape) - 2
    del tensors["key_steps"]
    return {
        "key": bands(tensors.pop("key"), time),
        "value": bands(tensors.pop("value"), len(inputs.value.shape) - 2),
        "key_mask": exist,
        "key_steps": steps,
    }


def _tensors(inputs: Inputs) -> dict[str, Any]:
    """What a block's evaluation takes, by name: the inputs that there are, and the steps."""
    named = {name: x for name, x in inputs._asdict().items() if x is not None}
    del named["weights"]
    named |= {f"weight_{i}": ops.convert_to_tensor(w) for i, w in enumerate(inputs.weights)}
    for name in ("query", "key"):
        named[f"{name}_steps"] = ops.arange(ops.shape(named[name])[-2])
    return named


def _logits(rule: Rule, tensors: Mapping[str, Any], weights: int) -> tuple[Any, Any]:
    """The logits, and which of them are visible, or None."""
    own = (tensors[f"weight_{i}"] for i in range(weights))
    logits = rule.score(tensors["query"], tensors["key"], *own)
    if "bias" in tensors:
        # In half precision the bias is in float32, and so is the sum
        logits = ops.cast(logits, tensors["bias"].dtype) + tensors["bias"]
    given = ("query_mask", "key_mask", "attention_mask", "query_steps", "key_steps")
    conditions = {name: tensors.get(name) for name in given}
    visible = masks.visible_pairs(**conditions, causal=rule.causal, window=rule.window)
    if visible is not None and len(visible.shape) < len(logits.shape):
        visible = ops.expand_dims(visible, 1)
    return logits, visible


def _normalized(rule: Rule, logits: Any, visible: Any, dtype: Any) -> Any:
    scores = normalizers.normalize(rule.normalizer, logits, visible, temperature=rule.temperature)
    return ops.cast(scores, dtype)


def _dropped(rule: Rule, scores: Any, tensors: Mapping[str, Any]) -> Any:
    if "seed" not in tensors:
        return scores
    return dropout(
        scores, rule.rate, tensors["seed"], (tensors["query_steps"], tensors["key_steps"])
    )


def _is_empty(inputs: Inputs) -> bool:
    return inputs.query.shape[0] == 0 or 0 in (inputs.query.shape[-2], inputs.key.shape[-2])


def _is_small(rule: Rule, inputs: Inputs) -> bool:
    query, key = inputs.query, inputs.key
    if None in (query.shape[-2], key.shape[-2]):
        return False
    return cells(query, key, width=rule.score is additive) <= PLAIN
