"""One pass of a model over data, with what its attention layers do on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.capture.inputs import arranged, check_built, check_inputs, does_not_fit
from attention_zoo.capture.keras_layers import KERAS_LAYERS, opened
from attention_zoo.capture.running import batch_of, left_as_it_was
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.layers.attention_decoder import AttentionDecoder
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.recorder import Seen, Watcher, watching

#: What attends.
_KINDS = (AttentionLayer, *KERAS_LAYERS)


@by_identity
class Look(NamedTuple):
    """What was seen in one pass over the data.

    Attributes:
        predictions: the model's outputs.
        scores: `{layer name: array (samples, ...)}`.
        masks: what each layer could attend to, `{layer name: booleans (samples, [segments,]
            indices)}`; without the layers that saw no mask.
        axes: what the axes of the scores after the samples are, `{layer name: names}`.
        attended: which of those sums to 1, `{layer name: name}`.
    """

    predictions: Any
    scores: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    axes: dict[str, tuple[str, ...]]
    attended: dict[str, str]


class Watched(keras.Model):
    """A model that also returns the scores of its attention layers, by layer name; called on a
    pair, it takes the scores of some layers from the second of the two."""

    def __init__(self, model: keras.Model, *, replaces: bool = False):
        # What the process's dtype policy is must not touch the inputs of a model of another
        super().__init__(name="watched", autocast=False)
        self.model = model
        # Past Keras's tracking: what the last tracing found out
        self.__dict__["axes"] = {}
        self.__dict__["attended"] = {}
        self.__dict__["replaced"] = set()
        self.__dict__["replaces"] = replaces
        # Else JAX builds it by a call on the first batch, each operation compiled by itself
        self.built = model.built

    def predict(self, x: Any, batch_size: int = 256, **kwargs: Any) -> Any:
        with left_as_it_was(self.model):
            return super().predict(x, batch_size=batch_of(self.model, batch_size), **kwargs)

    def call(self, inputs: Any) -> Any:
        names = dict(_paths(self.model))
        inputs, others = inputs if self.replaces else (inputs, {})

        def replace(layer: Any, use: int, level: int) -> Any:
            name = _name(names, layer, use + 1)
            for key in (name, f"{name}/{level + 1}"):
                if key in others:
                    self.replaced.add(key)
                    return others[key]
            return None

        watcher = Watcher(replace if self.replaces else None)
        with watching(watcher), opened(self.model._flatten_layers()):
            outputs = self.model(arranged(self.model, inputs), training=False)
        found = {"predictions": outputs, "scores": {}, "masks": {}}
        uses: dict[int, int] = {}
        for seen in watcher.seen:
            if seen.level in (None, 1):
                uses[id(seen.layer)] = uses.get(id(seen.layer), 0) + 1
            name = _name(names, seen.layer, uses[id(seen.layer)])
            name = name if seen.level is None else f"{name}/{seen.level}"
            found["scores"][name] = seen.scores
            if seen.visible is not None:
                found["masks"][name] = seen.visible
            self.axes[name], self.attended[name] = _axes(seen)
        return found


def _name(names: dict[int, str], layer: Any, use: int) -> str:
    name = names.get(id(layer), layer.name)
    return name if use == 1 else f"{name}@{use}"


def _paths(parent: keras.layers.Layer, prefix: str = "") -> Iterator[tuple[int, str]]:
    """The name of each layer below `parent`, with those of the models and layers it is in."""
    for layer in parent._flatten_layers(include_self=False, recursive=False):
        # A wrapper is no place of its own: what it wraps has the name
        path = prefix if isinstance(layer, keras.layers.Wrapper) else f"{prefix}{layer.name}/"
        yield from _paths(layer, path)
        yield id(layer), f"{prefix}{layer.name}"


def _axes(seen: Seen) -> tuple[tuple[str, ...], str]:
    """The names of the axes of the scores, and of the one that is attended over."""
    own = len(seen.scores.shape) - 1 - seen.segments
    layer = seen.layer
    choices = getattr(layer, "score_axes", (("query", "key"), ("head", "query", "key")))
    names = next((axes for axes in choices if len(axes) == own), None)
    if names is None:
        names = tuple(f"axis {i}" for i in range(1, own + 1))
    attended = getattr(layer, "attended_axis", None) or names[-1]
    segments = tuple("segment" if i == 0 else f"segment {i + 1}" for i in range(seen.segments))
    return segments + names, attended if attended in names else names[-1]


def has_attention(model: keras.Model) -> bool:
    """Whether any layer in the model, however deep, is an attention layer."""
    return any(isinstance(layer, _KINDS) for layer in model._flatten_layers(include_self=False))


def check_model(model: Any) -> None:
    """TypeError for what is no model, ValueError for one that is not built, attends nowhere, or
    where no scores can be read."""
    check_built(model)
    if not has_attention(model):
        flat = model._flatten_layers(include_self=False)
        raise ValueError(
            f"The model {model.name!r} has no attention layer. Its layers are: "
            f"{', '.join(f'{layer.name} ({type(layer).__name__})' for layer in flat)}"
        )
    for loop in model._flatten_layers(include_self=False):
        if not isinstance(loop, (keras.layers.RNN, AttentionDecoder)):
            continue
        inside = [layer for layer in loop.cell._flatten_layers() if isinstance(layer, _KINDS)]
        if inside:
            raise ValueError(
                f"The attention layer {inside[0].name!r} is called inside the cell of "
                f"{loop.name!r}, once a step of its loop, from where no scores get out. Attend "
                "before or after the recurrent layer, or take an AttentionDecoder, which attends "
                "to a memory at each step."
            )


def watch(model: keras.Model, x: Any, batch_size: int = 256) -> Look:
    """The model's predictions and its attention scores, from the same pass over `x`.

    Args:
        model: a built model with attention layers, ours or Keras's own.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        batch_size: how many samples go through at once.

    Raises:
        ValueError: if the model is not built, has no attention layer, or x does not fit it.
    """
    checks.positive_int("batch_size", batch_size)
    check_model(model)
    watcher = watched(model)
    x = check_inputs(model, x)
    try:
        found = keras.tree.map_structure(
            _readable, watcher.predict(x, batch_size=batch_size, verbose=0)
        )
    except (ValueError, TypeError, RuntimeError, LookupError, AttributeError) as error:
        if getattr(model, "inputs", None):
            raise
        # What a subclassed model takes is not known before it is tried
        raise ValueError(does_not_fit(model, x)) from error
    # In the order of the calls, which compilers do not keep
    names = [name for name in watcher.axes if name in found["scores"]]
    return Look(
        found["predictions"],
        {name: found["scores"][name] for name in names},
        {name: found["masks"][name] for name in names if name in found["masks"]},
        {name: watcher.axes[name] for name in names},
        {name: watcher.attended[name] for name in names},
    )


def _readable(array: np.ndarray) -> np.ndarray:
    """NumPy itself does not know bfloat16: files and tables would not take it."""
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


_WATCHED: WeakKeyDictionary[keras.Model, dict[bool, tuple[Watched, Any, Any]]] = WeakKeyDictionary()


def watched(model: keras.Model, *, replaces: bool = False) -> Watched:
    """The model's watcher, compiled once for as long as a functional model lives, and anew when
    its `Normalization` is adapted.

    It watches a twin made of the same layers, since one that held the model would keep it alive.
    """
    if not (type(model).__module__.startswith("keras.") and model.inputs):
        return Watched(model, replaces=replaces)
    watchers = _WATCHED.setdefault(model, {})
    known, graph, constants = watchers.get(replaces, (None, None, None))
    now = models.constants(model)
    if known is None or graph is not model.outputs[0] or constants != now:
        # Of a list, since Keras warns where the names of a dictionary are not those of the tensors
        outputs = model.outputs[0] if isinstance(model, keras.Sequential) else model.output
        twin = keras.Model(model.inputs, outputs)
        known = Watched(twin, replaces=replaces)
        watchers[replaces] = known, model.outputs[0], now
    return known
