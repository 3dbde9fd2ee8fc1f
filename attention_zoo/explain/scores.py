"""The attention of a model on data, from one pass over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from attention_zoo.core import arrays, checks
from attention_zoo.explain.keras_layers import KERAS_LAYERS, recorded
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.recorder import recording


class _Watched(keras.Model):
    """A model that also returns the scores of its attention layers, by layer name."""

    def __init__(self, model: keras.Model):
        super().__init__(name="watched")
        self.model = model

    def call(self, inputs: Any) -> Any:
        flat = list(self.model._flatten_layers())
        with recording() as calls, recorded(flat):
            outputs = self.model(inputs, training=False)
        scores: dict[str, Any] = {}
        uses: dict[str, int] = {}
        for layer, layer_scores in calls:
            uses[layer.name] = uses.get(layer.name, 0) + 1
            name = layer.name if uses[layer.name] == 1 else f"{layer.name}@{uses[layer.name]}"
            if isinstance(layer_scores, tuple):
                scores |= {f"{name}/{i}": level for i, level in enumerate(layer_scores, start=1)}
            else:
                scores[name] = layer_scores
        return {"predictions": outputs, "scores": scores}


def check_inputs(model: keras.Model, x: Any) -> Any:
    """`x` as samples that the model can take: an array, or a list of them where the model has
    several inputs, whose names a dictionary may give; ValueError says what it expects."""
    inputs = getattr(model, "inputs", None) or [None]
    if len(inputs) == 1:
        return _checked("x", inputs[0], x)
    names = [tensor.name for tensor in inputs]
    if isinstance(x, Mapping):
        if set(x) != set(names):
            raise ValueError(f"`x` must have the inputs {names}. Received: {list(x)}")
        x = [x[name] for name in names]
    if not isinstance(x, (list, tuple)) or len(x) != len(names):
        received = f"{len(x)} arrays" if isinstance(x, (list, tuple)) else type(x).__name__
        raise ValueError(f"`x` must be a list of the inputs {names}. Received: {received}")
    arrays_of = [_checked(f"x, {n}", t, v) for n, t, v in zip(names, inputs, x, strict=True)]
    if len({len(array) for array in arrays_of}) > 1:
        raise ValueError(
            f"`x` must have as many samples in each input. Received: {[len(a) for a in arrays_of]}"
        )
    return arrays_of


def _checked(name: str, tensor: Any, x: Any) -> np.ndarray:
    array = arrays.numeric(name, x)
    if tensor is not None:
        arrays.fits(name, array, tuple(tensor.shape[1:]))
    arrays.finite(name, array)
    return array


def watch(model: keras.Model, x: Any, batch_size: int = 256) -> dict[str, Any]:
    """The model's predictions and its attention scores, from the same pass over `x`.

    Args:
        model: a built model with attention layers, ours or Keras's own.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        batch_size: how many samples go through at once.

    Returns:
        `{"predictions": array, "scores": {layer name: array}}`.

    Raises:
        ValueError: if the model is not built, has no attention layer, or x does not fit it.
    """
    checks.positive_int("batch_size", batch_size)
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a keras.Model. Received: {type(model).__name__}")
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} is not built yet: call it once, or give it an Input."
        )
    flat = list(model._flatten_layers(include_self=False))
    if not any(isinstance(layer, (AttentionLayer, *KERAS_LAYERS)) for layer in flat):
        raise ValueError(
            f"The model {model.name!r} has no attention layer. Its layers are: "
            f"{', '.join(f'{layer.name} ({type(layer).__name__})' for layer in flat)}"
        )
    return _watched(model).predict(check_inputs(model, x), batch_size=batch_size, verbose=0)


_WATCHED: WeakKeyDictionary[keras.Model, tuple[_Watched, Any]] = WeakKeyDictionary()


def _watched(model: keras.Model) -> _Watched:
    """The model's watcher, compiled once for as long as a functional model lives.

    It watches a twin made of the same layers, since one that held the model would keep it alive.
    """
    if not (type(model).__module__.startswith("keras.") and model.inputs):
        return _Watched(model)
    known, graph = _WATCHED.get(model, (None, None))
    if known is None or graph is not model.outputs[0]:
        if isinstance(model, keras.Sequential):
            twin = keras.Model(model.inputs[0], model.outputs[0])
        else:
            twin = keras.Model(model.input, model.output)
        known = _Watched(twin)
        _WATCHED[model] = known, model.outputs[0]
    return known


def attention_scores(model: keras.Model, x: Any, batch_size: int = 256) -> dict[str, np.ndarray]:
    """Where a model looks: the scores of each of its attention layers on `x`.

    One pass over the data in batches; the model is left as it is. The scores are those that
    `predict` uses: 1 in sum over what is visible, exactly 0 on padding.

    Args:
        model: a built Keras model, trained or loaded, with attention layers of ours or Keras's
            own `Attention`, `AdditiveAttention`, `MultiHeadAttention`, `GroupQueryAttention`.
        x: an array `(samples, ...)` that fits the model's input; for a model of several inputs a
            list of arrays, or a dictionary by the inputs' names.
        batch_size: how many samples go through at once.

    Returns:
        `{layer name: array (samples, ...)}`, shaped as the layer's `return_attention_scores`. A
        layer that is used more than once has further entries `name@2`, `name@3`; one that attends
        on several levels has one a level, `name/1`, `name/2`.

    Raises:
        ValueError: if the model is not built, has no attention layer, or x does not fit it.

    Example:

    >>> model = az.load("lstm_after")
    >>> x, y, relevance = az.tasks.get("planted_step").sample(3, split="test")
    >>> {name: scores.shape for name, scores in az.attention_scores(model, x).items()}
    {'attention': (3, 20)}
    """
    return watch(model, x, batch_size)["scores"]
