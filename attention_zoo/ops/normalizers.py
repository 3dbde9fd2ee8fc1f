"""From logits to attention scores: masked, exact, in float32 or more.

Every normalizer takes `logits` of any shape, a boolean `mask` that broadcasts to it (True: may be
attended to) and the `axis` that is attended over. Its scores are exactly 0 where masked and sum
to 1 over the visible cells, or are all 0 where nothing is visible (`sigmoid` alone does not sum).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.ops.backend import cast, is_half

_LOWEST = -3e38
#: Its exponential is 0, as that of all below, which need no cut.
_ZERO_POWER = -1e4


def _shift(logits: Any, mask: Any, axis: int, floor: float) -> Any:
    """Logits less the largest visible one, cut at `floor`, which masked cells get as well.

    `floor` is where the normalizer is 0 for certain, so the cut changes no score and no gradient.
    """
    if mask is None:
        visible = logits
    else:
        visible = ops.where(mask, logits, ops.cast(_LOWEST, logits.dtype))
    shifted = visible - ops.stop_gradient(_max(visible, axis))
    if floor > _ZERO_POWER:
        shifted = _at_least(floor, shifted)
    return shifted if mask is None else ops.where(mask, shifted, ops.cast(floor, logits.dtype))


def _at_least(floor: float, x: Any) -> Any:
    # `ops.maximum` falls from float64 to float32 on torch; NaN stays NaN here
    return ops.where(x < floor, ops.cast(floor, x.dtype), x)


def _max(x: Any, axis: int) -> Any:
    # `ops.max` refuses tensors without cells, such as a batch of 0
    reduce = ops.sum if 0 in tuple(x.shape) else ops.max
    return reduce(x, axis=axis, keepdims=True)


def _hide(scores: Any, mask: Any) -> Any:
    return scores if mask is None else ops.where(mask, scores, ops.zeros((), scores.dtype))


def _ranks(x: Any, axis: int) -> Any:
    """1, 2, 3, ... along `axis`, broadcastable to `x`."""
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return ops.reshape(ops.arange(1, ops.shape(x)[axis] + 1, dtype=x.dtype), shape)


def _descending(x: Any, axis: int) -> Any:
    return -ops.sort(-x, axis=axis)


def _cumsum(x: Any, axis: int) -> Any:
    return ops.cumsum(x, axis=axis, dtype=x.dtype)


def softmax(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """exp(z_i) / sum_j exp(z_j) over the visible j."""
    if mask is not None:
        logits = ops.where(mask, logits, ops.cast(_LOWEST, logits.dtype))
    # Keras warns of an axis of one step, which a series may well have
    if logits.shape[axis] == 1:
        return _hide(ops.exp(logits - logits), mask)
    return _hide(ops.softmax(logits, axis=axis), mask)


def powers(logits: Any, mask: Any = None, axis: int = -1) -> tuple[Any, Any]:
    """The numerators of `softmax`, the largest of them 1, and their sum, or 1 where nothing is
    visible."""
    weights = ops.exp(_shift(logits, mask, axis, _ZERO_POWER))
    total = ops.sum(weights, axis=axis, keepdims=True)
    if mask is not None:
        total = ops.where(total == 0, ops.ones((), total.dtype), total)
    return weights, total


def sparsemax(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """The Euclidean projection on the simplex: [z_i - tau]_+ (Martins and Astudillo, 2016,
    arXiv:1602.02068).

    The threshold comes from a sort, then again from its support alone, which makes its gradient
    exact. (`keras.ops.sparsemax` of Keras 3.15.1 does not sum to 1.)
    """
    z = _shift(logits, mask, axis, -2.0)
    ordered = _descending(ops.stop_gradient(z), axis)
    taus = (_cumsum(ordered, axis) - 1) / _ranks(z, axis)
    # "not <=" rather than ">": a NaN that is visible must not be hidden
    support = ops.logical_not(z <= _max(taus, axis))
    size = ops.sum(ops.cast(support, z.dtype), axis=axis, keepdims=True)
    zero = ops.zeros((), z.dtype)
    tau = (ops.sum(ops.where(support, z, zero), axis=axis, keepdims=True) - 1) / size
    return _hide(ops.where(support, _at_least(0, z - tau), zero), mask)


def entmax15(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """[z_i / 2 - tau]_+ ^ 2: sparse like sparsemax, smooth like softmax (Peters, Niculae and
    Martins, 2019, arXiv:1905.05702)."""
    z = _shift(logits, mask, axis, -2.0) / 2
    ordered = _descending(ops.stop_gradient(z), axis)
    ranks, zero = _ranks(z, axis), ops.zeros((), z.dtype)
    means = _cumsum(ordered, axis) / ranks
    spread = _cumsum(ordered * ordered, axis) - ranks * means * means
    taus = means - ops.sqrt(_at_least(0, (1 - spread) / ranks))
    # Thresholds grow with the rank for as long as they lie under their own cell
    tau = _max(ops.where(taus <= ordered, taus, ops.cast(-2, z.dtype)), axis)
    support = ops.logical_not(z <= tau)
    size = ops.sum(ops.cast(support, z.dtype), axis=axis, keepdims=True)
    mean = ops.sum(ops.where(support, z, zero), axis=axis, keepdims=True) / size
    spread = ops.sum(ops.where(support, (z - mean) ** 2, zero), axis=axis, keepdims=True)
    tau = mean - ops.sqrt(_at_least(1e-30, (1 - spread) / size))
    return _hide(ops.where(support, _at_least(0, z - tau) ** 2, zero), mask)


def entmax(logits: Any, mask: Any = None, axis: int = -1, alpha: float = 1.5) -> Any:
    """[(alpha - 1) z_i - tau]_+ ^ (1 / (alpha - 1)), tau by bisection (Peters et al., 2019,
    arXiv:1905.05702): alpha 2 is sparsemax, 1.5 entmax15, towards 1 softmax.

    Its derivatives are exact up to the third.
    """
    slope, power = alpha - 1.0, 1.0 / (alpha - 1.0)
    z = _shift(logits, mask, axis, -1.0 / slope) * slope
    fixed, zero = ops.stop_gradient(z), ops.zeros((), z.dtype)
    halvings = 50 if keras.backend.standardize_dtype(z.dtype) == "float64" else 26

    def halve(_: Any, bracket: tuple[Any, Any]) -> tuple[Any, Any]:
        tau, step = bracket
        step = step / 2
        mass = ops.sum(_at_least(0, fixed - (tau + step)) ** power, axis=axis, keepdims=True)
        return ops.where(mass >= 1, tau + step, tau), step

    start = ops.full_like(_max(fixed, axis), -1.0)
    tau, _ = ops.fori_loop(0, halvings, halve, (start, ops.ones((), z.dtype)))
    tau = ops.stop_gradient(tau)
    support = ops.logical_not(fixed <= tau)

    def powers_of(tau: Any, exponent: float) -> Any:
        slack = ops.where(support, z - tau, ops.ones((), z.dtype))
        return ops.where(support, slack**exponent, zero)

    # Steps of Newton that leave tau where it is: one makes its first derivative exact, two the
    # second and third
    for _ in range(2):
        mass = ops.sum(powers_of(tau, power), axis=axis, keepdims=True)
        rate = power * ops.sum(powers_of(tau, power - 1), axis=axis, keepdims=True)
        tau = tau + (mass - ops.stop_gradient(mass)) / rate
    scores = powers_of(tau, power)
    return _hide(scores / ops.sum(scores, axis=axis, keepdims=True), mask)


def sigmoid(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """1 / (1 + exp(-z_i)), each cell for itself: the scores do not sum to 1."""
    return _hide(ops.sigmoid(_filled(logits, mask)), mask)


def normalized_sigmoid(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """sigmoid(z_i) / sum_j sigmoid(z_j), evaluated as the softmax of log sigmoid(z)."""
    return softmax(ops.log_sigmoid(_filled(logits, mask)), mask, axis)


def uniform(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """1 / n on each of the n visible cells, whatever the logits: the control of every other."""
    return softmax(ops.zeros_like(logits), mask, axis)


def _filled(logits: Any, mask: Any) -> Any:
    return logits if mask is None else ops.where(mask, logits, ops.zeros((), logits.dtype))


NORMALIZERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (softmax, sparsemax, entmax15, entmax, sigmoid, normalized_sigmoid, uniform)
}

Spec = str | Mapping[str, Any]


def check(spec: Spec) -> tuple[str, dict[str, Any]]:
    """The name and options of a normalizer given as `"entmax15"` or
    `{"name": "entmax", "alpha": 1.3}`; ValueError if it is neither."""
    if isinstance(spec, str):
        name, options = spec, {}
    elif isinstance(spec, Mapping) and "name" in spec:
        options = dict(spec)
        name = options.pop("name")
    else:
        raise ValueError(
            "`normalizer` must be a name or a dictionary such as "
            f"{{'name': 'entmax', 'alpha': 1.3}}. Received: normalizer={spec!r}"
        )
    if not isinstance(name, str) or name not in NORMALIZERS:
        raise one_of("normalizer", name, NORMALIZERS)
    for option in options:
        if name != "entmax" or option != "alpha":
            raise one_of(
                f"option of the normalizer {name!r}", option, ["alpha"] if name == "entmax" else []
            )
    if "alpha" in options:
        checks.positive("alpha", options["alpha"], above=1.0)
    return name, options


def normalize(
    spec: Spec, logits: Any, mask: Any = None, *, axis: int = -1, temperature: float = 1.0
) -> Any:
    """Scores of `logits / temperature` by the named normalizer.

    Half-precision logits are normalized in float32; the scores come back in the logits' dtype.
    """
    name, options = check(spec)
    dtype = keras.backend.standardize_dtype(logits.dtype)
    work = ops.cast(cast(logits, dtype), "float32") if is_half(dtype) else logits
    if temperature != 1.0:
        work = work / temperature
    return ops.cast(NORMALIZERS[name](work, mask, axis=axis, **options), dtype)
