"""A model whose outputs include its attention scores; Keras loads it as it loads the layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from attention_zoo.layers.keras_hooks import hooked
from attention_zoo.layers.linear_head import linear_head
from attention_zoo.layers.recorder import ScoreRecord, ScoreRecorder, recording
from attention_zoo.layers.register import serializable
from attention_zoo.layers.traversal import all_layers


def call_recorded(
    model: keras.Model,
    inputs: Any,
    *,
    training: bool | None = False,
    replace: Callable[[str], Any] | None = None,
) -> tuple[Any, dict[str, ScoreRecord]]:
    """A model's outputs, and the records of its attention layers by name, in the order of calls.

    Contributions are to the model's logits, and None where the model does not add them up.

    Args:
        model: a built model.
        inputs: tensors in the structure of its inputs.
        training: as in Keras.
        replace: called with the name of each record before its scores are applied; returns other
            scores, or None.
    """
    names = dict(_paths(model))

    def other(layer: Any, use: int, level: int) -> Any:
        name = _name(names, layer, use + 1)
        found = (replace(key) for key in (name, f"{name}/{level + 1}")) if replace else ()
        return next((scores for scores in found if scores is not None), None)

    recorder = ScoreRecorder(other if replace else None)
    with recording(recorder), hooked(all_layers(model)):
        outputs = model(inputs, training=training)
    records: dict[str, ScoreRecord] = {}
    uses: dict[int, int] = {}
    for record in recorder.records:
        if record.level in (None, 1):
            uses[id(record.layer)] = uses.get(id(record.layer), 0) + 1
        name = _name(names, record.layer, uses[id(record.layer)])
        records[name if record.level is None else f"{name}/{record.level}"] = record
    for name, record in records.items():
        if record.contributions is not None:
            once = uses[id(record.layer)] == 1 and not record.segments
            head = linear_head(model, record.layer) if once else None
            added = None if head is None else head.project(record.contributions)
            records[name] = record._replace(contributions=added)
    return outputs, records


def _name(names: dict[int, str], layer: Any, use: int) -> str:
    name = names.get(id(layer), layer.name)
    return name if use == 1 else f"{name}@{use}"


def _paths(parent: keras.layers.Layer, prefix: str = "") -> Iterator[tuple[int, str]]:
    """The name of each layer below `parent`, with those of the models and layers it is in."""
    for layer in all_layers(parent, include_self=False, recursive=False):
        # A wrapper adds no name: what it wraps has one
        path = prefix if isinstance(layer, keras.layers.Wrapper) else f"{prefix}{layer.name}/"
        yield from _paths(layer, path)
        yield id(layer), f"{prefix}{layer.name}"


@serializable
class ScoreModel(keras.Model):
    """A model that returns a dictionary: its predictions, then the scores of its attention layers.

    See `attention_zoo.with_scores`, which makes it a functional model where it can.

    Args:
        model: a built model with attention layers.
        contributions: whether what each step adds to the logits is an output too.
        **kwargs: `name`, as in every Keras model.

    Attributes:
        score_names: the names of the outputs with scores, `{layer name: output name}`, once the
            model has been called.
    """

    def __init__(self, model: keras.Model, contributions: bool = False, **kwargs: Any):
        # The dtype policy of the process must not touch the inputs of a model of another
        super().__init__(autocast=False, **{"name": model.name, **kwargs})
        self.model = model
        self.contributions = contributions
        # Past Keras's tracking, which would make a dictionary of layers of it
        self.__dict__.update(score_names={}, order=[])
        self.built = model.built

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        outputs, records = call_recorded(self.model, inputs, training=training)
        functional = isinstance(getattr(self.model, "output", None), Mapping)
        named = name_predictions(outputs, self.model.output if functional else outputs)
        for layer, record in records.items():
            self.score_names[layer] = name = f"attention_{plain(layer)}"
            found = {name: record.scores}
            if self.contributions and record.contributions is not None:
                found[f"contributions_{plain(layer)}"] = record.contributions
            for name, tensor in found.items():
                if name in named:
                    raise ValueError(
                        f"Two outputs would both be {name!r}: rename one of their layers."
                    )
                named[name] = tensor
        self.order[:] = named
        return named

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found = super().compute_output_spec(*args, **kwargs)
        return {name: found[name] for name in self.order}

    def get_config(self) -> dict[str, Any]:
        model = keras.saving.serialize_keras_object(self.model)
        return {"name": self.name, "model": model, "contributions": self.contributions}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> ScoreModel:
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        # Files of earlier versions have no contributions
        return cls(model, config.get("contributions", False), name=config["name"])


def name_predictions(outputs: Any, structure: Any) -> dict[str, Any]:
    """A model's outputs by name, in the order of `structure`, which tracing them loses.

    The names are those of a dictionary; else `predictions`, or `predictions_1` and so on for
    several.

    Raises:
        ValueError: if two names are the same in the formats that models are exported to.
    """
    if not isinstance(structure, Mapping):
        several = keras.tree.flatten(outputs)
        if len(several) == 1:
            return {"predictions": several[0]}
        return {f"predictions_{i}": output for i, output in enumerate(several, start=1)}
    named: dict[str, Any] = {}
    for key, inside in structure.items():
        nested = keras.tree.is_nested(inside)
        parts = name_predictions(outputs[key], inside) if nested else {"": outputs[key]}
        for part, tensor in parts.items():
            name = plain(f"{key}_{part}" if part else str(key))
            if name in named:
                raise ValueError(f"Two outputs would both be {name!r}: rename one of them.")
            named[name] = tensor
    return named


def plain(name: str) -> str:
    """A name that every format takes."""
    return re.sub(r"\W", "_", name)
