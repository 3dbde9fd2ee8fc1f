"""What a hyperparameter is, and how KerasTuner learns of it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from typing import Any

import keras_tuner
import numpy as np

from attention_zoo.core import checks

_TYPES = {int: "an integer", float: "a number", str: "a name", bool: "True or False"}
#: The kinds of KerasTuner, as the methods of its `HyperParameters` are called.
_KERAS_TUNER = ("Boolean", "Choice", "Fixed", "Float", "Int")

Conditions = tuple[tuple[str, tuple[Any, ...]], ...]


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """Some values, or a range.

    KerasTuner knows no None: where an argument may be None, the value `none` stands for it.

    Attributes:
        name: the argument's own in the table, the full one in a search space.
        default: the argument's own default, `none` for None.
        values: those that it may have; empty for a range.
        low, high, sampling: the range, and its scale as KerasTuner calls it.
        also: names that only the user may ask for.
        below: a number is always less than this.
        when: the hyperparameter beside this one, and its values, that this one needs.
        none: the value that stands for None; None if no value does.
        conditions: the full names of those that it depends on, with the values that activate it.
    """

    name: str
    default: Any
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    sampling: str = "log"
    also: tuple[str, ...] = ()
    below: float = math.inf
    when: tuple[str, tuple[Any, ...]] | None = None
    none: Any = None
    conditions: Conditions = ()

    def argument(self, value: Any) -> Any:
        """What the layer or factory is given for a value."""
        return None if self.none is not None and value == self.none else value

    def is_active(self, values: dict[str, Any]) -> bool:
        """Return True if it means something beside these values."""
        return all(values.get(parent) in allowed for parent, allowed in self.conditions)

    def without(self, unfit: tuple[Any, ...], default: Any) -> Hyperparameter:
        """The same without some values."""
        values = tuple(value for value in self.values if value not in unfit)
        default = default if default in values else values[0]
        none = None if self.none in unfit else self.none
        return dataclasses.replace(self, values=values, default=default, none=none)

    def replaced(self, wanted: Any) -> Hyperparameter:
        """The same over the user's values: one value, a list, `(low, high)`, or a hyperparameter of
        KerasTuner; ValueError for values that it cannot have."""
        if type(wanted).__name__ in _KERAS_TUNER and hasattr(wanted, "get_config"):
            if type(wanted).__name__ != "Float" or wanted.step is not None:
                return self._among(list(wanted.values), wanted, wanted.default)
            low, high, sampling = wanted.min_value, wanted.max_value, wanted.sampling
            own = self._among([float(low), float(high)], wanted)
            return dataclasses.replace(
                own, values=(), low=low, high=high, sampling=sampling, default=wanted.default
            )
        if not isinstance(wanted, tuple):
            return self._among(wanted if isinstance(wanted, list) else [wanted], wanted)
        number = isinstance(self.default, (int, float)) and not isinstance(self.default, bool)
        if not number or len(wanted) != 2:
            raise ValueError(
                f"`space`: {self.name!r} takes a value or a list of values"
                f"{', or a range (low, high)' if number else ''}. Received: {wanted!r}"
            )
        low, high = wanted
        checks.positive(f"space: {self.name}: low", low)
        checks.positive(f"space: {self.name}: high", high, above=low)
        if isinstance(self.default, int):
            return self._among([v for v in self.values if low <= v <= high], wanted)
        own = self._among([low, high], wanted)
        default = min(max(self.default, low), high)
        return dataclasses.replace(own, values=(), low=low, high=high, default=default)

    def _among(self, values: list[Any], wanted: Any, default: Any = None) -> Hyperparameter:
        kind = type(self.default)
        values = [self.none if v is None and self.none is not None else v for v in values]
        if kind is float:
            values = [float(v) if type(v) is int else v for v in values]
        if not values or not all(type(v) is kind for v in values):
            raise ValueError(
                f"`space`: {self.name!r} must be {_TYPES[kind]}, or a list of such, not empty. "
                f"Received: {wanted!r}"
            )
        for value in values:
            allowed = ""
            if kind is str and value not in (*self.values, *self.also):
                allowed = f"among {', '.join(map(repr, (*self.values, *self.also)))} here"
            elif kind is not str and not (0 <= value < self.below and (value or 0 in self.values)):
                least = "0 or more" if 0 in self.values else "more than 0"
                allowed = least if math.isinf(self.below) else f"{least}, and below {self.below:g}"
            if allowed:
                raise ValueError(f"`space`: {self.name!r} must be {allowed}. Received: {value!r}")
        default = self.default if default is None else default
        default = default if default in values else values[0]
        return dataclasses.replace(self, values=tuple(values), default=default)

    def checked(self, value: Any) -> Any:
        """A value of a point of the user's; ValueError if it is none of this hyperparameter."""
        plain = value.item() if isinstance(value, np.generic) else value
        plain = self.none if plain is None else plain
        for one in self.values:
            if one == plain and isinstance(one, bool) == isinstance(plain, bool):
                return one
        number = isinstance(plain, (int, float)) and not isinstance(plain, bool)
        if not self.values and number and self.low <= plain <= self.high:
            return float(plain)
        allowed = f"one of {', '.join(map(repr, self.values))}"
        raise ValueError(
            f"`initial`: {self.name!r} must be "
            f"{allowed if self.values else f'from {self.low:g} to {self.high:g}'}. "
            f"Received: {value!r}"
        )

    def describe(self) -> Any:
        """Its values as plain JSON."""
        return list(self.values) or [self.low, self.high, self.sampling]

    def declare(self, hp: keras_tuner.HyperParameters) -> None:
        """Declare it to `hp`, active under its conditions alone."""
        with contextlib.ExitStack() as scopes:
            for parent, values in self.conditions:
                scopes.enter_context(hp.conditional_scope(parent, list(values)))
            if not self.values:
                range_ = {"sampling": self.sampling, "default": self.default}
                hp.Float(self.name, self.low, self.high, **range_)
            elif len(self.values) == 1:
                hp.Fixed(self.name, self.values[0])
            elif isinstance(self.default, bool):  # which a Choice would make numbers of
                hp.Boolean(self.name, default=self.default)
            else:
                hp.Choice(self.name, list(self.values), default=self.default)
