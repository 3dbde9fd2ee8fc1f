"""One vector from a sequence, by learned queries."""

from __future__ import annotations

from typing import Any

from keras import InputSpec, ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import check_sequence, fixed_size
from attention_zoo.ops.backend import affine, matmul, tanh


@register("pooling")
class AttentionPooling(AttentionLayer):
    """The mean of a sequence's steps, each weighed by how well it fits a learned query.

    ```
    logits[t] = v . tanh(x[t] W + b)               score="additive"
    logits[t] = x[t] . v                           score="dot"
    scores = normalizer(logits / temperature)      over t
    output = sum_t scores[t] x[t]
    ```

    The additive score is that of Yang et al., 2016 (Hierarchical Attention Networks for Document
    Classification, NAACL, aclanthology.org/N16-1174) and, as a feed-forward attention, of Raffel
    and Ellis, 2015 (arXiv:1512.08756), whose logits are the tanh itself. With more than one hop,
    `v` has a column for each and the output is their pooled vectors, one after the other: the
    structured self-attention of Lin et al., 2017 (arXiv:1703.03130), which has no bias; its
    penalty on equal hops is not built in, but your own `scores_regularizer` sees
    `(batch, hops, time)`.

    Any length works. No query can be given: that is LuongAttention or BahdanauAttention.

    Differs from Raffel and Ellis: their logits are the tanh itself; here a learned vector
    follows it, as in Yang et al.

    Masking: masked steps have scores of exactly 0, whatever they hold, NaN included; a sample
    with no visible step gives zeros. The mask is not passed on, since the time axis is gone.

    Args:
        units: the width of the additive score's hidden layer; None is the number of features.
        score: `"additive"` or `"dot"`, which has no hidden layer and no bias.
        hops: the number of learned queries.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.

    Returns:
        `(batch, hops * features)`; with `return_attention_scores` also the scores,
        `(batch, time)`, or `(batch, hops, time)` for more than one hop, 1 in sum over the
        visible steps.

    Raises:
        ValueError: for an input that is not one tensor of rank 3, of unknown width, or of another
            width than built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
    >>> y, scores = az.layers.AttentionPooling(hops=2)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 6), (4, 2, 20))
    """

    kind = "pool"
    score_axes = (("step",), ("hop", "step"))

    def __init__(
        self, units: int | None = None, score: str = "additive", hops: int = 1, **kwargs: Any
    ):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        if score not in ("additive", "dot"):
            raise one_of("score", score, ("additive", "dot"))
        checks.positive_int("hops", hops)
        self.units = units
        self.score = score
        self.hops = hops

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        self._features = fixed_size(self, "feature", input_shape[2])
        self.input_spec = InputSpec(ndim=3, axes={2: self._features})
        width = self._features
        if self.score == "additive":
            width = self.units or width
            self.kernel = self._add_kernel("kernel", (self._features, width))
            self.bias = self._add_bias("bias", (width,))
        self.queries = self._add_kernel("queries", (width, self.hops))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x, mask = self._prepare(inputs, mask)
        logits = self._logits(x)
        if self.hops == 1:
            scores = self._attend(ops.squeeze(logits, -1), mask)
            kept = ops.expand_dims(self._drop(scores, training), 1)
        else:
            logits = ops.swapaxes(logits, 1, 2)
            scores = self._attend(logits, None if mask is None else ops.expand_dims(mask, 1))
            kept = self._drop(scores, training)
        outputs = ops.reshape(matmul(kept, x), (-1, self.hops * self._features))
        return self._finish(outputs, scores, return_attention_scores)

    def _logits(self, x: Any) -> Any:
        if self.score == "dot":
            return matmul(x, self.queries)
        return matmul(tanh(affine(x, self.kernel, self.bias)), self.queries)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.hops * input_shape[2])

    def _scores_shape(self, input_shape: tuple) -> tuple:
        batch, time, _ = input_shape
        return (batch, time) if self.hops == 1 else (batch, self.hops, time)
