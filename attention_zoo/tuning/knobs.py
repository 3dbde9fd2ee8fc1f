"""What a knob is, and how KerasTuner learns of it."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import keras_tuner
import numpy as np

from attention_zoo.core import checks

_OWN = keras_tuner.engine.hyperparameters


@dataclasses.dataclass(frozen=True)
class Knob:
    """One hyperparameter: some values, or a range that is searched on a logarithmic scale.

    KerasTuner knows no None: where an argument may be None, the value `none` stands for it.
    """

    name: str
    #: The argument's own default, `none` for None.
    default: Any
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    #: The knob beside this one, and its values, that this one needs to mean anything.
    when: tuple[str, tuple[Any, ...]] | None = None
    #: The value that stands for None; None if there is none.
    none: Any = None

    def argument(self, value: Any) -> Any:
        """What the layer or factory is given for a value."""
        return None if self.none is not None and value == self.none else value

    def declare(self, hp: keras_tuner.HyperParameters, name: str) -> None:
        """Make the knob known to `hp` under its full name."""
        if not self.values:
            hp.Float(name, self.low, self.high, sampling="log", default=self.default)
        elif len(self.values) == 1:
            hp.Fixed(name, self.values[0])
        elif set(self.values) == {True, False} and isinstance(self.values[0], bool):
            hp.Boolean(name, default=self.default)
        else:
            hp.Choice(name, list(self.values), default=self.default)

    def narrowed(self, name: str, wanted: Any) -> Knob:
        """The same knob over the user's values: one value, a list, or `(low, high)`.

        ValueError for values of another type, and for a range of something that has none.
        """
        own = self.values or (self.low, self.high)
        number = isinstance(self.default, (int, float)) and not isinstance(self.default, bool)
        if isinstance(wanted, tuple):
            if not number or len(wanted) != 2:
                raise ValueError(
                    f"`space`: {name!r} takes a value or a list of values"
                    f"{', or a range (low, high)' if number else ''}. Received: {wanted!r}"
                )
            low, high = wanted
            checks.positive(f"space: {name}: low", low)
            checks.positive(f"space: {name}: high", high, above=low)
            if isinstance(self.default, int):
                return self._among(name, tuple(v for v in own if low <= v <= high), wanted)
            return dataclasses.replace(
                self, values=(), low=low, high=high, default=min(max(self.default, low), high)
            )
        values = tuple(wanted) if isinstance(wanted, list) else (wanted,)
        return self._among(
            name, tuple(self.none if v is None and self.none is not None else v for v in values),
            wanted,
        )  # fmt: skip

    def _among(self, name: str, values: tuple[Any, ...], wanted: Any) -> Knob:
        kind = float if isinstance(self.default, float) else type(self.default)
        if kind is float:
            values = tuple(
                float(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in values
            )
        if not values or not all(type(v) is kind for v in values):
            raise ValueError(
                f"`space`: {name!r} must be {_KINDS[kind]}, or a list of such, not empty. "
                f"Received: {wanted!r}"
            )
        default = self.default if self.default in values else values[0]
        return dataclasses.replace(self, values=values, low=None, high=None, default=default)


_KINDS = {int: "an integer", float: "a number", str: "a name", bool: "True or False"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A knob at its place in a search space."""

    name: str
    knob: Knob
    #: The full names of the knobs that this one depends on, with the values that make it active.
    conditions: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    #: The user's own KerasTuner hyperparameter, which takes the knob's place.
    own: Any = None

    @property
    def default(self) -> Any:
        """Its value in the default trial."""
        return self.knob.default if self.own is None else self.own.default

    @property
    def possible(self) -> tuple[Any, ...]:
        """The values it may have; empty for a range."""
        if self.own is None:
            return self.knob.values
        if isinstance(self.own, _OWN.Fixed):
            return (self.own.value,)
        if isinstance(self.own, _OWN.Float) and self.own.step is None:
            return ()
        return tuple(self.own.values)

    def checked(self, value: Any) -> Any:
        """A value of the user's, as the space has it; ValueError if it has not."""
        plain = value.item() if isinstance(value, np.generic) else value
        plain = self.knob.none if plain is None else plain
        for one in self.possible:
            if one == plain and isinstance(one, bool) == isinstance(plain, bool):
                return one
        number = isinstance(plain, (int, float)) and not isinstance(plain, bool)
        if not self.possible and number and self.low <= plain <= self.high:
            return float(plain)
        allowed = f"one of {', '.join(map(repr, self.possible))}"
        raise ValueError(
            f"`initial`: {self.name!r} must be "
            f"{allowed if self.possible else f'from {self.low:g} to {self.high:g}'}. "
            f"Received: {value!r}"
        )

    @property
    def low(self) -> float:
        """The least value of a range."""
        return float((self.knob.low or 0) if self.own is None else self.own.min_value)

    @property
    def high(self) -> float:
        """The greatest value of a range."""
        return float((self.knob.high or 0) if self.own is None else self.own.max_value)

    def describe(self) -> Any:
        """Its values as plain JSON."""
        if self.own is not None:
            return {"class_name": type(self.own).__name__, **_plain(self.own)}
        return list(self.knob.values) or {"low": self.knob.low, "high": self.knob.high}

    def declare(self, hp: keras_tuner.HyperParameters) -> None:
        """Make it known to `hp`, active under its conditions alone."""
        with contextlib.ExitStack() as scopes:
            for parent, values in self.conditions:
                scopes.enter_context(hp.conditional_scope(parent, list(values)))
            if self.own is None:
                self.knob.declare(hp, self.name)
            else:
                getattr(hp, type(self.own).__name__)(self.name, **_plain(self.own))


def _plain(own: Any) -> dict[str, Any]:
    """The arguments of the user's own hyperparameter, but for its name."""
    left = {k: v for k, v in own.get_config().items() if k not in ("conditions", "name")}
    if isinstance(own, _OWN.Fixed):
        left.pop("default", None)
    return left
