"""What a hyperparameter is, and how KerasTuner learns of it."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import keras_tuner
import numpy as np

from attention_zoo.core import checks

_KERAS_TUNER = keras_tuner.engine.hyperparameters
_TYPES = {int: "an integer", float: "a number", str: "a name", bool: "True or False"}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """Some values, or a range that is searched on a logarithmic scale.

    KerasTuner knows no None: where an argument may be None, the value `none` stands for it.
    """

    name: str
    #: The argument's own default, `none` for None.
    default: Any
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    #: The hyperparameter beside this one, and its values, that this one needs to mean anything.
    when: tuple[str, tuple[Any, ...]] | None = None
    #: The value that stands for None; None if no value does.
    none: Any = None

    def argument(self, value: Any) -> Any:
        """What the layer or factory is given for a value."""
        return None if self.none is not None and value == self.none else value

    def declare(self, hp: keras_tuner.HyperParameters, name: str) -> None:
        """Declare it to `hp` under its full name."""
        if not self.values:
            hp.Float(name, self.low, self.high, sampling="log", default=self.default)
        elif len(self.values) == 1:
            hp.Fixed(name, self.values[0])
        elif set(self.values) == {True, False} and isinstance(self.values[0], bool):
            hp.Boolean(name, default=self.default)
        else:
            hp.Choice(name, list(self.values), default=self.default)

    def narrowed(self, name: str, wanted: Any) -> Hyperparameter:
        """The same over the user's values: one value, a list, or `(low, high)`.

        ValueError for values of another type, and for a range of something that has none.
        """
        if not isinstance(wanted, tuple):
            values = wanted if isinstance(wanted, list) else [wanted]
            values = [self.none if v is None and self.none is not None else v for v in values]
            return self._among(name, tuple(values), wanted)
        number = _is_number(self.default)
        if not number or len(wanted) != 2:
            raise ValueError(
                f"`space`: {name!r} takes a value or a list of values"
                f"{', or a range (low, high)' if number else ''}. Received: {wanted!r}"
            )
        low, high = wanted
        checks.positive(f"space: {name}: low", low)
        checks.positive(f"space: {name}: high", high, above=low)
        if isinstance(self.default, int):
            return self._among(name, tuple(v for v in self.values if low <= v <= high), wanted)
        default = min(max(self.default, low), high)
        return dataclasses.replace(self, values=(), low=low, high=high, default=default)

    def _among(self, name: str, values: tuple[Any, ...], wanted: Any) -> Hyperparameter:
        kind = float if isinstance(self.default, float) else type(self.default)
        if kind is float:
            values = tuple(float(v) if type(v) is int else v for v in values)
        if not values or not all(type(v) is kind for v in values):
            raise ValueError(
                f"`space`: {name!r} must be {_TYPES[kind]}, or a list of such, not empty. "
                f"Received: {wanted!r}"
            )
        default = self.default if self.default in values else values[0]
        return dataclasses.replace(self, values=values, low=None, high=None, default=default)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A hyperparameter at its place in a search space."""

    name: str
    hyperparameter: Hyperparameter
    #: The full names of the entries that this one depends on, with the values that activate it.
    conditions: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    #: The user's own KerasTuner hyperparameter, which takes its place.
    own: Any = None

    @property
    def default(self) -> Any:
        """Its value in the default trial."""
        return self.hyperparameter.default if self.own is None else self.own.default

    @property
    def possible(self) -> tuple[Any, ...]:
        """The values it may have; empty for a range."""
        if self.own is None:
            return self.hyperparameter.values
        if isinstance(self.own, _KERAS_TUNER.Fixed):
            return (self.own.value,)
        if isinstance(self.own, _KERAS_TUNER.Float) and self.own.step is None:
            return ()
        return tuple(self.own.values)

    @property
    def range(self) -> tuple[float, float, bool]:
        """The least and the greatest value, and whether it is searched on a logarithmic scale."""
        if self.own is None:
            return self.hyperparameter.low or 0.0, self.hyperparameter.high or 0.0, True
        return self.own.min_value, self.own.max_value, self.own.sampling != "linear"

    def is_active(self, values: dict[str, Any]) -> bool:
        """Return True if it means something beside these values."""
        return all(values.get(parent) in allowed for parent, allowed in self.conditions)

    def checked(self, value: Any) -> Any:
        """A value of the user's, as the space has it; ValueError if it has not."""
        plain = value.item() if isinstance(value, np.generic) else value
        plain = self.hyperparameter.none if plain is None else plain
        for one in self.possible:
            if one == plain and isinstance(one, bool) == isinstance(plain, bool):
                return one
        low, high, _ = (0, 0, None) if self.possible else self.range
        if not self.possible and _is_number(plain) and low <= plain <= high:
            return float(plain)
        allowed = f"one of {', '.join(map(repr, self.possible))}"
        raise ValueError(
            f"`initial`: {self.name!r} must be "
            f"{allowed if self.possible else f'from {low:g} to {high:g}'}. Received: {value!r}"
        )

    def describe(self) -> Any:
        """Its values as plain JSON."""
        if self.own is not None:
            return {"class_name": type(self.own).__name__, **_arguments(self.own)}
        own = self.hyperparameter
        return list(own.values) or {"low": own.low, "high": own.high}

    def declare(self, hp: keras_tuner.HyperParameters) -> None:
        """Declare it to `hp`, active under its conditions alone."""
        with contextlib.ExitStack() as scopes:
            for parent, values in self.conditions:
                scopes.enter_context(hp.conditional_scope(parent, list(values)))
            if self.own is None:
                self.hyperparameter.declare(hp, self.name)
            else:
                getattr(hp, type(self.own).__name__)(self.name, **_arguments(self.own))


def _arguments(own: Any) -> dict[str, Any]:
    """The arguments of the user's own hyperparameter, without its name."""
    found = {k: v for k, v in own.get_config().items() if k not in ("conditions", "name")}
    if isinstance(own, _KERAS_TUNER.Fixed):
        found.pop("default", None)
    return found
