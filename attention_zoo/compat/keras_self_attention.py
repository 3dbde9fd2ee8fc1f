"""The layers of the package keras-self-attention 0.51."""

from __future__ import annotations

from typing import Any

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.pooling import AttentionPooling
from attention_zoo.layers.self_attention import SelfAttention

_SCORES = {"additive": "additive", "multiplicative": "general"}


def SeqSelfAttention(
    units: int = 32,
    attention_width: int | None = None,
    attention_type: str = "additive",
    return_attention: bool = False,
    history_only: bool = False,
    *,
    use_additive_bias: bool = True,
    use_attention_bias: bool = True,
    attention_activation: Any = None,
    attention_regularizer_weight: float = 0.0,
    **kwargs: Any,
) -> SelfAttention:
    """The layer that `keras_self_attention.SeqSelfAttention` 0.51 was, as a SelfAttention.

    ```
    attention_type="additive", "multiplicative"    score="additive", "general"
    attention_width=w, odd                         window=w // 2
    attention_width=w, history_only=True           window=w - 1, use_causal_mask=True
    history_only=True                              use_causal_mask=True
    use_additive_bias                              use_bias
    use_attention_bias                             nothing: it cancels in the softmax
    ```

    Masking: as in `SelfAttention`, where nobody attends to a masked step. The package hides a
    masked step from masked steps only, so that visible ones attend to padding: without a mask the
    two are equal, with one they differ, on purpose.

    Args:
        units: the width of the additive score's hidden layer.
        attention_width: how many steps each step sees: an odd number, or with `history_only` any,
            of at least 2; None means all.
        attention_type: `"additive"` or `"multiplicative"`.
        return_attention: False alone; the scores are asked for in the call.
        history_only: whether a step sees only steps up to itself.
        use_additive_bias: whether the additive score has a bias.
        use_attention_bias: True or False, without effect.
        attention_activation: None or `"linear"` alone.
        attention_regularizer_weight: 0 alone.
        **kwargs: the initializers, regularizers and constraints, and all else that `SelfAttention`
            takes. It draws the additive score's vector from `"glorot_uniform"`, whatever
            `kernel_initializer` is.

    Returns:
        A `SelfAttention`: `(batch, time, features)` to the same.

    Raises:
        ValueError: for an argument that has no counterpart; it says what to use.
        TypeError: for a flag that is not True or False.

    Example:

    >>> from attention_zoo.compat import SeqSelfAttention
    >>> layer = SeqSelfAttention(attention_width=15)
    >>> layer.window, tuple(layer(np.ones((4, 20, 6), "float32")).shape)
    (7, (4, 20, 6))
    """
    if attention_type not in _SCORES:
        raise one_of("attention_type", attention_type, tuple(_SCORES))
    checks.boolean("history_only", history_only)
    checks.boolean("use_attention_bias", use_attention_bias)
    _refuse_return(return_attention)
    if attention_activation not in (None, "linear"):
        raise ValueError(
            "`attention_activation` must be None: the logits have no activation here. For scores "
            "that are bounded, pass `temperature` to attention_zoo.layers.SelfAttention. "
            f"Received: attention_activation={attention_activation!r}"
        )
    if attention_regularizer_weight != 0:
        raise ValueError(
            "`attention_regularizer_weight` must be 0. Pass a penalty on the scores as "
            "`scores_regularizer` to attention_zoo.layers.SelfAttention, which sees (batch, time, "
            f"time). Received: attention_regularizer_weight={attention_regularizer_weight!r}"
        )
    kwargs.setdefault("kernel_initializer", "glorot_normal")
    return SelfAttention(
        units,
        _SCORES[attention_type],
        _window(attention_width, history_only),
        use_causal_mask=history_only,
        use_bias=use_additive_bias,
        **kwargs,
    )


def SeqWeightedAttention(
    use_bias: bool = True, return_attention: bool = False, **kwargs: Any
) -> AttentionPooling:
    """The layer that `keras_self_attention.SeqWeightedAttention` 0.51 was.

    It is `AttentionPooling(score="dot")`. The bias of the logits cancels in the softmax and is
    left out, with `use_bias` or without.

    Masking: as in `AttentionPooling`, and as in the package but for a sample with no visible
    step, which gives zeros here and the mean of its steps there. The package adds 1e-7 to
    the sum it divides by, and so far the two differ.

    Args:
        use_bias: True or False, without effect.
        return_attention: False alone; the scores are asked for in the call.
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.

    Returns:
        An `AttentionPooling`: `(batch, time, features)` to `(batch, features)`.

    Raises:
        ValueError: for `return_attention=True`; it says what to use.
        TypeError: for a flag that is not True or False.

    Example:

    >>> from attention_zoo.compat import SeqWeightedAttention
    >>> tuple(SeqWeightedAttention()(np.ones((4, 20, 6), "float32")).shape)
    (4, 6)
    """
    checks.boolean("use_bias", use_bias)
    _refuse_return(return_attention)
    return AttentionPooling(score="dot", kernel_initializer="random_uniform", **kwargs)


def _window(width: int | None, history_only: bool) -> int | None:
    checks.positive_int("attention_width", width, none=True)
    if width is None:
        return None
    if width == 1:
        raise ValueError(
            "`attention_width` must be at least 2: with 1 each step is its own mean, so leave the "
            "layer out. Received: attention_width=1"
        )
    if history_only:
        return width - 1
    if width % 2 == 0:
        raise ValueError(
            "`attention_width` must be odd without history_only: a window here reaches as far back "
            f"as ahead, {width + 1} steps for instance. For one that does not, call "
            "attention_zoo.layers.SelfAttention with an `attention_mask`. "
            f"Received: attention_width={width}"
        )
    return width // 2


def _refuse_return(return_attention: bool) -> None:
    checks.boolean("return_attention", return_attention)
    if return_attention:
        raise ValueError(
            "`return_attention` must be False: call the layer with return_attention_scores=True, "
            "or ask attention_zoo.attention_scores(model, x). Received: return_attention=True"
        )
