"""Attention on two levels: words to sentences to a document, steps to windows to a series."""

from __future__ import annotations

from collections import deque
from typing import Any

import keras
from keras import InputSpec, ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.recorder import segmented
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import fixed_size, one_tensor, reject_rank
from attention_zoo.ops import masks
from attention_zoo.ops.backend import affine, matmul, tanh

_ENCODERS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


@register("hierarchical")
class HierarchicalAttention(AttentionLayer):
    """Makes a vector of each sentence from its words, and one of the document from its sentences.

    ```
    h[i, t] = encoder(x[i])[t]                     x[i, t] itself without an encoder
    logits[i, t] = v . tanh(h[i, t] W + b)
    a[i] = normalizer(logits[i] / temperature)     over the words t of sentence i
    s[i] = sum_t a[i, t] h[i, t]
    output = the same over the sentences i, with other weights
    ```

    Hierarchical Attention Networks for Document Classification, Yang et al., 2016 (NAACL,
    aclanthology.org/N16-1174), which has encoder="gru". With `window`, the input is a series
    that is cut into windows of so many steps, the last one padded: steps to windows to series.
    Numbers of sentences and words may vary.

    Differs from Yang et al.: the recurrent encoders are optional, and a series can be cut into
    windows.

    Masking: masked words have scores of exactly 0, whatever they hold, NaN included; a sentence
    without a visible word has a score of 0; a document without any gives zeros. The mask is not
    passed on, since both axes are gone.

    Args:
        units: the width of the hidden layer of both scores; None is that of what they score.
        window: the number of steps in a window, for an input `(batch, time, features)`; None for
            an input `(batch, sentences, words, features)`.
        encoder: None, `"gru"` or `"lstm"`: what reads the words of each sentence, and then the
            sentences, before they are attended to.
        encoder_units: the width of the encoders, in each direction; None is the number of
            features.
        bidirectional: whether the encoders read both ways.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`; they are not
            those of the encoders.

    Call arguments:
        inputs: `(batch, sentences, words, features)`, or `(batch, time, features)`.
        mask: boolean, the input's leading axes; True is visible.
        return_attention_scores: also return the scores of both levels.
        training: whether dropout is applied.

    Returns:
        `(batch, features)`, or the encoders' width in place of the features; with
        `return_attention_scores` also the pair of the words' scores, `(batch, sentences, words)`,
        and the sentences', `(batch, sentences)`; with a window, those are
        `(batch, windows, window)` and `(batch, windows)`.

    Raises:
        ValueError: for an input of another rank, of unknown width, or of another width than
            built.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
    >>> y, (steps, windows) = az.layers.HierarchicalAttention(window=6)(
    ...     x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(steps.shape), tuple(windows.shape)
    ((4, 3), (4, 4, 6), (4, 4))
    """

    kind = "pool"
    score_axes = (("segment",), ("segment", "step"))

    def __init__(
        self,
        units: int | None = None,
        window: int | None = None,
        encoder: str | None = None,
        encoder_units: int | None = None,
        bidirectional: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        checks.positive_int("window", window, none=True)
        if encoder is not None and encoder not in _ENCODERS:
            raise one_of("encoder", encoder, _ENCODERS)
        checks.positive_int("encoder_units", encoder_units, none=True)
        checks.boolean("bidirectional", bidirectional)
        self.units = units
        self.window = window
        self.encoder = encoder
        self.encoder_units = encoder_units
        self.bidirectional = bidirectional
        self._copied: deque[keras.layers.Layer] = deque()  # not a list, whose layers Keras tracks

    def build(self, input_shape: tuple) -> None:
        self._check_rank(input_shape)
        self._features = fixed_size(self, "feature", input_shape[-1])
        self.input_spec = InputSpec(ndim=len(input_shape), axes={-1: self._features})
        width = self._encoded(self._features)
        for level, features in (("word", self._features), ("sentence", width)):
            units = self.units or width
            for part, weight in (
                ("encoder", self._encoder(f"{level}_encoder", features)),
                ("kernel", self._add_kernel(f"{level}_kernel", (width, units))),
                ("bias", self._add_bias(f"{level}_bias", (units,))),
                ("vector", self._add_kernel(f"{level}_vector", (units, 1))),
            ):
                setattr(self, f"{level}_{part}", weight)

    def _encoded(self, features: int) -> int:
        if self.encoder is None:
            return features
        return (self.encoder_units or features) * (2 if self.bidirectional else 1)

    def _encoder(self, name: str, width: int) -> keras.layers.Layer | None:
        if self.encoder is None:
            return None
        units = self.encoder_units or self._features
        layer = _ENCODERS[self.encoder](
            units, return_sequences=True, dtype=self.dtype_policy, name=name
        )
        if self.bidirectional:
            # While a model is loaded, Keras knows objects by their address: one that is freed here
            # could be taken for the next
            self._copied.append(layer)
            layer = keras.layers.Bidirectional(layer, dtype=self.dtype_policy, name=name)
        layer.build((None, None, width))
        return layer

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x = self._cast(inputs)
        mask = masks.standardize(mask, x.shape[:-1])
        if self.window is not None:
            x, mask = _windows(x, mask, self.window)
        sentences, words = ops.shape(x)[1:3]
        rows = ops.reshape(x, (-1, words, self._features))
        row_mask = None if mask is None else ops.reshape(mask, (-1, words))
        with segmented(sentences):
            rows, word_scores = self._level("word", rows, row_mask, training)
        rows = ops.reshape(rows, (-1, sentences, self._encoded(self._features)))
        word_scores = ops.reshape(word_scores, (-1, sentences, words))
        row_mask = None if mask is None else ops.any(mask, axis=-1)
        outputs, sentence_scores = self._level("sentence", rows, row_mask, training)
        return self._finish(outputs, (word_scores, sentence_scores), return_attention_scores)

    def _level(self, level: str, x: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        """`(rows, steps, width)` to one vector a row, and its scores `(rows, steps)`."""
        encoder, kernel, bias, vector = (
            getattr(self, f"{level}_{part}") for part in ("encoder", "kernel", "bias", "vector")
        )
        x = masks.apply_mask(x, mask)
        if encoder is not None:
            x = masks.apply_mask(encoder(x, mask=mask, training=training), mask)
        logits = matmul(tanh(affine(x, kernel, bias)), vector)
        scores = self._attend(ops.squeeze(logits, -1), mask)
        kept = ops.expand_dims(self._drop(scores, training), 1)
        return ops.squeeze(matmul(kept, x), 1), scores

    def _check_rank(self, shape: tuple) -> None:
        one_tensor(self, shape)
        if self.window is None and len(shape) != 4:
            raise reject_rank(
                self,
                shape,
                "rank 4, (batch, sentences, words, features), as long as `window` is None",
                "Set window= to cut a sequence (batch, time, features) into windows.",
            )
        if self.window is not None and len(shape) != 3:
            raise reject_rank(self, shape, "rank 3, (batch, time, features), with a `window`")

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self._encoded(input_shape[-1]))

    def _scores_shape(self, input_shape: tuple) -> tuple:
        batch, sentences, words = input_shape[:3]
        if self.window is not None:
            words = self.window
            sentences = None if input_shape[1] is None else -(-input_shape[1] // words)
        return (batch, sentences, words), (batch, sentences)


def _windows(x: Any, mask: Any, window: int) -> tuple[Any, Any]:
    """A series as windows, the last of them padded: `(batch, windows, window, features)`."""
    batch, length, features = ops.shape(x)[0], ops.shape(x)[1], x.shape[2]
    # Not -(-length // window): what torch exports rounds a quotient towards 0
    count = (length + window - 1) // window
    padded = x.shape[1] is None or x.shape[1] % window
    if padded and mask is None:
        mask = ops.ones((batch, length), "bool")
    if padded:
        x = ops.pad(x, [[0, 0], [0, window - 1], [0, 0]])[:, : count * window]
        tail = ops.zeros((batch, window - 1), "bool")
        mask = ops.concatenate([mask, tail], axis=1)[:, : count * window]
    x = ops.reshape(x, (-1, count, window, features))
    return x, None if mask is None else ops.reshape(mask, (-1, count, window))
