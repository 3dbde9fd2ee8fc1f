"""Quantiles that do not cross, and the loss that makes quantiles of outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers.arguments import from_saved
from attention_zoo.layers.register import serializable
from attention_zoo.layers.shapes import check_sequence, fixed_size


def check_quantiles(quantiles: Any) -> tuple[float, ...] | None:
    """Quantiles as a tuple, or None; ValueError if they are not increasing between 0 and 1."""
    if quantiles is None:
        return None
    given = tuple(quantiles) if isinstance(quantiles, (tuple, list)) else (quantiles,)
    for one in given:
        checks.rate("quantiles", one)
    rising = all(a < b for a, b in zip((0.0, *given), given, strict=False))
    if not given or not rising:
        raise ValueError(
            "`quantiles` must be numbers between 0 and 1, each larger than the one before it, "
            f"such as (0.1, 0.5, 0.9). Received: {quantiles!r}"
        )
    return given


@serializable
class QuantileOutput(keras.layers.Layer):
    """Makes forecasts of what a dense layer returns: of quantiles, each above the one before it.

    ```
    q[m] = z[m]                         m the middle one
    q[i] = q[i - 1] + softplus(z[i])    the others, to both sides
    forecast = q * scale + offset
    ```

    Gasthaus et al., 2019 (Probabilistic Forecasting with Spline Quantile Function RNNs, AISTATS)
    has quantiles grow in such steps, so that they never cross. `scale` and `offset` are weights
    that do not train: 1 and 0, or what brings forecasts to the user's units.

    Args:
        targets: how many targets there are.
        quantiles: numbers between 0 and 1, increasing; None for one forecast.

    Call arguments:
        inputs: `(batch, horizon, targets * quantiles)`.

    Returns:
        `(batch, horizon[, targets][, quantiles])`, without the axes of one target and of no
        quantiles; float32.

    Raises:
        ValueError: for quantiles that are not increasing between 0 and 1, or inputs of another
            width.

    Example:

    >>> layer = az.layers.QuantileOutput(quantiles=(0.1, 0.5, 0.9))
    >>> forecast = layer(np.random.default_rng(0).normal(size=(4, 7, 3)).astype("float32"))
    >>> tuple(forecast.shape), bool((np.diff(np.asarray(forecast)) > 0).all())
    ((4, 7, 3), True)
    """

    def __init__(self, targets: int = 1, quantiles: Sequence[float] | None = None, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        checks.positive_int("targets", targets)
        check_quantiles(quantiles)
        self.targets = targets
        self.quantiles = quantiles

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        horizon = fixed_size(self, "time", input_shape[1])
        width = self.targets * self._count()
        if input_shape[2] != width:
            raise ValueError(
                f"QuantileOutput takes {width} features here: targets times quantiles. "
                f"Received: {input_shape[2]}"
            )
        shape = (horizon,) if self.targets == 1 else (horizon, self.targets)
        for name, initial in (("scale", "ones"), ("offset", "zeros")):
            weight = self.add_weight(name=name, shape=shape, initializer=initial, trainable=False)
            setattr(self, name, weight)

    def _count(self) -> int:
        return len(check_quantiles(self.quantiles) or (None,))

    def call(self, inputs: Any) -> Any:
        count = self._count()
        shape = self.compute_output_shape(inputs.shape)[1:]
        x = ops.reshape(inputs, (-1, *(shape if self.quantiles else (*shape, 1))))
        if count > 1:
            rises = ops.cumsum(ops.softplus(x[..., 1:]), axis=-1)
            rises = ops.concatenate([ops.zeros_like(x[..., :1]), rises], axis=-1)
            middle = count // 2
            x = x[..., :1] + rises - rises[..., middle : middle + 1]
        x = x * ops.expand_dims(self.scale, -1) + ops.expand_dims(self.offset, -1)
        return x if self.quantiles else ops.squeeze(x, -1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        several = () if self.targets == 1 else (self.targets,)
        return (*input_shape[:2], *several, *((self._count(),) if self.quantiles else ()))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> QuantileOutput:
        return cls(**from_saved(cls, config))

    def get_config(self) -> dict[str, Any]:
        own = {"targets": self.targets, "quantiles": self.quantiles}
        return {**super().get_config(), **own}


@serializable
class PinballLoss(keras.losses.Loss):
    """The pinball loss of quantiles, of the median alone where there are none.

    ```
    loss = max(q (y - f), (q - 1) (y - f))     its mean over steps, targets and quantiles
    ```

    Koenker and Bassett, 1978 (Regression Quantiles, Econometrica 46): the forecast that makes it
    least is the quantile. A target that is NaN is missing, and counts for nothing.

    Args:
        quantiles: as the model returns them in its last axis; None for a model that returns one
            forecast, which is then half its absolute error.
        name: of the loss.
        **kwargs: as in every Keras loss.

    Call arguments:
        y_true: `(batch, ...)`, NaN where a target is missing.
        y_pred: of the same shape, with an axis of quantiles more where there are some.

    Returns:
        The mean loss of the samples.

    Raises:
        ValueError: for quantiles that are not increasing between 0 and 1.

    Example:

    >>> loss = az.layers.PinballLoss((0.1, 0.9))
    >>> round(float(loss(np.array([[1.0, np.nan]]), np.array([[[0.0, 2.0], [5.0, 5.0]]]))), 3)
    0.1
    """

    def __init__(self, quantiles: Sequence[float] | None = None, name: str = "pinball", **kwargs):
        super().__init__(name=name, **kwargs)
        check_quantiles(quantiles)
        self.quantiles = quantiles

    def call(self, y_true: Any, y_pred: Any) -> Any:
        pred = ops.convert_to_tensor(y_pred)
        true = ops.cast(ops.convert_to_tensor(y_true), pred.dtype)
        quantiles = ops.convert_to_tensor(check_quantiles(self.quantiles) or (0.5,), pred.dtype)
        if len(true.shape) < len(pred.shape):
            true = ops.expand_dims(true, -1)
        seen = ops.logical_not(ops.isnan(true))
        # Never NaN where it does not count: gradients pass through both sides of a choice
        error = ops.where(seen, true, ops.zeros((), pred.dtype)) - pred
        loss = ops.maximum(quantiles * error, (quantiles - 1) * error)
        seen = ops.cast(ops.broadcast_to(seen, ops.shape(loss)), pred.dtype)
        axes = tuple(range(1, len(loss.shape)))
        count = ops.maximum(ops.sum(seen, axis=axes), ops.ones((), pred.dtype))
        return ops.sum(loss * seen, axis=axes) / count

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "quantiles": self.quantiles}
