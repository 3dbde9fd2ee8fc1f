"""From the names of architectures and attention layers, and the table of knobs, to a space."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner

from attention_zoo.catalog import LAYERS, MODELS
from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.tuning.knobs import Entry, Knob
from attention_zoo.tuning.space import NO_ATTENTION, SearchSpace
from attention_zoo.tuning.spaces import ATTENTION, FACTORIES, TRAINING, LayerSpace
from attention_zoo.tuning.spaces import LAYERS as LAYER_SPACES


def make_space(
    architectures: Sequence[str],
    attention: str | Sequence[str] | None = None,
    space: Mapping[str, Any] | None = None,
    any_length: bool = False,
) -> SearchSpace:
    """The search space of some architectures and attention layers.

    Args:
        architectures: names of factories.
        attention: the attention layers to choose from, by name, `"none"` for none at all; by
            default each architecture's own layer and every other that fits its place.
        space: by an entry's full name, what replaces its values: one value (which is then fixed),
            a list of values, a range `(low, high)`, or a KerasTuner hyperparameter.
        any_length: whether the series have no fixed number of steps: what needs one is left out.

    Raises:
        ValueError: for an unknown architecture, layer or name, a layer that fits none of the
            architectures, or values of another type.
    """
    for name in architectures:
        if name not in FACTORIES:
            MODELS.get(name)
            raise ValueError(f"{name!r} has no row in the table of knobs, so it is not tunable.")
    wanted = None if attention is None else checks.names("attention", attention)
    for name in wanted or ():
        if name != NO_ATTENTION:
            LAYERS.get(name)
    entries = _Entries()
    if len(architectures) > 1:
        entries.add("architecture", _names(tuple(architectures), architectures[0]))
    places: dict[str, list[str]] = {}
    for name in architectures:
        places.setdefault(FACTORIES[name].place, []).append(name)
        entries.add_all(name, FACTORIES[name].knobs, _of(architectures, [name]))
    named: dict[str, str] = {}
    for place, members in places.items():
        entry = "attention" if len(places) == 1 else f"attention_{place}"
        named.update(dict.fromkeys(members, entry))
        kinds = _kinds(place, members[0], wanted)
        _add_attention(entries, entry, kinds, _of(architectures, members), any_length)
    for knob in TRAINING:
        entries.add(knob.name, knob)
    return SearchSpace(
        tuple(architectures), _replaced(entries, {} if space is None else space), named
    )


class _Entries(dict[str, Entry]):
    """Entries in the order in which they depend on each other."""

    def add(self, name: str, knob: Knob, *conditions: tuple[str, tuple[Any, ...]]) -> None:
        self[name] = Entry(name, knob, tuple(conditions))

    def add_all(
        self, prefix: str, knobs: Sequence[Knob], above: tuple[tuple[str, tuple[Any, ...]], ...]
    ) -> None:
        for knob in knobs:
            beside = ((f"{prefix}/{knob.when[0]}", knob.when[1]),) if knob.when else ()
            self.add(f"{prefix}/{knob.name}", knob, *above, *beside)


def _of(known: Sequence[str], some: Sequence[str]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The condition that the architecture is one of some; none where all are."""
    return (("architecture", tuple(some)),) if len(some) < len(known) else ()


def _names(values: tuple[str, ...], default: str) -> Knob:
    return Knob("name", default if default in values else values[0], values)


def _kinds(place: str, architecture: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The layers that fit a place, the factory's own first."""
    own = inspect.signature(MODELS.get(architecture)).parameters["attention"].default
    fit = [own, *(n for n, row in LAYER_SPACES.items() if place in row.places and n != own)]
    if wanted is None:
        return tuple(fit)
    kinds = tuple(name for name in wanted if name in fit or name == NO_ATTENTION)
    if not kinds:
        raise ValueError(
            f"`attention`: none of {', '.join(wanted)} fits {architecture!r}. "
            f"There are: {', '.join([*fit, NO_ATTENTION])}"
        )
    return tuple(sorted(kinds, key=lambda name: name != own))


def _add_attention(
    entries: _Entries, name: str, kinds: tuple[str, ...],
    above: tuple[tuple[str, tuple[Any, ...]], ...], any_length: bool,
) -> None:  # fmt: skip
    entries.add(name, _names(kinds, kinds[0]), *above)
    layers = tuple(kind for kind in kinds if kind != NO_ATTENTION)
    for knob in ATTENTION:
        some = ((name, layers),) if layers != kinds else ()
        entries.add(f"{name}/{knob.name}", knob, *above, *some)
    for kind in layers:
        row = LAYER_SPACES[kind]
        fitting = [_fitting(knob, row, any_length) for knob in row.knobs]
        only = ((name, (kind,)),) if len(kinds) > 1 else ()
        entries.add_all(f"{name}/{kind}", fitting, (*above, *only))


def _fitting(knob: Knob, row: LayerSpace, any_length: bool) -> Knob:
    """The knob without the values that not every factory can build; `space` may still name them."""
    unfit = row.one_length.get(knob.name, ()) if any_length else ()
    if knob.name in row.needed:
        unfit = (*unfit, knob.none)
    values = tuple(value for value in knob.values if value not in unfit)
    default = row.needed.get(knob.name, knob.default)
    return dataclasses.replace(
        knob, values=values, default=default if default in values or not values else values[0]
    )


def _replaced(entries: dict[str, Entry], space: Mapping[str, Any]) -> dict[str, Entry]:
    if not isinstance(space, Mapping):
        raise TypeError(
            "`space` must be a dictionary from the full names of hyperparameters to values. "
            f"Received: {space!r}"
        )
    found = dict(entries)
    for name, wanted in space.items():
        if name not in entries:
            raise one_of("name in `space`", name, entries)
        if isinstance(wanted, keras_tuner.engine.hyperparameters.HyperParameter):
            found[name] = dataclasses.replace(entries[name], own=wanted)
        else:
            knob = entries[name].knob.narrowed(name, wanted)
            found[name] = dataclasses.replace(entries[name], knob=knob)
    return found
