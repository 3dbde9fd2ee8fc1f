"""The attention mechanisms of TensorFlow Addons (`tfa.seq2seq`)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers.cross_attention import CrossAttention


class AttentionMechanism(keras.layers.Layer):
    """What `LuongAttention` and `BahdanauAttention` of TensorFlow Addons share.

    It holds a memory, and is called with a query as those were. All that computes is a
    `CrossAttention`, the attribute `attention`: a functional model that a mechanism is used in has
    that layer in it, and is saved and loaded with it alone.

    Args:
        options: the arguments of the layer that attends.
        units, memory, memory_sequence_length, probability_fn: as in the two.
        **kwargs: as in every Keras layer.
    """

    def __init__(
        self,
        options: dict[str, Any],
        units: int,
        memory: Any,
        memory_sequence_length: Any,
        probability_fn: str,
        **kwargs: Any,
    ):
        checks.positive_int("units", units)
        super().__init__(**kwargs)
        self.units = units
        if probability_fn != "softmax":
            raise ValueError(
                "`probability_fn` must be 'softmax'. 'hardmax' has no gradient and no counterpart: "
                "for scores that are mostly 0 use attention_zoo.layers.CrossAttention with "
                "normalizer='sparsemax', and a small `temperature` for nearly one. "
                f"Received: probability_fn={probability_fn!r}"
            )
        self.attention = CrossAttention(**options, **kwargs)
        self.memory = self.memory_mask = None
        if memory is not None:
            self._remember(memory, memory_sequence_length)
        elif memory_sequence_length is not None:
            raise ValueError("`memory_sequence_length` needs a `memory`. Received: memory=None")

    def __call__(self, inputs: Any, *, setup_memory: bool = False) -> Any:
        """Attend from a query; or, with `setup_memory`, keep what is given as the memory.

        Args:
            inputs: `[query, state]`, a query `(batch, width)` and anything, which is ignored; or
                `memory` or `[memory, memory_sequence_length]`.
            setup_memory: whether it is a memory.

        Returns:
            The alignments, `(batch, memory time)`, twice: they are the next state too. With
            `setup_memory`, the memory.
        """
        parts = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if setup_memory:
            return self._remember(*parts)
        if self.memory is None:
            raise ValueError(
                f"{type(self).__name__} has no memory yet. Give `memory` when it is made, or call "
                "it with the memory and setup_memory=True."
            )
        query = ops.expand_dims(parts[0], 1)
        self._check_query(query.shape[-1])
        _, alignments = self.attention(
            query, self.memory, value_mask=self.memory_mask, return_attention_scores=True
        )
        alignments = ops.squeeze(alignments, 1)
        return alignments, alignments

    def _check_query(self, width: int | None) -> None:
        """Refuse a query that the mechanism cannot score."""

    def _remember(self, memory: Any, lengths: Any = None) -> Any:
        if not isinstance(memory, keras.KerasTensor):
            memory = ops.convert_to_tensor(memory)
        self.memory, self.memory_mask = memory, None
        if lengths is not None:
            # The number of each step by a sum, since a length that is not known has no range
            numbers = ops.cumsum(ops.ones_like(memory[:, :, 0], dtype="int32"), axis=1)
            if not isinstance(lengths, keras.KerasTensor):
                lengths = ops.convert_to_tensor(lengths)
            self.memory_mask = numbers <= ops.expand_dims(ops.cast(lengths, "int32"), 1)
        return memory


class LuongAttention(AttentionMechanism):
    """The mechanism that `tfa.seq2seq.LuongAttention` was.

    ```
    logits[j] = g query . (memory[j] M)
    alignments = softmax(logits)                   over the j within the memory's length
    ```

    Weights are carried over into `attention`, a `CrossAttention(score="general")`, by

    ```
    score_kernel = memory_layer/kernel transposed, times attention_g with scale=True
    ```

    Masking: steps past `memory_sequence_length`, and those that the memory's Keras mask hides,
    have alignments of exactly 0, as there; where none is left they are all 0, not NaN.

    Args:
        units: the width of the query.
        memory: `(batch, memory time, memory width)`, or None until it is set up.
        memory_sequence_length: integers, `(batch,)`: how many steps of each are real.
        scale: True or False, without effect: the factor `g` is one with the kernel.
        probability_fn: `"softmax"` alone.
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.

    Call arguments:
        inputs: `[query, state]`; see `AttentionMechanism`.
        setup_memory: whether `inputs` is a memory to keep.

    Returns:
        The alignments, `(batch, memory time)`, and the next state, which is the same.

    Raises:
        ValueError: for another `probability_fn`, a query of another width than `units`, or a call
            before there is a memory; it says what to use.
        TypeError: for a flag that is not True or False.

    Example:

    >>> import keras
    >>> from attention_zoo.compat import LuongAttention
    >>> memory = np.random.default_rng(0).normal(size=(4, 20, 6)).astype("float32")
    >>> mechanism = LuongAttention(8, memory, memory_sequence_length=[20, 20, 9, 3])
    >>> alignments, state = mechanism([np.ones((4, 8), "float32"), None])
    >>> tuple(alignments.shape), float(keras.ops.convert_to_numpy(alignments)[3, 3:].sum())
    ((4, 20), 0.0)
    """

    def __init__(
        self,
        units: int,
        memory: Any = None,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: str = "softmax",
        **kwargs: Any,
    ):
        checks.boolean("scale", scale)
        options = {"score": "general"}
        super().__init__(options, units, memory, memory_sequence_length, probability_fn, **kwargs)

    def _check_query(self, width: int | None) -> None:
        if width != self.units:
            raise ValueError(
                f"`units` must be the width of the query. Received: units={self.units} and a query "
                f"of width {width}"
            )


class BahdanauAttention(AttentionMechanism):
    """The mechanism that `tfa.seq2seq.BahdanauAttention` was.

    ```
    logits[j] = v . tanh(query Q + memory[j] M)
    logits[j] = g v / |v| . tanh(query Q + memory[j] M + b)    with normalize
    alignments = softmax(logits)                   over the j within the memory's length
    ```

    Weights are carried over into `attention`, a `CrossAttention(units, score="additive")`, by

    ```
    query_kernel = query_layer/kernel              key_kernel = memory_layer/kernel
    score_vector = attention_v                     score_bias = attention_b with normalize
                   with normalize attention_g attention_v / |attention_v|
    ```

    Differs from TensorFlow Addons: with `normalize` the vector is one weight, without a length
    apart from its direction, and starts from `"glorot_uniform"`. It predicts the same and trains
    otherwise.

    Masking: as in `LuongAttention`.

    Args:
        units: the width of the score's hidden layer.
        memory, memory_sequence_length: as in `LuongAttention`.
        normalize: whether the score has a bias.
        probability_fn: `"softmax"` alone.
        kernel_initializer: that of the two kernels.
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.

    It is called, and returns, as `LuongAttention`.

    Raises:
        ValueError: for another `probability_fn`, or a call before there is a memory.
        TypeError: for a flag that is not True or False.

    Example:

    >>> from attention_zoo.compat import BahdanauAttention
    >>> mechanism = BahdanauAttention(8)
    >>> memory = mechanism(np.ones((4, 20, 6), "float32"), setup_memory=True)
    >>> alignments, state = mechanism([np.ones((4, 3), "float32"), None])
    >>> tuple(alignments.shape)
    (4, 20)
    """

    def __init__(
        self,
        units: int,
        memory: Any = None,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: str = "softmax",
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ):
        checks.boolean("normalize", normalize)
        options = {"units": units, "use_bias": normalize, "kernel_initializer": kernel_initializer}
        super().__init__(options, units, memory, memory_sequence_length, probability_fn, **kwargs)
