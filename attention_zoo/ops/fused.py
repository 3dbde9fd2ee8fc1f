"""The backends' own kernels, where they compute the same attention and are faster."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from attention_zoo.ops import masks, scores
from attention_zoo.ops.backend import matmul

_SCALES = {scores.dot: lambda width: 1.0, scores.scaled_dot: lambda width: 1 / math.sqrt(width)}


def can(rule: Any, inputs: Any) -> bool:
    """Whether torch's kernel computes this rule: a softmax of products, whose mask is linear in
    the lengths. (On CPU that of JAX holds the whole tensor of the scores.)"""
    return (
        keras.backend.backend() == "torch"
        and rule.score in _SCALES
        and rule.normalizer == "softmax"
        and rule.apply is matmul
        and rule.window is None
        and inputs.seed is None
        and inputs.attention_mask is None
        and inputs.bias is None
        and not (rule.causal and (inputs.key_mask is not None or _lengths_differ(inputs)))
    )


def attend(rule: Any, inputs: Any) -> Any:
    """The outputs of `can`'s rules."""
    from attention_zoo.ops.backend_torch import fused_attention

    visible, rows = inputs.key_mask, inputs.query_mask
    heads = len(inputs.query.shape) == 4
    if visible is not None:
        some = ops.any(visible, axis=-1, keepdims=True)
        rows = masks.both(rows, some)
        # Where nothing is visible, the kernel gives NaN
        visible = ops.logical_or(visible, ops.logical_not(some))[:, None, None, :]
    query, key, value = (
        x if heads else ops.expand_dims(x, 1) for x in (inputs.query, inputs.key, inputs.value)
    )
    scale = _SCALES[rule.score](query.shape[-1]) / rule.temperature

    outputs = fused_attention(query, key, value, visible, rule.causal, scale)
    if rows is not None:
        outputs = ops.where(rows[:, None, :, None], outputs, ops.zeros((), outputs.dtype))
    return outputs if heads else ops.squeeze(outputs, 1)


def _lengths_differ(inputs: Any) -> bool:
    return inputs.query.shape[-2] != inputs.key.shape[-2]
