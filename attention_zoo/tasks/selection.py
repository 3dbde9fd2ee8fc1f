"""Which features count differs from sample to sample: Syn1 to Syn6.

Chen et al., 2018 (arXiv:1802.07814) and Yoon, Jordon and van der Schaar, 2019 (INVASE, ICLR).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from attention_zoo.tasks.base import TASKS, Task

_FEATURES = 11
_SWITCH = 10


def _product(x: np.ndarray) -> np.ndarray:
    return x[:, 0] * x[:, 1]


def _squares(x: np.ndarray) -> np.ndarray:
    return (x[:, 2:6] ** 2).sum(1) - 4


def _sums(x: np.ndarray) -> np.ndarray:
    return -10 * np.sin(0.2 * x[:, 6]) + np.abs(x[:, 7]) + x[:, 8] + np.exp(-x[:, 9]) - 2.4


_Rule = tuple[Callable[[np.ndarray], np.ndarray], slice]
_PRODUCT: _Rule = (_product, slice(0, 2))
_SQUARES: _Rule = (_squares, slice(2, 6))
_SUMS: _Rule = (_sums, slice(6, 10))


@dataclasses.dataclass(frozen=True)
class _Syn(Task):
    """11 features N(0, 1) and P(y = 1) = 1 / (1 + exp(U)); relevance is (n, 11), 1 for each
    feature that U of that sample reads."""

    metric: ClassVar[str] = "auc"
    #: What U is, or what it is where the last feature is below 0 and where it is not.
    rules: ClassVar[tuple[_Rule, ...]]

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (_FEATURES,)

    def draw(self, n, rng):
        x = rng.standard_normal((n, _FEATURES))
        relevance = np.zeros((n, _FEATURES))
        # The number of each sample's rule
        chosen = (x[:, _SWITCH] >= 0) * (len(self.rules) - 1)
        if len(self.rules) > 1:
            relevance[:, _SWITCH] = 1
        u = np.zeros(n)
        for number, (rule, features) in enumerate(self.rules):
            samples = chosen == number
            u[samples] = rule(x[samples])
            relevance[samples, features] = 1
        y = rng.random(n) < 1 / (1 + np.exp(u))
        return x, y, relevance


@dataclasses.dataclass(frozen=True)
class Syn1(_Syn):
    """U = x1 x2. A product: neither feature tells anything without the other."""

    rules = (_PRODUCT,)


@dataclasses.dataclass(frozen=True)
class Syn2(_Syn):
    """U = x3^2 + x4^2 + x5^2 + x6^2 - 4."""

    rules = (_SQUARES,)


@dataclasses.dataclass(frozen=True)
class Syn3(_Syn):
    """U = -10 sin(.2 x7) + |x8| + x9 + exp(-x10) - 2.4."""

    rules = (_SUMS,)


@dataclasses.dataclass(frozen=True)
class Syn4(_Syn):
    """U is that of Syn1 where x11 < 0, else that of Syn2; x11 is relevant as well."""

    rules = (_PRODUCT, _SQUARES)


@dataclasses.dataclass(frozen=True)
class Syn5(_Syn):
    """U is that of Syn1 where x11 < 0, else that of Syn3; x11 is relevant as well."""

    rules = (_PRODUCT, _SUMS)


@dataclasses.dataclass(frozen=True)
class Syn6(_Syn):
    """U is that of Syn2 where x11 < 0, else that of Syn3; x11 is relevant as well."""

    rules = (_SQUARES, _SUMS)


for _task in (Syn1, Syn2, Syn3, Syn4, Syn5, Syn6):
    TASKS.add(_task.__name__.lower(), _task)
