"""An AttentionDecoder's step over a memory, and its loop over the steps of its inputs."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops, tree

from attention_zoo.layers.cells import width_of
from attention_zoo.layers.recorder import ACTIVE
from attention_zoo.ops import masks, scores
from attention_zoo.ops.backend import affine, is_half, matmul, tanh


class AttentionCell:
    """One step of an `AttentionDecoder` over one memory.

    It is what `decoder.over(memory, memory_mask)` returns: a cell with the decoder's weights, for
    `keras.layers.RNN` or for a user's loop, such as a beam search that feeds each output back:

    ```
    state = cell.get_initial_state()
    output, state = cell(inputs, state)            as often as there are steps
    alignments = state[-1]
    ```

    It holds the memory and no weights, so it is made where the memory is, inside `call` or
    outside of a model, and is not saved; save the decoder. Its state is a list: the states of
    the wrapped cell, the attention that is fed to the next step, the alignments.

    Args:
        decoder: the `AttentionDecoder` whose weights it uses.
        memory: `(batch, memory time, memory width)`, 0 where it is masked.
        memory_mask: boolean, `(batch, memory time)`, or None.
        training: whether a monotonic decoder reads softly even if it is hard.
        draws: which random tensors `(batch, memory time)` follow the features of its inputs:
            `"noise"`, added to the logits, and `"kept"`, which multiplies the alignments.
        append_alignments: whether they follow its output on the last axis, since
            `keras.layers.RNN` collects one tensor.

    Call arguments:
        inputs: `(batch, features)`, those of one step.
        states: what `get_initial_state` or the step before returned.

    Example:

    >>> decoder = az.layers.AttentionDecoder({"class_name": "GRUCell", "config": {"units": 6}})
    >>> decoder.build((None, None, 3), (None, None, 5))
    >>> cell = decoder.over(np.ones((2, 7, 5), "float32"))
    >>> output, state = cell(np.ones((2, 3), "float32"), cell.get_initial_state())
    >>> tuple(state[-1].shape)
    (2, 7)
    """

    def __init__(
        self,
        decoder: Any,
        memory: Any,
        memory_mask: Any = None,
        *,
        training: bool = False,
        draws: tuple[str, ...] = (),
        append_alignments: bool = False,
    ):
        self.decoder, self.memory, self.memory_mask = decoder, memory, memory_mask
        self.training, self.draws, self.append_alignments = training, draws, append_alignments
        # The part of the score that needs no query, once for all steps
        self._keys = matmul(memory, decoder.key_kernel) if decoder.score == "additive" else memory
        self.compute_dtype = decoder.compute_dtype
        self.state_size = [decoder.cell.state_size, decoder._fed_width, memory.shape[1]]
        self.output_size = decoder._output_width

    def get_initial_state(self, batch_size: Any = None, initial_state: Any = None) -> list:
        """The state before the first step.

        Args:
            batch_size: ignored, since the memory has it; `keras.layers.RNN` gives it.
            initial_state: the wrapped cell's states, such as an encoder's last; by default zeros.

        Returns:
            A list: the wrapped cell's states, the attention fed to the first step, the alignments.
        """
        batch, length = ops.shape(self.memory)[:2]
        cell = self.decoder.cell
        if hasattr(cell, "get_initial_state"):
            inner = cell.get_initial_state(batch_size=batch)
        else:
            sizes = tree.flatten(cell.state_size)
            inner = [ops.zeros((batch, size), self.compute_dtype) for size in sizes]
        inner = list(inner) if tree.is_nested(inner) else [inner]
        if initial_state is not None:
            inner = tree.pack_sequence_as(inner, tree.flatten(initial_state))
        attention = ops.zeros((batch, self.decoder._fed_width), self.compute_dtype)
        start = ops.cast(ops.arange(length) == 0, self.compute_dtype)
        alignments = ops.ones((batch, 1), self.compute_dtype) * start
        return [tree.map_structure(self._cast, inner), attention, alignments]

    def __call__(self, inputs: Any, states: Any) -> tuple[Any, list]:
        return self.call(inputs, states)

    def call(self, inputs: Any, states: Any) -> tuple[Any, list]:
        """The output of one step, `(batch, width)`, and the states after it."""
        decoder = self.decoder
        inner, attention, alignments = states
        x, drawn = self._split(ops.cast(ops.convert_to_tensor(inputs), self.compute_dtype))
        if decoder.input_feeding:
            x = ops.concatenate([x, attention], axis=-1)
        state, inner = decoder.cell(x, inner)
        inner = list(inner) if tree.is_nested(inner) else [inner]
        inner, state = tree.map_structure(self._cast, inner), self._cast(state)
        alignments = self._cast(self._align(self._logits(state), alignments, drawn))
        kept = alignments * drawn["kept"] if "kept" in drawn else alignments
        context = ops.squeeze(matmul(ops.expand_dims(kept, 1), self.memory), 1)
        output = attention = ops.concatenate([context, state], axis=-1)
        if decoder.units is None:
            attention = context
        else:
            output = attention = tanh(matmul(output, decoder.output_kernel))
        states = [inner, self._cast(attention), alignments]
        if self.append_alignments:
            output = ops.concatenate([output, alignments], axis=-1)
        return self._cast(output), states

    def _logits(self, state: Any) -> Any:
        # In a loop TensorFlow's XLA refuses products of tensors of unequal rank
        decoder = self.decoder
        if decoder.score == "additive":
            hidden = affine(state, decoder.query_kernel, decoder.score_bias)
            pairs = tanh(ops.expand_dims(hidden, 1) + self._keys)
            return ops.sum(pairs * decoder.score_vector, axis=-1)
        query = matmul(state, decoder.score_kernel) if decoder.score == "general" else state
        fit = scores.scaled_dot if decoder.score == "scaled_dot" else scores.dot
        return ops.squeeze(fit(ops.expand_dims(query, 1), self._keys), 1)

    def _align(self, logits: Any, previous: Any, drawn: dict[str, Any]) -> Any:
        decoder, mask = self.decoder, self.memory_mask
        if not decoder.monotonic:
            return decoder._normalize(logits, mask)
        if decoder.stop is not None:
            logits = logits + decoder.stop
        if "noise" in drawn:
            logits = logits + drawn["noise"]
        if decoder.monotonic == "hard" and not self.training:
            chosen = ops.cast(logits > 0, logits.dtype)
        else:
            chosen = ops.sigmoid(logits / decoder.temperature)
        return monotonic(masks.apply_mask(chosen, mask), previous)

    def _split(self, inputs: Any) -> tuple[Any, dict[str, Any]]:
        if not self.draws:
            return inputs, {}
        width, length = self.decoder._input_width, ops.shape(self.memory)[1]
        starts = [width + i * length for i in range(len(self.draws))]
        drawn = [inputs[:, start : start + length] for start in starts]
        # Of unknown memory length, a slice would not know its width
        x = ops.reshape(inputs[:, :width], (-1, width))
        return x, dict(zip(self.draws, drawn, strict=True))

    def _cast(self, x: Any) -> Any:
        return ops.cast(x, self.compute_dtype)


def decode(
    decoder: Any, steps: tuple, memories: tuple, initial_state: Any, training: bool
) -> tuple[Any, Any]:
    """The outputs and the scores of all steps, `(batch, time, ...)` each, 0 where masked.

    `steps` and `memories` are a tensor and its mask each. What is random in training, dropout and
    noise, is drawn before the loop: inside, it is lost on JAX.
    """
    (x, mask), (memory, memory_mask) = steps, memories
    shape = ops.shape(x)[:2] + ops.shape(memory)[1:2]
    draws = {}
    if training and decoder.noise:
        draws["noise"] = keras.random.normal(
            shape, stddev=decoder.noise, dtype=decoder.compute_dtype, seed=decoder._seeds
        )
    if training and decoder.dropout:
        draws["kept"] = decoder._drop(ops.ones(shape, decoder.compute_dtype), True)
    cell = AttentionCell(decoder, memory, memory_mask, training=training, append_alignments=True)
    cell.draws = tuple(draws)
    rnn = keras.layers.RNN(
        cell,
        return_sequences=True,
        zero_output_for_mask=True,
        dtype=decoder.dtype_policy,
        name="rnn",
    )
    state = cell.get_initial_state(initial_state=initial_state)
    x = ops.concatenate([x, *draws.values()], axis=-1) if draws else x
    parts = getattr(decoder.cell, "cells", [decoder.cell])
    try:
        if training:
            width = decoder._input_width + (decoder._fed_width if decoder.input_feeding else 0)
            for part in parts:
                # `keras.layers.RNN` does so for Keras's own cells alone
                if hasattr(part, "get_dropout_mask"):
                    batch, dtype = ops.shape(x)[0], part.compute_dtype
                    part.get_dropout_mask(ops.ones((batch, width), dtype))
                    part.get_recurrent_dropout_mask(ops.ones((batch, part.units), dtype))
                width = width_of(part)
        found = rnn(x, initial_state=state, mask=mask)
    finally:
        for part in parts:
            if hasattr(part, "reset_dropout_mask"):
                part.reset_dropout_mask()
                part.reset_recurrent_dropout_mask()
    width = decoder._output_width
    alignments = found[..., width:]
    # Made inside the loop, out of which no recorder gets anything
    if (recorder := ACTIVE.get()) is not None:
        recorder.record_mask(alignments, memory_mask, -1)
    # Beside scores of unknown length, a slice would not know its width
    return ops.reshape(found[..., :width], (*ops.shape(found)[:2], width)), alignments


def monotonic(chosen: Any, previous: Any) -> Any:
    """The expected alignment of a reader that moves forward and stops where it chooses to.

    ```
    reached[j] = reached[j - 1] (1 - chosen[j - 1]) + previous[j]
    alignment[j] = chosen[j] reached[j]
    ```

    Raffel et al., 2017 (arXiv:1704.00784), equation 11. What is never chosen is lost at the end,
    so the sum may be less than 1. It is evaluated by doubling: products and sums of numbers
    between 0 and 1, exact where the quotient of cumulative products overflows.

    Args:
        chosen: `(batch, keys)`, the probability to stop at each key once it is reached; 0 passes
            over it.
        previous: `(batch, keys)`, the alignment of the query before; at the first query, all on
            the first key.
    """
    dtype = chosen.dtype
    work = "float32" if is_half(dtype) else dtype
    chosen, reached = ops.cast(chosen, work), ops.cast(previous, work)
    length = chosen.shape[-1]
    keys, zero = ops.arange(ops.shape(chosen)[-1]), ops.zeros((), work)

    def back(x: Any, steps: int) -> Any:
        return ops.where(keys >= steps, ops.roll(x, steps, axis=-1), zero)

    passed = back(1 - chosen, 1)
    # Of unknown length it may be anything an int32 can index
    for doubling in range(31 if length is None else (length - 1).bit_length()):
        reached = reached + passed * back(reached, 2**doubling)
        passed = passed * back(passed, 2**doubling)
    return ops.cast(chosen * reached, dtype)
