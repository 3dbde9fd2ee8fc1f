"""Which knobs a search turns: from architectures and attention layers to named entries."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras_tuner

from attention_zoo.catalog import LAYERS, MODELS
from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.tuning.knobs import Entry, Knob
from attention_zoo.tuning.spaces import ATTENTION, FACTORIES, TRAINING
from attention_zoo.tuning.spaces import LAYERS as LAYER_SPACES

#: The value of an attention knob that stands for a model without attention.
NO_ATTENTION = "none"


class Chosen(NamedTuple):
    """What one point of the space says: a model's arguments and how it is trained."""

    architecture: str
    #: The factory's arguments, `attention` among them.
    config: dict[str, Any]
    learning_rate: float
    batch_size: int


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """The entries of a search, parents before what depends on them.

    Args:
        architectures: the factories among which it searches.
        entries: the hyperparameters, by full name.
        attention: for each architecture the full name of the entry that names its attention layer.
    """

    architectures: tuple[str, ...]
    entries: dict[str, Entry]
    attention: dict[str, str]

    def declare(self, hp: keras_tuner.HyperParameters) -> None:
        """Make every entry known to KerasTuner, active under its conditions."""
        for entry in self.entries.values():
            entry.declare(hp)

    def active(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the entries that mean something together; defaults where there are none."""
        found: dict[str, Any] = {}
        for name, entry in self.entries.items():
            if all(found.get(parent) in allowed for parent, allowed in entry.conditions):
                found[name] = values.get(name, entry.default)
        return found

    def point(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A point that the user names, with the defaults for what it leaves open.

        Args:
            values: by full name; what a tuner adds of its own is left out, so that the values of
                another search's trial are a point.

        Raises:
            TypeError: for what is no dictionary.
            ValueError: for a name or a value that the space does not have, or a value that means
                nothing beside the others.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"`initial` must be a list of dictionaries. Received in it: {values!r}")
        known: dict[str, Any] = {}
        for name, value in values.items():
            if not str(name).startswith("tuner/"):
                if name not in self.entries:
                    raise one_of("name in `initial`", name, self.entries)
                known[name] = self.entries[name].checked(value)
        found = self.active(known)
        for name in known:
            if name not in found:
                conditions = self.entries[name].conditions
                parent, allowed = next(c for c in conditions if found.get(c[0]) not in c[1])
                raise ValueError(
                    f"`initial`: {name!r} means nothing where {parent!r} is "
                    f"{found.get(parent)!r}: it needs {' or '.join(map(repr, allowed))}."
                )
        return found

    @property
    def size(self) -> float:
        """How many points there are; infinite where an entry is a range."""
        if any(not entry.possible for entry in self.entries.values()):
            return math.inf
        return sum(1 for _ in itertools.islice(self.points(), 100_000))

    def points(self) -> Iterator[dict[str, Any]]:
        """Every point, the default first; ValueError if an entry is a range."""
        for name, entry in self.entries.items():
            if not entry.possible:
                raise ValueError(
                    f"{name!r} is a range, which has no end of points: give a list of values in "
                    f"`space`, such as {{{name!r}: [...]}}."
                )

        def further(names: Sequence[str], found: dict[str, Any]) -> Iterator[dict[str, Any]]:
            if not names:
                yield found
                return
            entry = self.entries[names[0]]
            active = all(found.get(parent) in allowed for parent, allowed in entry.conditions)
            if not active:
                yield from further(names[1:], found)
                return
            for value in sorted(entry.possible, key=lambda value: value != entry.default):
                yield from further(names[1:], {**found, names[0]: value})

        yield from further(list(self.entries), {})

    def chosen(self, values: Mapping[str, Any]) -> Chosen:
        """The arguments that some values stand for, those of inactive entries left out."""
        active = self.active(values)
        architecture = active.get("architecture", self.architectures[0])
        config = self._arguments(active, f"{architecture}/")
        attention = self.attention[architecture]
        kind = active.get(attention)
        if kind == NO_ATTENTION:
            config["attention"] = None
        else:
            arguments = self._arguments(active, f"{attention}/")
            arguments.update(self._arguments(active, f"{attention}/{kind}/"))
            sharpening = arguments.pop("sharpening", None)
            if sharpening:
                arguments["scores_regularizer"] = {
                    "class_name": "attention_zoo>EntropyRegularizer",
                    "config": {"strength": sharpening},
                }
            config["attention"] = {"class_name": kind, "config": arguments}
        return Chosen(architecture, config, active["learning_rate"], active["batch_size"])

    def _arguments(self, active: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """The arguments below a prefix, None where a value stands for it."""
        return {
            name.removeprefix(prefix): self.entries[name].knob.argument(value)
            for name, value in active.items()
            if name.startswith(prefix) and "/" not in name.removeprefix(prefix)
        }

    def describe(self) -> dict[str, Any]:
        """The space as plain values, by which two searches are compared."""
        return {name: entry.describe() for name, entry in self.entries.items()}


def make_space(
    architectures: Sequence[str],
    attention: str | Sequence[str] | None = None,
    space: Mapping[str, Any] | None = None,
) -> SearchSpace:
    """The search space of some architectures and attention layers.

    Args:
        architectures: names of factories.
        attention: the attention layers to choose from, by name, `"none"` for none at all; by
            default each architecture's own layer and every other that fits its place.
        space: by an entry's full name, what replaces its values: one value (which is then fixed),
            a list of values, a range `(low, high)`, or a KerasTuner hyperparameter.

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
        _add_attention(entries, entry, kinds, _of(architectures, members))
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
    above: tuple[tuple[str, tuple[Any, ...]], ...],
) -> None:  # fmt: skip
    entries.add(name, _names(kinds, kinds[0]), *above)
    layers = tuple(kind for kind in kinds if kind != NO_ATTENTION)
    for knob in ATTENTION:
        some = ((name, layers),) if layers != kinds else ()
        entries.add(f"{name}/{knob.name}", knob, *above, *some)
    for kind in layers:
        row = LAYER_SPACES[kind]
        needed = [_without_none(knob, row.needed.get(knob.name)) for knob in row.knobs]
        only = ((name, (kind,)),) if len(kinds) > 1 else ()
        entries.add_all(f"{name}/{kind}", needed, (*above, *only))


def _without_none(knob: Knob, default: Any) -> Knob:
    """The knob without its None, where a factory needs a value."""
    if default is None:
        return knob
    values = tuple(value for value in knob.values if value != knob.none)
    return dataclasses.replace(knob, values=values, default=default, none=None)


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
