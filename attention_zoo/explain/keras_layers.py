"""The scores of Keras's own attention layers, which hand them out only to who asks."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from attention_zoo.layers.recorder import record

#: Keras's layers whose `call` takes `return_attention_scores`.
KERAS_LAYERS = (
    keras.layers.Attention,
    keras.layers.AdditiveAttention,
    keras.layers.MultiHeadAttention,
    keras.layers.GroupQueryAttention,
)


@contextlib.contextmanager
def recorded(layers: Iterable[keras.layers.Layer]) -> Iterator[None]:
    """Inside the block, Keras's own layers among these record the scores of each call, and answer
    as they always do."""
    own = [layer for layer in layers if isinstance(layer, KERAS_LAYERS)]
    for layer in own:
        # Past __setattr__, which would track it as a part of the layer
        layer.__dict__["call"] = functools.partial(_call, layer)
    try:
        yield
    finally:
        for layer in own:
            del layer.__dict__["call"]


def _call(
    layer: keras.layers.Layer, *args: Any, return_attention_scores: bool = False, **kwargs: Any
) -> Any:
    outputs, scores = type(layer).call(layer, *args, return_attention_scores=True, **kwargs)
    record(layer, scores)
    return (outputs, scores) if return_attention_scores else outputs
