"""Hooks on Keras's own attention layers, which report their scores to no recorder themselves."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
from keras import ops

from attention_zoo.layers.recorder import ACTIVE, segmented

#: Keras's layers whose `call` takes `return_attention_scores`.
KERAS_LAYERS = (
    keras.layers.Attention,
    keras.layers.AdditiveAttention,
    keras.layers.MultiHeadAttention,
    keras.layers.GroupQueryAttention,
)

#: Every thread that calls the layer runs its hook: one thread at a time has hooks.
_ONE_THREAD = threading.RLock()


@contextlib.contextmanager
def hooked(layers: Iterable[keras.layers.Layer]) -> Iterator[None]:
    """Inside the block, Keras's own attention layers among these report to the recorder, and
    `TimeDistributed` calls its layer once, on all steps; their outputs stay as they are."""
    hooks = [(layer, *one) for layer in layers for one in _hooks(layer).items()]
    with contextlib.ExitStack() as stack:
        if hooks:
            stack.enter_context(_ONE_THREAD)
        for layer, name, method in hooks:
            stack.enter_context(hook(layer, name, functools.partial(method, layer)))
        yield


@contextlib.contextmanager
def hook(layer: keras.layers.Layer, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Inside the block, a method of this layer, and of no other, is another function."""
    # Past __setattr__, which would track it as a part of the layer
    before = layer.__dict__.get(name)
    layer.__dict__[name] = method
    try:
        yield
    finally:
        if before is None:
            del layer.__dict__[name]
        else:
            layer.__dict__[name] = before


def _hooks(layer: keras.layers.Layer) -> dict[str, Callable[..., Any]]:
    if isinstance(layer, keras.layers.TimeDistributed):
        return {"call": _all_steps}
    if not isinstance(layer, KERAS_LAYERS):
        return {}
    # `return_attention_scores` is the public way to the scores. To the mask behind them, and to
    # other scores in their place, Keras 3.15 has none: hence its private methods.
    heads = isinstance(layer, (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention))
    inner = {"_masked_softmax": _softmax} if heads else {"_apply_scores": _apply_scores}
    return {"call": _call, **inner}


def _call(
    layer: keras.layers.Layer, *args: Any, return_attention_scores: bool = False, **kwargs: Any
) -> Any:
    outputs, scores = type(layer).call(layer, *args, return_attention_scores=True, **kwargs)
    if (recorder := ACTIVE.get()) is not None:
        recorder.record(layer, scores)
    return (outputs, scores) if return_attention_scores else outputs


def _softmax(layer: Any, logits: Any, attention_mask: Any = None) -> Any:
    scores = type(layer)._masked_softmax(layer, logits, attention_mask)
    recorder = ACTIVE.get()
    return scores if recorder is None else recorder.intervene(layer, scores, attention_mask, -1)


def _apply_scores(
    layer: Any, scores: Any, value: Any, scores_mask: Any = None, training: bool = False
) -> Any:
    outputs, own = type(layer)._apply_scores(layer, scores, value, scores_mask, training)
    recorder = ACTIVE.get()
    others = own if recorder is None else recorder.intervene(layer, own, scores_mask, -1)
    return (outputs, own) if others is own else (ops.matmul(others, value), others)


def _all_steps(layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    # Keras's own way maps over the steps, out of which no score gets
    steps = ops.shape(inputs)[1]
    kwargs = {}
    if layer.layer._call_has_mask_arg and mask is not None:
        kwargs["mask"] = ops.reshape(mask, (-1, *ops.shape(mask)[2:]))
    if layer.layer._call_has_training_arg:
        kwargs["training"] = training
    with segmented(steps):
        rows = layer.layer.call(ops.reshape(inputs, (-1, *ops.shape(inputs)[2:])), **kwargs)
    return ops.reshape(rows, (-1, steps, *ops.shape(rows)[1:]))
