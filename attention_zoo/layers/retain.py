"""RETAIN: a prediction that is a sum over steps and variables."""

from __future__ import annotations

from typing import Any

import keras
from keras import InputSpec, ops

from attention_zoo.core import checks
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import check_sequence, fixed_size, shape_of
from attention_zoo.ops import masks
from attention_zoo.ops.backend import affine, matmul, tanh


@register("retain")
class RetainAttention(AttentionLayer):
    """Weighs the steps, and the variables within each step, by reading the sequence backwards.

    ```
    v[t] = x[t] E
    g, h = GRU(v), GRU(v)                          each from the last visible step to the first
    alpha = normalizer((g[t] w + b) / temperature) over t
    beta[t] = tanh(h[t] W + c)
    output = sum_t alpha[t] beta[t] * v[t]
    ```

    Choi et al., 2016 (arXiv:1608.05745). The output is linear in the inputs given the weights, so
    that a dense layer on it can be taken apart exactly: see `contributions`. Any length works.

    Differs from Choi et al.: masks, and a normalizer of choice for the step weights.

    Masking: masked steps have alpha and beta of exactly 0, whatever they hold, NaN included, and
    are not read; a sample with no visible step gives zeros. The mask is not passed on, since the
    time axis is gone.

    Args:
        units: the width of `v` and of the output; None is the number of features.
        recurrent_units: the width of both GRUs; None is that of `v`.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`; they are not
            those of the GRUs, and the penalty is on alpha.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.
        return_attention_scores: also return alpha and beta.
        training: whether dropout is applied, to alpha.

    Returns:
        `(batch, units)`; with `return_attention_scores` also the pair of alpha, `(batch, time)`,
        1 in sum over the visible steps, and beta, `(batch, time, units)`, between -1 and 1.

    Raises:
        ValueError: for an input that is not one tensor of rank 3, of unknown width, or of another
            width than built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
    >>> y, (alpha, beta) = az.layers.RetainAttention(units=5)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(alpha.shape), tuple(beta.shape)
    ((4, 5), (4, 20), (4, 20, 5))
    """

    kind = "pool"
    score_axes = (("step",), ("step", "unit"))

    def __init__(self, units: int | None = None, recurrent_units: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        checks.positive_int("recurrent_units", recurrent_units, none=True)
        self.units = units
        self.recurrent_units = recurrent_units

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        self._features = fixed_size(self, "feature", input_shape[2])
        self.input_spec = InputSpec(ndim=3, axes={2: self._features})
        width = self.units or self._features
        states = self.recurrent_units or width
        self.embedding_kernel = self._add_kernel("embedding_kernel", (self._features, width))
        self.step_reader = self._reader("step_reader", states, width)
        self.step_kernel = self._add_kernel("step_kernel", (states, 1))
        self.step_bias = self._add_bias("step_bias", (1,))
        self.variable_reader = self._reader("variable_reader", states, width)
        self.variable_kernel = self._add_kernel("variable_kernel", (states, width))
        self.variable_bias = self._add_bias("variable_bias", (width,))

    def _reader(self, name: str, units: int, width: int) -> keras.layers.Layer:
        reader = keras.layers.GRU(
            units, return_sequences=True, go_backwards=True, dtype=self.dtype_policy, name=name
        )
        reader.build((None, None, width))
        return reader

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x, mask = self._prepare(inputs, mask)
        embedded, alpha, beta = self._weigh(x, mask)
        parts = ops.expand_dims(self._drop(alpha, training), -1) * beta * embedded
        added = {"penalized": alpha, "contributions": parts}
        return self._finish(ops.sum(parts, axis=1), (alpha, beta), return_attention_scores, **added)

    def contributions(self, inputs: Any, kernel: Any, mask: Any = None) -> Any:
        """What each variable of each step adds to the logits of a dense layer on the output.

        ```
        contributions[t, f, k] = alpha[t] x[t, f] sum_u E[f, u] beta[t, u] kernel[u, k]
        ```

        Their sum over steps and variables is the logit of class k without its bias: exactly, as
        far as the arithmetic is, since nothing is approximated.

        Args:
            inputs: `(batch, time, features)`, what this built layer is called on.
            kernel: `(units, outputs)`, the kernel of the dense layer that follows this one.
            mask: boolean, `(batch, time)`.

        Returns:
            `(batch, time, features, outputs)`; 0 on masked steps.

        Example:

        >>> import keras
        >>> layer, dense = az.layers.RetainAttention(units=5), keras.layers.Dense(2)
        >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
        >>> logits = keras.ops.convert_to_numpy(dense(layer(x)))
        >>> parts = keras.ops.convert_to_numpy(layer.contributions(x, dense.kernel))
        >>> np.testing.assert_allclose(parts.sum(axis=(1, 2)), logits, atol=1e-5)
        """
        if not self.built:
            raise ValueError(f"{type(self).__name__} {self.name!r} must be built before it is read")
        check_sequence(self, shape_of(inputs))
        x, mask = self._prepare(inputs, mask, self._features)
        kernel = self._cast(kernel)
        width = self.embedding_kernel.shape[1]
        if len(kernel.shape) != 2 or kernel.shape[0] != width:
            raise ValueError(
                f"`kernel` must have the shape ({width}, outputs), that of the dense layer on the "
                f"output. Received: {tuple(kernel.shape)}"
            )
        _, alpha, beta = self._weigh(x, mask)
        embedding = self._cast(self.embedding_kernel)
        coefficients = ops.einsum("bt,btu,fu,uk->btfk", alpha, beta, embedding, kernel)
        return ops.expand_dims(x, -1) * coefficients

    def _weigh(self, x: Any, mask: Any) -> tuple[Any, Any, Any]:
        embedded = matmul(x, self.embedding_kernel)
        steps = self._read(self.step_reader, embedded, mask)
        logits = affine(steps, self.step_kernel, self.step_bias)
        variables = self._read(self.variable_reader, embedded, mask)
        variables = affine(variables, self.variable_kernel, self.variable_bias)
        alpha = self._attend(ops.squeeze(logits, -1), mask)
        return embedded, alpha, masks.apply_mask(tanh(variables), mask)

    def _read(self, reader: keras.layers.Layer, x: Any, mask: Any) -> Any:
        # A recurrent layer that goes backwards returns its states in the order it read them
        return masks.apply_mask(ops.flip(reader(x, mask=mask), axis=1), mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.units or input_shape[2])

    def _scores_shape(self, input_shape: tuple) -> tuple:
        batch, time, features = input_shape
        return (batch, time), (batch, time, self.units or features)
