"""Weighs the columns of a table, or of each time step, by gated residual networks."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import InputSpec, ops

from attention_zoo.core import checks
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import fixed_size, reject_rank
from attention_zoo.ops import masks
from attention_zoo.ops.backend import affine, cast, is_half, matmul, mean, tanh

#: As `keras.layers.LayerNormalization` has it.
_EPSILON = 1e-3


@register("variable_selection")
class VariableSelection(AttentionLayer):
    """One vector from the columns, each read by its own network and weighed.

    ```
    e[j] = x[j] E[j] + b[j]                            each column as a vector
    scores = normalizer(GRN([e[1]; e[2]; ...]) / temperature)        over j
    output = sum_j scores[j] GRN_j(e[j])

    GRN(a) = LayerNorm(S a + g * v)
    g, v = sigmoid(h G + b_G), h V + b_V               h = elu(a K + b_K) H + b_H
    ```

    The variable selection network of the Temporal Fusion Transformer (Lim et al., 2021, Section
    4.2, arXiv:1912.09363): a weight for each column, sample and step. S is 1 but for the weights,
    where widths differ. Any number of steps works, and a table, which has none.

    Differs from Lim et al.: masks, for single cells too, a normalizer of choice, and no dropout
    within the networks. Static columns are columns like others, and no context.

    Masking: masked cells have scores of exactly 0, whatever they hold, NaN included, and are not
    read; where no cell is visible the output is 0. A mask of the steps is passed on.

    Args:
        units: the width of the vectors and of the output; None is the number of columns.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`. `use_bias`
            is about all networks.

    Call arguments:
        inputs: `(batch, columns)`, `(batch, time, columns)` or of higher rank.
        mask: boolean, of the shape of the inputs, or of all of its axes but the last; True is
            visible.
        return_attention_scores: also return the scores.
        training: whether dropout is applied, to the scores.

    Returns:
        `(batch, ..., units)`; with `return_attention_scores` also the scores, shaped like the
        inputs, 1 in sum over the visible columns.

    Raises:
        ValueError: for an input of rank 1, of unknown width, or of another width than built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
    >>> y, scores = az.layers.VariableSelection(units=8)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 20, 8), (4, 20, 3))
    """

    kind = "sequence"
    score_axes = (("feature",), ("step", "feature"))

    def __init__(self, units: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        self.units = units

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 2:
            raise reject_rank(self, input_shape, "rank 2 or more, (batch, ..., columns)")
        columns = self._columns = fixed_size(self, "column", input_shape[-1])
        self.input_spec = InputSpec(min_ndim=2, axes={-1: columns})
        width = self.units or columns
        self.embedding = self._add_kernel("embedding", (columns, width))
        self.embedding_bias = self._add_bias("embedding_bias", (columns, width))
        self._weighing = self._networks("weights", 1, columns * width, width, columns)
        self.skip_kernel = self._add_kernel("skip_kernel", (columns * width, columns))
        self._reading = self._networks("columns", columns, width, width, width)

    def _networks(self, name: str, count: int, width: int, hidden: int, out: int) -> dict[str, Any]:
        """The weights of so many gated residual networks, side by side."""
        found = {}
        sizes = {"kernel": (width, hidden), "hidden": (hidden, hidden)}
        sizes |= {"gate": (hidden, out), "value": (hidden, out)}
        for part, (rows, size) in sizes.items():
            found[part] = self._add_kernel(f"{name}_{part}", (rows, count * size))
            found[f"{part}_bias"] = self._add_bias(f"{name}_{part}_bias", (count * size,))
        for part, begin in (("scale", "ones"), ("shift", "zeros")):
            found[part] = self.add_weight(
                name=f"{name}_{part}", shape=(count * out,), initializer=begin
            )
        return found

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x = self._cast(inputs)
        by_cell = mask is not None and np.ndim(mask) == len(x.shape)
        mask = masks.standardize(mask, x.shape if by_cell else x.shape[:-1])
        visible = mask if mask is None or by_cell else ops.expand_dims(mask, -1)
        work = "float32" if is_half(x.dtype) else x.dtype
        x = ops.expand_dims(ops.cast(masks.apply_mask(x, mask), work), -1)
        embedded = x * ops.cast(self.embedding, work)
        if self.use_bias:
            embedded = embedded + ops.cast(self.embedding_bias, work)
        if visible is not None:
            cells = ops.expand_dims(visible, -1) if by_cell else visible
            embedded = masks.apply_mask(embedded, cells)
        width = self.units or self._columns
        leading = ops.shape(inputs)[:-1]
        rows = ops.reshape(embedded, (-1, self._columns, width))
        flat = ops.reshape(rows, (-1, self._columns * width))
        skipped = matmul(flat, ops.cast(self.skip_kernel, work))
        logits = _gated(flat[None], skipped[None], self._weighing)
        logits = ops.reshape(logits, (*leading, self._columns))
        scores = self._attend(cast(logits, self.compute_dtype), visible)
        kept = ops.reshape(ops.cast(self._drop(scores, training), work), (-1, 1, self._columns))
        columns = ops.swapaxes(rows, 0, 1)
        read = ops.swapaxes(_gated(columns, columns, self._reading), 0, 1)
        outputs = ops.reshape(matmul(kept, read), (*leading, width))
        return self._finish(cast(outputs, self.compute_dtype), scores, return_attention_scores)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None or np.ndim(previous_mask) == len(inputs.shape):
            return None
        return previous_mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units or input_shape[-1])


def _gated(x: Any, residual: Any, networks: dict[str, Any]) -> Any:
    """Gated residual networks side by side, `(networks, samples, width)`."""
    count = x.shape[0]

    def weight(name: str) -> Any:
        found = networks[name]
        if found is None:
            return None
        found = ops.reshape(ops.cast(found, x.dtype), (-1, count, found.shape[-1] // count))
        return ops.swapaxes(found, 0, 1)

    def dense(name: str, x: Any) -> Any:
        return affine(x, weight(name), weight(f"{name}_bias"))

    hidden = dense("hidden", ops.elu(dense("kernel", x)))
    gate = (tanh(dense("gate", hidden) / 2) + 1) / 2  # the sigmoid
    total = residual + gate * dense("value", hidden)
    centered = total - ops.expand_dims(mean(total, axis=-1), -1)
    variance = ops.expand_dims(mean(centered * centered, axis=-1), -1)
    return centered * ops.rsqrt(variance + _EPSILON) * weight("scale") + weight("shift")
