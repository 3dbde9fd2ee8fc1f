"""A recurrent cell that attends to a memory at each of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops, tree

from attention_zoo.ops import masks
from attention_zoo.ops.arithmetic import matmul, tanh
from attention_zoo.ops.monotonic import monotonic

if TYPE_CHECKING:
    from attention_zoo.layers.attention_decoder import AttentionDecoder


class AttentionCell:
    """One step of an `AttentionDecoder` over one memory.

    It is what `decoder.over(memory, memory_mask)` returns: a cell with the decoder's weights, for
    `keras.layers.RNN` or for a loop of one's own, such as a search that feeds each answer back:

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
        memory: `(batch, memory time, memory width)`, already silent where it is masked.
        memory_mask: boolean, `(batch, memory time)`, or None.
        training: whether a monotonic decoder reads softly even if it is hard.
        draws: which random tensors `(batch, memory time)` follow the features of its inputs:
            `"noise"`, added to the logits, and `"kept"`, which multiplies the alignments.
        append_alignments: whether they follow its output on the last axis, since
            `keras.layers.RNN` collects one tensor.
    """

    def __init__(
        self,
        decoder: AttentionDecoder,
        memory: Any,
        memory_mask: Any = None,
        *,
        training: bool = False,
        draws: tuple[str, ...] = (),
        append_alignments: bool = False,
    ):
        self.decoder, self.memory, self.memory_mask = decoder, memory, memory_mask
        self.training, self.draws, self.append_alignments = training, draws, append_alignments
        self._keys = decoder.keys(memory)
        self.compute_dtype = decoder.compute_dtype
        self.state_size = [decoder.cell.state_size, decoder.attention_width, memory.shape[1]]
        self.output_size = decoder.output_width

    def get_initial_state(self, batch_size: Any = None, initial_state: Any = None) -> list:
        """The state before the first step.

        Args:
            batch_size: ignored, since the memory has it; `keras.layers.RNN` gives it.
            initial_state: the wrapped cell's states, such as an encoder's last; by default zeros.
        """
        batch, length = ops.shape(self.memory)[:2]
        inner = keras.layers.RNN(self.decoder.cell, name="rnn").get_initial_state(batch)
        if initial_state is not None:
            inner = tree.pack_sequence_as(inner, tree.flatten(initial_state))
        attention = ops.zeros((batch, self.decoder.attention_width), self.compute_dtype)
        start = ops.cast(ops.arange(length) == 0, self.compute_dtype)
        alignments = ops.ones((batch, 1), self.compute_dtype) * start
        return [tree.map_structure(self._cast, inner), attention, alignments]

    def __call__(self, inputs: Any, states: Any) -> tuple[Any, list]:
        return self.call(inputs, states)

    def call(self, inputs: Any, states: Any) -> tuple[Any, list]:
        """The output of one step and the states after it.

        Args:
            inputs: `(batch, features)`.
            states: what `get_initial_state` or the step before returned.
        """
        decoder = self.decoder
        inner, attention, alignments = states
        x, drawn = self._split(ops.cast(ops.convert_to_tensor(inputs), self.compute_dtype))
        if decoder.input_feeding:
            x = ops.concatenate([x, attention], axis=-1)
        state, inner = decoder.cell(x, inner)
        inner = list(inner) if tree.is_nested(inner) else [inner]
        inner, state = tree.map_structure(self._cast, inner), self._cast(state)
        logits = decoder.step_logits(state, self._keys)
        alignments = self._cast(self._align(logits, alignments, drawn))
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

    def _align(self, logits: Any, previous: Any, drawn: dict[str, Any]) -> Any:
        decoder, mask = self.decoder, self.memory_mask
        if not decoder.monotonic:
            return decoder.normalize(logits, mask)
        if decoder.stop is not None:
            logits = logits + decoder.stop
        if "noise" in drawn:
            logits = logits + drawn["noise"]
        if decoder.monotonic == "hard" and not self.training:
            chosen = ops.cast(logits > 0, logits.dtype)
        else:
            chosen = ops.sigmoid(logits / decoder.temperature)
        return monotonic(masks.silence(chosen, mask), previous)

    def _split(self, inputs: Any) -> tuple[Any, dict[str, Any]]:
        if not self.draws:
            return inputs, {}
        width, length = self.decoder.input_width, ops.shape(self.memory)[1]
        starts = [width + i * length for i in range(len(self.draws))]
        drawn = [inputs[:, start : start + length] for start in starts]
        # Of unknown memory length, a slice would not know its width
        x = ops.reshape(inputs[:, :width], (-1, width))
        return x, dict(zip(self.draws, drawn, strict=True))

    def _cast(self, x: Any) -> Any:
        return ops.cast(x, self.compute_dtype)
