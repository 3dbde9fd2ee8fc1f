"""Attention over the time steps of a sequence that stays a sequence."""

from __future__ import annotations

from typing import Any

from keras import InputSpec, ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import check_sequence, fixed_size
from attention_zoo.ops.backend import affine, matmul, mean, tanh


@register("temporal")
class TemporalAttention(AttentionLayer):
    """Weighs the time axis: each step is multiplied by how much it is attended to.

    With `score="location"`, the attention block for recurrent models of keras-attention-mechanism
    (P. Remy, 2017), a Dense layer over the time axis:

    ```
    logits[t, f] = sum_s x[s, f] W[s, t] + b[t]
    scores = normalizer(logits / temperature)      over t, for each feature f
    scores = mean over f                           if shared (its SINGLE_ATTENTION_VECTOR)
    output = scores * x
    ```

    Its weights are as many as the steps, squared: the length must be fixed. With
    `score="additive"` the logits come from the content of each step, so that any length works
    (Bahdanau, Cho and Bengio, 2015, arXiv:1409.0473, without a query):

    ```
    logits[t] = tanh(x[t] U + c) V                 V has one column if shared, else one per feature
    ```

    Differs from keras-attention-mechanism: masks, no Permute and RepeatVector, the additive score,
    which takes any length.

    Masking: masked steps have scores and outputs of exactly 0, whatever they hold, NaN included;
    a sample with no visible step gives zeros. The mask is passed on.

    Args:
        shared: one attention vector for all features, instead of one for each.
        score: `"location"` or `"additive"`.
        units: the width of the additive score's hidden layer; None is the number of features.
        kernel_initializer: None is `"zeros"` for the location score, so that attention begins
            uniform, and `"glorot_uniform"` for the additive one. A random location kernel makes
            the first scores noise, from which models learn more slowly.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.

    Returns:
        A tensor of the input's shape; with `return_attention_scores` also the scores,
        `(batch, time, features)`, or `(batch, time)` if shared, 1 in sum over the visible steps.

    Raises:
        ValueError: for an input that is not of rank 3, of unknown width, or, with the location
            score, of unknown length or of another length than built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 2)).astype("float32")
    >>> y, scores = az.layers.TemporalAttention(shared=True)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 20, 2), (4, 20))
    """

    attended_axis = "step"

    def __init__(
        self,
        shared: bool = False,
        score: str = "location",
        units: int | None = None,
        kernel_initializer: Any = None,
        **kwargs: Any,
    ):
        if kernel_initializer is None:
            kernel_initializer = "zeros" if score == "location" else "glorot_uniform"
        super().__init__(kernel_initializer=kernel_initializer, **kwargs)
        checks.boolean("shared", shared)
        if score not in ("location", "additive"):
            raise one_of("score", score, ("location", "additive"))
        checks.positive_int("units", units, none=True)
        self.shared = shared
        self.score = score
        self.units = units

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        features = fixed_size(self, "feature", input_shape[2])
        if self.score == "location":
            steps = fixed_size(
                self,
                "time",
                input_shape[1],
                "Give the input a fixed length, or use score='additive', which takes any length.",
            )
            self.kernel = self._add_kernel("kernel", (steps, steps))
            self.bias = self._add_bias("bias", (steps, 1))
            self.input_spec = InputSpec(ndim=3, axes={1: steps, 2: features})
        else:
            self.input_spec = InputSpec(ndim=3, axes={2: features})
            units = self.units or features
            self.kernel = self._add_kernel("kernel", (features, units))
            self.bias = self._add_bias("bias", (units,))
            self.score_kernel = self._add_kernel(
                "score_kernel", (units, 1 if self.shared else features)
            )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x, mask = self._prepare(inputs, mask)
        logits = self._logits(x)
        scores = self._attend(logits, None if mask is None else ops.expand_dims(mask, -1), axis=1)
        if self.shared:
            scores = mean(scores, axis=-1)
        kept = self._drop(scores, training)
        outputs = x * (ops.expand_dims(kept, -1) if self.shared else kept)
        return self._finish(outputs, scores, return_attention_scores, axis=1)

    def _logits(self, x: Any) -> Any:
        if self.score == "location":
            logits = matmul(ops.transpose(self.kernel), x)
            return logits if self.bias is None else logits + self.bias
        return matmul(tanh(affine(x, self.kernel, self.bias)), self.score_kernel)

    def _scores_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape[:2]) if self.shared else tuple(input_shape)
