"""What a search can aim at, and how each metric of a trained model is measured."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.capture.inputs import has_attention
from attention_zoo.capture.profile import over_input, profile
from attention_zoo.capture.scores import capture_model
from attention_zoo.core.registry import one_of
from attention_zoo.data.dataset import Dataset
from attention_zoo.explaining import explain
from attention_zoo.metrics.faithfulness import comprehensiveness, sufficiency
from attention_zoo.training.measure import measure
from attention_zoo.tuning.search_space import NO_ATTENTION, SearchSpace
from attention_zoo.tuning.table import FACTORIES

_CLASSES = ("binary", "multiclass")
_EVERY = (*_CLASSES, "regression")

_FAITHFUL = "comprehensiveness_minus_sufficiency"

#: How many samples the attention is tested on, since each is answered some dozens of times.
_ERASED = 200

#: Samples and steps at most that are measured without a compiler.
_WHOLE, _SHORT = 1000, 32

#: One batch of so many samples is timed, so many times, after some that do not count.
_BATCH, _CALLS, _WARM = 32, 40, 5


class TrialError(RuntimeError):
    """A point that cannot be built, trained or measured: its trial has failed."""


class Objective(NamedTuple):
    """A metric to search for: which way it is better, and when it can be had."""

    direction: str
    kinds: tuple[str, ...] = _EVERY
    #: Whether it needs to be known where the answer is.
    truth: bool = False
    about: str = ""


OBJECTIVES: dict[str, Objective] = {
    "log_loss": Objective("min", _CLASSES, about="mean of -log p of the true class"),
    "accuracy": Objective("max", _CLASSES, about="share of right answers"),
    "auc": Objective("max", ("binary",), about="area under the ROC curve"),
    "mse": Objective("min", ("regression",), about="mean squared error"),
    "mae": Objective("min", ("regression",), about="mean absolute error"),
    "val_loss": Objective("min", about="the training's loss, its penalties included"),
    "relevance_mass_accuracy": Objective("max", truth=True, about="attention on the answer"),
    "relevance_rank_accuracy": Objective("max", truth=True, about="largest scores on the answer"),
    "pointing_game": Objective("max", truth=True, about="largest score on the answer"),
    "auprc": Objective("max", truth=True, about="area under precision and recall"),
    _FAITHFUL: Objective(
        "max", about="what the answer loses without what is attended to, less what with it alone"
    ),
    "parameters": Objective("min", about="number of weights"),
    "latency": Objective("min", about=f"milliseconds for a batch of {_BATCH}"),
}


def default_objective(kind: str) -> str:
    """The metric that a search aims at where none is named."""
    return "mse" if kind == "regression" else "log_loss"


def check_objectives(names: Sequence[str], data: Dataset) -> None:
    """ValueError, before anything is trained, for a metric that these data cannot have."""
    if len(set(names)) != len(names):
        raise ValueError(f"`objective` must name each metric once. Received: {names!r}")
    possible = {
        name: row
        for name, row in OBJECTIVES.items()
        if data.kind in row.kinds and (data.relevance is not None or not row.truth)
    }
    for name in names:
        if name in OBJECTIVES and name not in possible:
            row = OBJECTIVES[name]
            why = (
                "needs to know where the answer is, which your own data do not say"
                if data.kind in row.kinds
                else f"is not for {data.kind} targets"
            )
            raise ValueError(
                f"The objective {name!r} {why}. There are: {', '.join(sorted(possible))}"
            )
        if name not in possible:
            raise one_of("objective", name, possible)


def measurable(
    space: SearchSpace, objectives: Sequence[str]
) -> tuple[SearchSpace, tuple[str, ...]]:
    """The space without the attention that an objective cannot be measured of, and notes of it."""
    entries, notes = dict(space.entries), []
    for (architecture, entry), name in itertools.product(space.attention.items(), objectives):
        kinds, unfit = entries[entry].values, _unmeasurable(name, FACTORIES[architecture].place)
        if set(kinds) <= set(unfit):
            raise ValueError(
                f"The objective {name!r} cannot be measured in {architecture!r} where `attention` "
                f"is {' or '.join(map(repr, kinds))}."
            )
        if set(kinds) & set(unfit):
            entries[entry] = entries[entry].without(unfit, entries[entry].default)
            words = " and ".join(repr(kind) for kind in kinds if kind in unfit)
            notes.append(f"{name} cannot be measured of attention {words}, which is left out.")
    return dataclasses.replace(space, entries=entries), tuple(notes)


def _unmeasurable(name: str, place: str) -> tuple[str, ...]:
    """The attention of which a metric cannot be measured, in the place that a factory has for it:
    that over the features of states says nothing of the inputs."""
    if name == _FAITHFUL and place == "after":
        return NO_ATTENTION, "feature"
    return (NO_ATTENTION,) if name == _FAITHFUL or OBJECTIVES[name].truth else ()


def measure_objectives(
    model: keras.Model, data: Dataset, objectives: Sequence[str]
) -> dict[str, float]:
    """Every metric of a trained model on held-out data; the costly ones only if they are aimed at.

    Raises:
        TrialError: if an objective cannot be measured of this model.
    """
    with _uncompiled(model) if _small(data) else contextlib.nullcontext():
        found = measure(model, data)
    found["parameters"] = float(model.count_params())
    if _FAITHFUL in objectives and has_attention(model):
        found[_FAITHFUL] = faithfulness(model, data)
    if "latency" in objectives:
        found["latency"] = latency(model, data.x)
    missing = [name for name in objectives if name != "val_loss" and name not in found]
    if missing:
        raise TrialError(
            f"{missing[0]!r} cannot be measured of a model without attention."
            if not has_attention(model)
            else f"{missing[0]!r} cannot be measured of this model."
        )
    return found


def _small(data: Dataset) -> bool:
    """Whether one pass over the data takes less than to compile it: never on JAX, which compiles
    each operation by itself else."""
    short = data.x.ndim < 3 or data.x.shape[1] <= _SHORT
    return keras.backend.backend() != "jax" and len(data.x) <= _WHOLE and short


@contextlib.contextmanager
def _uncompiled(model: keras.Model) -> Iterator[None]:
    """Let the model and its recorder predict without being compiled."""
    some = [model, capture_model(model)] if has_attention(model) else [model]
    for one in some:
        one.run_eagerly, one.predict_function = True, None
    try:
        yield
    finally:
        for one in some:
            one.run_eagerly, one.predict_function = False, None


def faithfulness(model: keras.Model, data: Dataset) -> float:
    """Comprehensiveness minus sufficiency of what the first layer attends to (DeYoung et al.,
    2020, arXiv:1911.03429), on the first 200 samples."""
    x = data.x[:_ERASED]
    seen = explain(model, x)
    axis = seen.layer().attended
    scores = profile(over_input(seen))[:, : x.shape[1] if axis != "feature" else None]
    if axis == "feature" and x.ndim == 3 and scores.shape[1] == x.shape[2]:
        scores = scores[:, None, :]
    elif scores.shape[1] != x.shape[1]:
        raise TrialError(
            f"The {scores.shape[1]} indices that {seen.layer().name!r} attends to are not those of "
            f"the input {x.shape}."
        )
    mask = None
    if data.mask_value is not None and x.ndim == 3 and axis != "feature":
        mask = np.any(x != data.mask_value, axis=-1)
    without, only = (f(model, x, scores, mask=mask) for f in (comprehensiveness, sufficiency))
    return float(np.nanmean(without.scores) - np.nanmean(only.scores))


def latency(model: keras.Model, x: Any) -> float:
    """Milliseconds that a batch of 32 takes: the lower quartile of 40 calls, which what else runs
    on the machine disturbs less than a mean."""
    batch = np.resize(x, (_BATCH, *x.shape[1:]))
    times = []
    for _ in range(_WARM + _CALLS):
        begun = time.perf_counter()
        model.predict_on_batch(batch)
        times.append(time.perf_counter() - begun)
    return 1000 * float(np.quantile(times[_WARM:], 0.25))


def signed(name: str, value: float) -> float:
    """The figure, so that more is better."""
    return value if OBJECTIVES[name].direction == "max" else -value
