"""A search space: which points it has, what each stands for, and how it is made from the table."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras_tuner

from attention_zoo.catalog import LAYERS, MODELS
from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.register import attention_config
from attention_zoo.tuning import table
from attention_zoo.tuning.hyperparameters import Conditions, Hyperparameter

#: The value of an attention hyperparameter that stands for a model without attention.
NO_ATTENTION = "none"


class TrialConfig(NamedTuple):
    """What one point of the space says: a model's arguments and how it is trained."""

    architecture: str
    #: The factory's arguments, `attention` among them.
    config: dict[str, Any]
    learning_rate: float
    batch_size: int
    #: The strength of the entropy penalty, and the share of the epochs before it.
    sharpening: float
    fit_first: float


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """The hyperparameters of a search by full name, parents before what depends on them.

    Args:
        architectures: the factories among which it searches.
        entries: the hyperparameters.
        attention: for each architecture the full name of the entry that names its attention layer.
    """

    architectures: tuple[str, ...]
    entries: dict[str, Hyperparameter]
    attention: dict[str, str]

    def declare(self, hp: keras_tuner.HyperParameters) -> None:
        """Declare every entry to KerasTuner, active under its conditions."""
        for entry in self.entries.values():
            entry.declare(hp)

    def active(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the entries that are active together; defaults where none is given."""
        found: dict[str, Any] = {}
        for name, entry in self.entries.items():
            if entry.is_active(found):
                found[name] = values.get(name, entry.default)
        return found

    def point(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A point that the user names, with the defaults for what it leaves open.

        Args:
            values: by full name; what a tuner adds is left out, so that the values of another
                search's trial are a point.

        Raises:
            TypeError: for what is no dictionary.
            ValueError: for a name or a value that the space does not have, or a value that is
                inactive beside the others.
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
        for name in known.keys() - found.keys():
            conditions = self.entries[name].conditions
            parent, allowed = next(c for c in conditions if found.get(c[0]) not in c[1])
            raise ValueError(
                f"`initial`: {name!r} means nothing where {parent!r} is {found.get(parent)!r}: "
                f"it needs {' or '.join(map(repr, allowed))}."
            )
        return found

    def points(self) -> Iterator[dict[str, Any]]:
        """Every point, the default first; ValueError if an entry is a range."""
        for name, entry in self.entries.items():
            if not entry.values:
                raise ValueError(
                    f"{name!r} is a range, which has no end of points: give a list of values in "
                    f"`space`, such as {{{name!r}: [...]}}."
                )

        def further(names: Sequence[str], found: dict[str, Any]) -> Iterator[dict[str, Any]]:
            if not names:
                yield found
            elif not (entry := self.entries[names[0]]).is_active(found):
                yield from further(names[1:], found)
            else:
                for value in sorted(entry.values, key=lambda value: value != entry.default):
                    yield from further(names[1:], {**found, names[0]: value})

        yield from further(list(self.entries), {})

    def config(self, values: Mapping[str, Any]) -> TrialConfig:
        """The arguments that some values stand for, those of inactive entries left out."""
        active = self.active(values)
        architecture = active.get("architecture", self.architectures[0])
        config = self._arguments(active, f"{architecture}/")
        attention = self.attention[architecture]
        kind, sharpening, fit_first = active.get(attention), 0.0, 0.0
        config["attention"] = None
        if kind != NO_ATTENTION:
            arguments = self._arguments(active, f"{attention}/")
            arguments.update(self._arguments(active, f"{attention}/{kind}/"))
            sharpening = arguments.pop("sharpening", 0.0)
            fit_first = arguments.pop("fit_first", 0.0)
            config["attention"] = {"class_name": kind, "config": arguments}
        training = active["learning_rate"], active["batch_size"]
        return TrialConfig(architecture, config, *training, sharpening, fit_first)

    def _arguments(self, active: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """The arguments below a prefix, None where a value stands for it."""
        return {
            name.removeprefix(prefix): self.entries[name].argument(value)
            for name, value in active.items()
            if name.startswith(prefix) and "/" not in name.removeprefix(prefix)
        }

    def describe(self) -> dict[str, Any]:
        """The space as plain values, by which two searches are compared."""
        return {name: entry.describe() for name, entry in self.entries.items()}


def make_search_space(
    architectures: Sequence[str],
    attention: str | Sequence[str] | None = None,
    space: Mapping[str, Any] | None = None,
    any_length: bool = False,
) -> SearchSpace:
    """The search space of some architectures and attention layers.

    Args:
        architectures: names of factories.
        attention: the attention layers to choose from, by name, `"none"` for none; by default each
            architecture's own layer and every other that fits its place.
        space: by an entry's full name, what replaces its values: one value (which is then fixed),
            a list of values, a range `(low, high)`, or a KerasTuner hyperparameter.
        any_length: whether the series have no fixed number of steps: what needs one is left out.

    Raises:
        ValueError: for an unknown architecture, layer or name, a layer that fits none of the
            architectures, or values of another type.
    """
    for name in architectures:
        if name not in table.FACTORIES:
            MODELS.get(name)
            raise ValueError(f"{name!r} has no row in the table of hyperparameters.")
    wanted = None if attention is None else checks.names("attention", attention)
    for name in wanted or ():
        if name != NO_ATTENTION:
            LAYERS.get(name)
    entries: dict[str, Hyperparameter] = {}
    if len(architectures) > 1:
        _add(entries, "", [Hyperparameter("architecture", architectures[0], tuple(architectures))])
    places: dict[str, list[str]] = {}
    for name in architectures:
        places.setdefault(table.FACTORIES[name].place, []).append(name)
        above = _only("architecture", [name], architectures)
        _add(entries, f"{name}/", table.FACTORIES[name].hyperparameters, above)
    named: dict[str, str] = {}
    for place, members in places.items():
        entry = "attention" if len(places) == 1 else f"attention_{place}"
        named.update(dict.fromkeys(members, entry))
        kinds = _kinds(place, members[0], wanted)
        above = _only("architecture", members, architectures)
        _add(entries, "", [Hyperparameter(entry, kinds[0], kinds)], above)
        layers = [kind for kind in kinds if kind != NO_ATTENTION]
        for one in table.ATTENTION:
            sharing = [kind for kind in layers if one.name not in table.LAYERS[kind].names]
            if sharing:
                _add(entries, f"{entry}/", [one], (*above, *_only(entry, sharing, kinds)))
        for kind in layers:
            fitting = _fitting(table.LAYERS[kind], any_length)
            _add(entries, f"{entry}/{kind}/", fitting, (*above, *_only(entry, [kind], kinds)))
    _add(entries, "", table.TRAINING)
    if not isinstance(space or {}, Mapping):
        raise TypeError(
            "`space` must be a dictionary from the full names of hyperparameters to values. "
            f"Received: {space!r}"
        )
    for name, values in (space or {}).items():
        if name not in entries:
            raise one_of("name in `space`", name, entries)
        entries[name] = entries[name].replaced(values)
    return SearchSpace(tuple(architectures), entries, named)


def _add(
    entries: dict[str, Hyperparameter],
    prefix: str,
    found: Sequence[Hyperparameter],
    above: Conditions = (),
) -> None:
    for one in found:
        beside = ((f"{prefix}{one.when[0]}", one.when[1]),) if one.when else ()
        name, conditions = f"{prefix}{one.name}", (*above, *beside)
        entries[name] = dataclasses.replace(one, name=name, conditions=conditions)


def _only(name: str, some: Sequence[str], known: Sequence[str]) -> Conditions:
    """The condition that an entry has one of some values; none where all its values are."""
    return ((name, tuple(some)),) if len(some) < len(known) else ()


def _kinds(place: str, architecture: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The layers that fit a place, the factory's own first."""
    own = inspect.signature(MODELS.get(architecture)).parameters["attention"].default
    own = attention_config(own)["class_name"]
    fit = [own, *(n for n, row in table.LAYERS.items() if place in row.places and n != own)]
    kinds = fit if wanted is None else [n for n in wanted if n in fit or n == NO_ATTENTION]
    if not kinds:
        raise ValueError(
            f"`attention`: none of {', '.join(wanted or ())} fits {architecture!r}. "
            f"There are: {', '.join([*fit, NO_ATTENTION])}"
        )
    return tuple(sorted(kinds, key=lambda name: name != own))


def _fitting(row: table.LayerSpace, any_length: bool) -> list[Hyperparameter]:
    """A layer's hyperparameters without the values that not every factory can build."""
    found = []
    for one in row.hyperparameters:
        unfit = row.one_length.get(one.name, ()) if any_length else ()
        if one.name in row.needed:
            unfit = (*unfit, one.none)
        found.append(one.without(unfit, row.needed.get(one.name, one.default)) if unfit else one)
    return found
