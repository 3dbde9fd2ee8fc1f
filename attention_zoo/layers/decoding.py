"""An attention decoder's loop over the steps of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from attention_zoo.layers import recorder
from attention_zoo.layers.cell import AttentionCell
from attention_zoo.layers.recurrent_cell import width_of

if TYPE_CHECKING:
    from attention_zoo.layers.attention_decoder import AttentionDecoder


def decode(
    decoder: AttentionDecoder,
    x: Any,
    mask: Any,
    memory: Any,
    memory_mask: Any,
    initial_state: Any,
    training: bool,
) -> tuple[Any, Any]:
    """The outputs and the scores of all steps, `(batch, time, ...)` each.

    Args:
        decoder: the layer, whose weights are used.
        x: `(batch, time, features)`, silent where it is masked.
        mask: boolean, `(batch, time)`, or None.
        memory, memory_mask: as an `AttentionCell` takes them.
        initial_state: the wrapped cell's first states, or None.
        training: whether dropout and noise are applied.
    """
    draws = _draw(decoder, ops.shape(x)[:2] + ops.shape(memory)[1:2]) if training else {}
    cell = AttentionCell(
        decoder, memory, memory_mask,
        training=training, draws=tuple(draws), append_alignments=True,
    )  # fmt: skip
    rnn = keras.layers.RNN(
        cell,
        return_sequences=True,
        zero_output_for_mask=True,
        dtype=decoder.dtype_policy,
        name="rnn",
    )
    state = cell.get_initial_state(initial_state=initial_state)
    x = ops.concatenate([x, *draws.values()], axis=-1) if draws else x
    try:
        if training:
            fed = decoder.attention_width if decoder.input_feeding else 0
            _hold_dropout(decoder.cell, decoder.input_width + fed, ops.shape(x)[0])
        steps = rnn(x, initial_state=state, mask=mask)
    finally:
        _release_dropout(decoder.cell)
    width = decoder.output_width
    scores = steps[..., width:]
    # Made inside the loop, out of which no recorder gets anything
    recorder.record_mask(scores, memory_mask)
    # Beside scores of unknown length, a slice would not know its width
    outputs = ops.reshape(steps[..., :width], (*ops.shape(steps)[:2], width))
    return outputs, scores


def _draw(decoder: AttentionDecoder, shape: tuple) -> dict[str, Any]:
    """What is random at each step, all at once: within the loop it is lost on JAX."""
    draws = {}
    if decoder.noise:
        draws["noise"] = keras.random.normal(
            shape, stddev=decoder.noise, dtype=decoder.compute_dtype, seed=decoder._seeds
        )
    if decoder.dropout:
        draws["kept"] = decoder.drop(ops.ones(shape, decoder.compute_dtype), True)
    return draws


def _hold_dropout(cell: keras.layers.Layer, width: int, batch: Any) -> None:
    """Draw the dropout of a recurrent cell before a loop, whose steps all share it.

    `keras.layers.RNN` does so for Keras's own cells alone; drawn inside, it is lost on JAX.
    """
    for part in getattr(cell, "cells", [cell]):
        if hasattr(part, "get_dropout_mask"):
            part.get_dropout_mask(ops.ones((batch, width), part.compute_dtype))
            part.get_recurrent_dropout_mask(ops.ones((batch, part.units), part.compute_dtype))
        width = width_of(part)


def _release_dropout(cell: keras.layers.Layer) -> None:
    """Forget what `_hold_dropout` drew."""
    for part in getattr(cell, "cells", [cell]):
        if hasattr(part, "reset_dropout_mask"):
            part.reset_dropout_mask()
            part.reset_recurrent_dropout_mask()
