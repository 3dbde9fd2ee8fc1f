"""What Keras's own layers keep to themselves: scores, and which of them belong to what sample."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
from keras import ops

from attention_zoo.layers import recorder

#: Keras's layers whose `call` takes `return_attention_scores`.
KERAS_LAYERS = (
    keras.layers.Attention,
    keras.layers.AdditiveAttention,
    keras.layers.MultiHeadAttention,
    keras.layers.GroupQueryAttention,
)


@contextlib.contextmanager
def opened(layers: Iterable[keras.layers.Layer]) -> Iterator[None]:
    """Inside the block, Keras's own attention layers among these report to the watcher, and
    `TimeDistributed` calls its layer once, on all steps; they answer as they always do."""
    changed: list[tuple[keras.layers.Layer, str]] = []
    try:
        for layer in layers:
            for name, method in _methods(layer).items():
                # Past __setattr__, which would track it as a part of the layer
                layer.__dict__[name] = functools.partial(method, layer)
                changed.append((layer, name))
        yield
    finally:
        for layer, name in changed:
            del layer.__dict__[name]


def _methods(layer: keras.layers.Layer) -> dict[str, Callable[..., Any]]:
    if isinstance(layer, keras.layers.TimeDistributed):
        return {"call": _all_steps}
    if not isinstance(layer, KERAS_LAYERS):
        return {}
    heads = isinstance(layer, (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention))
    inner = {"_masked_softmax": _softmax} if heads else {"_apply_scores": _apply_scores}
    return {"call": _call, **inner}


def _call(
    layer: keras.layers.Layer, *args: Any, return_attention_scores: bool = False, **kwargs: Any
) -> Any:
    outputs, scores = type(layer).call(layer, *args, return_attention_scores=True, **kwargs)
    recorder.record(layer, scores)
    return (outputs, scores) if return_attention_scores else outputs


def _softmax(layer: Any, logits: Any, attention_mask: Any = None) -> Any:
    scores = type(layer)._masked_softmax(layer, logits, attention_mask)
    return recorder.attended(layer, scores, attention_mask)


def _apply_scores(
    layer: Any, scores: Any, value: Any, scores_mask: Any = None, training: bool = False
) -> Any:
    outputs, own = type(layer)._apply_scores(layer, scores, value, scores_mask, training)
    others = recorder.attended(layer, own, scores_mask)
    return (outputs, own) if others is own else (ops.matmul(others, value), others)


def _all_steps(layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    # Keras's own way maps over the steps, where no score could get out
    steps = ops.shape(inputs)[1]
    kwargs = {}
    if layer.layer._call_has_mask_arg and mask is not None:
        kwargs["mask"] = ops.reshape(mask, (-1, *ops.shape(mask)[2:]))
    if layer.layer._call_has_training_arg:
        kwargs["training"] = training
    with recorder.folded(steps):
        rows = layer.layer.call(ops.reshape(inputs, (-1, *ops.shape(inputs)[2:])), **kwargs)
    return ops.reshape(rows, (-1, steps, *ops.shape(rows)[1:]))
