"""Every step of a sequence attends to every step of it."""

from __future__ import annotations

from typing import Any

from attention_zoo.core import checks
from attention_zoo.layers.base import fixed_size, same_size
from attention_zoo.layers.pairs import Pairs, PairwiseAttention
from attention_zoo.layers.query_value import check_sequence, shape_of
from attention_zoo.layers.register import register
from attention_zoo.layers.scoring import check_score
from attention_zoo.ops import masks


@register("self_attention")
class SelfAttention(PairwiseAttention):
    """Replaces each step of a sequence by a mean of the steps it attends to.

    ```
    logits[i, j] = v . tanh(x[i] W + x[j] U + b)    score="additive"
    logits[i, j] = x[i] W . x[j]                    score="general", the multiplicative one
    logits[i, j] = x[i] . x[j] (/ sqrt(features))   score="dot" ("scaled_dot")
    scores[i] = normalizer(logits[i] / temperature) over the visible j
    output[i] = sum_j scores[i, j] x[j]
    ```

    It is the SeqSelfAttention of keras-self-attention (Z. Huang, 2018), after Cheng, Dong and
    Lapata, 2016 (arXiv:1601.06733) and Vaswani et al., 2017 (arXiv:1706.03762). Its
    `attention_width` w sees j from i - w // 2 to i + (w - 1) // 2: an odd w is `window=w // 2`
    here, and with `history_only` j from i - w + 1 to i, `window=w - 1,
    use_causal_mask=True`. The scalar bias of its logits cancels in a softmax and is left out. Any length works; long ones
    take memory linear in the length unless the scores are wanted, and a window takes time linear
    in it too.

    Differs from keras-self-attention: masked steps are hidden from all, bands are symmetric, no
    scalar bias.

    Masking: masked steps are attended to by nobody and attend to nothing: their scores and
    outputs are exactly 0, whatever they hold, NaN included. The mask is passed on.

    Args:
        units: the width of the additive score's hidden layer; None is the number of features.
        score: `"additive"`, `"general"`, `"dot"` or `"scaled_dot"`.
        window: step i sees only steps j with `|i - j| <= window`; None is no limit.
        use_causal_mask: step i sees only steps up to i.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.
        attention_mask: boolean, `(batch, time, time)`: which step may attend to which.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.
        use_causal_mask: whether step i sees only steps up to i; None is what the layer was made
            with. The last step of what a causal layer has read is the same either way, so that it is
            decoded one step at a time by the last row of `layer(x[:, : t + 1])`.

    Returns:
        A tensor of the input's shape; with `return_attention_scores` also the scores,
        `(batch, time, time)`, 1 in sum over the last axis.

    Raises:
        ValueError: for an input that is not of rank 3, of unknown width or of another width than
            built, or a mask of another shape.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
    >>> y, scores = az.layers.SelfAttention(use_causal_mask=True)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 20, 3), (4, 20, 20))
    """

    def __init__(
        self,
        units: int | None = None,
        score: str = "additive",
        window: int | None = None,
        use_causal_mask: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        check_score(score)
        checks.positive_int("window", window, none=True)
        checks.boolean("use_causal_mask", use_causal_mask)
        self.units = units
        self.score = score
        self.window = window
        self.use_causal_mask = use_causal_mask

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        self.features = fixed_size(self, "feature", input_shape[2])
        self.build_score(self.features, self.features)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool | None = None,
    ) -> Any:
        check_sequence(self, shape_of(inputs) or ())
        x = self.cast_inputs(inputs)
        same_size(self, "features", self.features, x.shape[2])
        mask = masks.standardize(mask, x.shape[:2])
        square = (*x.shape[:2], x.shape[1])
        attention_mask = masks.standardize(attention_mask, square, name="attention_mask")
        x = masks.silence(x, mask)
        outputs, scores = self.look(
            Pairs(x, x, x, mask, mask, attention_mask),
            self.projected(x, x),
            x,
            self.score_function,
            asked=return_attention_scores,
            training=training,
            causal=use_causal_mask,
        )
        return self.finish(outputs, scores, return_attention_scores)

    def compute_scores_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:2], input_shape[1])

    def compute_output_spec(
        self,
        inputs: Any,
        mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool | None = None,
    ) -> Any:
        return super().compute_output_spec(inputs, mask, return_attention_scores, training)
