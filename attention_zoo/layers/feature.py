"""Attention over the features of a table, or over the channels of each step."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import InputSpec, ops

from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import fixed_size, reject_rank
from attention_zoo.ops import masks
from attention_zoo.ops.backend import affine


@register("feature")
class FeatureAttention(AttentionLayer):
    """Weighs the last axis: each feature is multiplied by how much it is attended to.

    ```
    logits = x W + b
    scores = normalizer(logits / temperature)      over the features
    output = scores * x
    ```

    On `(batch, features)` it is the attention block for dense models of keras-attention-mechanism
    (P. Remy, 2017): a Dense layer with as many logits as features, a softmax, a product. On
    `(batch, time, features)` it weighs the channels of each time step with the same weights `W`.

    Differs from keras-attention-mechanism: masks, any rank, sparse normalizers, one layer in place
    of two.

    Masking: a mask of the input's leading axes, `(batch, time)`, hides whole steps: their
    scores and outputs are 0, and it is passed on. A mask of the input's own shape hides single
    features (missing values), whose scores are exactly 0; it is not passed on.

    Args:
        kernel_initializer: as in `keras.layers.Dense`; by default `"zeros"`, so that attention
            begins uniform. A random kernel makes the first scores noise, from which models learn
            more slowly.
        **kwargs: the arguments shared by all attention layers (`normalizer`, `temperature`,
            `dropout`, `scores_regularizer`, `use_bias`, initializers, regularizers, constraints,
            `seed`): see `AttentionLayer`.

    Call arguments:
        inputs: `(batch, ..., features)`, of rank 2 or more.
        mask: boolean, `(batch, ...)` or `(batch, ..., features)`; True is visible.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.

    Returns:
        A tensor of the input's shape; with `return_attention_scores` also the scores, of the same
        shape, 1 in sum over the visible features.

    Raises:
        ValueError: for an input of rank 1, of unknown width, or of another width than built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 32)).astype("float32")
    >>> y, scores = az.layers.FeatureAttention(normalizer="entmax15")(
    ...     x, return_attention_scores=True)
    >>> tuple(scores.shape)
    (4, 32)
    """

    score_axes = (("feature",), ("step", "feature"))

    def __init__(self, kernel_initializer: Any = "zeros", **kwargs: Any):
        super().__init__(kernel_initializer=kernel_initializer, **kwargs)

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 2:
            raise reject_rank(self, input_shape, "rank 2 or more, (batch, ..., features)")
        features = fixed_size(self, "feature", input_shape[-1])
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.kernel = self._add_kernel("kernel", (features, features))
        self.bias = self._add_bias("bias", (features,))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x = self._cast(inputs)
        by_feature = mask is not None and np.ndim(mask) == len(x.shape)
        mask = masks.standardize(mask, x.shape if by_feature else x.shape[:-1])
        x = masks.apply_mask(x, mask)
        logits = affine(x, self.kernel, self.bias)
        visible = mask if mask is None or by_feature else ops.expand_dims(mask, -1)
        scores = self._attend(logits, visible)
        return self._finish(x * self._drop(scores, training), scores, return_attention_scores)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None or np.ndim(previous_mask) == len(inputs.shape):
            return None
        return previous_mask
