"""A search space: which points it has, and what each stands for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras_tuner

from attention_zoo.core.registry import one_of
from attention_zoo.tuning.knobs import Entry

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
