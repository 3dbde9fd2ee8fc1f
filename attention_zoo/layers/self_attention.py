"""Every step of a sequence attends to every step of it."""

from __future__ import annotations

from typing import Any

from keras import InputSpec

from attention_zoo.core import checks
from attention_zoo.layers.pairwise import PairwiseAttention, check_score
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import check_sequence, fixed_size
from attention_zoo.ops import masks
from attention_zoo.ops.blockwise import Inputs


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
    use_causal_mask=True`. The scalar bias of its logits cancels in a softmax and is left out. Any
    length works; long ones take memory linear in the length unless the scores are wanted, and a
    window takes time linear in it too.

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
        attention_mask: which step may attend to which, boolean or of numbers 0 and 1:
            `(time, time)`, `(1, time, time)`, `(batch, time, time)` or `(batch, 1, time, time)`.
        return_attention_scores: also return the scores.
        training: whether dropout is applied.
        use_causal_mask: whether step i sees only steps up to i; None is what the layer was made
            with. The last step of a prefix is the same either way, so that a causal layer is
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
        self._features = fixed_size(self, "feature", input_shape[2])
        self.input_spec = InputSpec(ndim=3, axes={2: self._features})
        self._build_score(self._features, self._features, self.units)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool | None = None,
    ) -> Any:
        x, mask = self._prepare(inputs, mask)
        batch, steps = x.shape[:2]
        attention_mask = masks.standardize_pairs(attention_mask, (batch, None, steps, steps))
        outputs, scores = self._attend_pairs(
            self._projected(Inputs(x, x, x, mask, mask, attention_mask)),
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
        )
        return self._finish(outputs, scores, return_attention_scores)

    def _scores_shape(self, inputs: tuple) -> tuple:
        return (*inputs[:2], inputs[1])
