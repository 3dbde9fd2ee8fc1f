"""All that differs between Keras's backends, and what Keras 3.15.1 gets wrong on one of them.

`map_blocks` has one evaluation a backend, torch's in `backend_torch`, whose classes need torch to
be defined. So does torch's fused kernel: see `fused`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

_LARGEST_HALF = 65504.0


def is_half(dtype: Any) -> bool:
    """Return True for 16 bits, whose sums and exponentials are better had in float32."""
    return keras.backend.standardize_dtype(dtype) in ("float16", "bfloat16")


def cast(x: Any, dtype: Any) -> Any:
    """`x` in that dtype; what overflows float16 becomes its largest number, NaN stays."""
    return _within(ops.cast(x, dtype))


def _within(x: Any) -> Any:
    half = keras.backend.standardize_dtype(x.dtype) == "float16"
    return ops.clip(x, -_LARGEST_HALF, _LARGEST_HALF) if half else x


def _is_double(x: Any) -> bool:
    return keras.backend.standardize_dtype(x.dtype) == "float64"


def matmul(x: Any, y: Any) -> Any:
    """`(..., i, j)` times `(..., j, k)`; what overflows float16 becomes its largest number, since
    two infinities further on would make NaN."""
    if _is_double(x):
        # `ops.matmul` of Keras 3.15.1 falls from float64 to float32 on torch, `ops.einsum` does not
        return ops.einsum("...ij,...jk->...ik", x, y)
    return _within(ops.matmul(x, y))


def affine(x: Any, kernel: Any, bias: Any = None) -> Any:
    """`x` times the kernel, plus the bias if there is one."""
    x = matmul(x, kernel)
    return x if bias is None else x + bias


def tanh(x: Any) -> Any:
    """The hyperbolic tangent; `ops.tanh` of Keras 3.15.1 falls from float64 to float32 on JAX."""
    if not _is_double(x):
        return ops.tanh(x)
    # No sign or absolute value, whose gradients at 0 are not those of the tangent
    power = ops.expm1(2 * ops.clip(x, -20.0, 20.0))
    return power / (power + 2)


def mean(x: Any, axis: int | None = None) -> Any:
    """The mean; `ops.mean` of Keras 3.15.1 computes float64 in float32 on JAX and torch."""
    if not _is_double(x):
        return ops.mean(x, axis=axis)
    count = ops.size(x) if axis is None else ops.shape(x)[axis]
    return ops.sum(x, axis=axis) / ops.cast(count, x.dtype)


def additive(query: Any, key: Any, vector: Any) -> Any:
    """vector . tanh(query + key), all pairs at once."""
    if keras.backend.backend() == "jax":
        # With the keys in front its gradients take a quarter of the time for most batches
        pairs = tanh(ops.expand_dims(query, -3) + ops.expand_dims(key, -2))
        logits = ops.squeeze(matmul(pairs, ops.expand_dims(vector, -1)), -1)
        return ops.swapaxes(logits, -1, -2)
    pairs = tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
    return ops.squeeze(matmul(pairs, ops.expand_dims(vector, -1)), -1)


def additive_in_tiles(query: Any, key: Any, vector: Any, rows: int) -> Any:
    """The same, with the pairs of so many queries at a time."""
    if keras.backend.backend() == "torch":
        from attention_zoo.ops.backend_torch import Additive

        return Additive.apply(query, key, vector, rows)
    logits = map_blocks(additive, [split(query, rows)], [key, vector])
    return join(logits, ops.shape(query)[-2])


def map_blocks(
    function: Callable[..., Any],
    blocks: Sequence[Any],
    whole: Sequence[Any] = (),
    *,
    compiled: bool = False,
) -> Any:
    """Map a function over blocks with rematerialization (gradient checkpointing).

    One block's intermediate values are held at a time, forwards and backwards, where the block is
    evaluated once more. Second derivatives hold all blocks at once on TensorFlow and torch.

    Args:
        function: tensors to one tensor. All tensors it needs are its arguments: a variable or a
            tensor that it captures gets no gradient.
        blocks: tensors of one leading size, the number of blocks.
        whole: tensors that every block sees.
        compiled: whether TensorFlow compiles the loop by XLA, as JAX does anyway: once for each
            set of shapes.

    Returns:
        `function(*block, *whole)` of each block, stacked.
    """
    ways = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
    evaluate = ways.get(keras.backend.backend(), _stack)
    return evaluate(function, tuple(blocks), tuple(whole), compiled)


def split(x: Any, rows: int, axis: int = -2) -> Any:
    """`x` in blocks of `rows` along `axis`, stacked in front; the last one is filled up with 0."""
    axis %= len(x.shape)
    if x.shape[axis] is None or x.shape[axis] % rows:
        x = ops.pad(x, [[0, rows - 1 if i == axis else 0] for i in range(len(x.shape))])
        count = ops.shape(x)[axis] // rows
        x = x[(*[slice(None)] * axis, slice(0, count * rows))]
    shape = ops.shape(x)
    x = ops.reshape(x, (*shape[:axis], shape[axis] // rows, rows, *shape[axis + 1 :]))
    return ops.moveaxis(x, axis, 0)


def join(blocks: Any, length: Any, axis: int = -2) -> Any:
    """The inverse of `split`: the first `length` rows."""
    axis = axis % (len(blocks.shape) - 1)
    x = ops.moveaxis(blocks, 0, axis)
    shape = ops.shape(x)
    x = ops.reshape(x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))
    return x[(*[slice(None)] * axis, slice(0, length))]


def _stack(function: Any, blocks: tuple, whole: tuple, compiled: bool) -> Any:
    return ops.stack([function(*block, *whole) for block in zip(*blocks, strict=True)])


def _jax(function: Any, blocks: tuple, whole: tuple, compiled: bool) -> Any:
    import jax

    # Inside a loop nothing can merge the two evaluations
    again = jax.checkpoint(lambda block: function(*block, *whole), prevent_cse=False)
    return jax.lax.map(again, blocks)


def _tensorflow(function: Any, blocks: tuple, whole: tuple, compiled: bool) -> Any:
    import tensorflow as tf

    count, first = tf.shape(blocks[0])[0], len(blocks)
    everything = [tf.convert_to_tensor(x) for x in (*blocks, *whole)]
    smooth = [i for i, x in enumerate(everything) if x.dtype.is_floating]
    # Outside of a graph every call would compile again
    compiled = compiled and not tf.executing_eagerly()

    def loop(body: Any, start: tuple) -> Any:
        def step(i: Any, *state: Any) -> tuple:
            return (i + 1, *body(i, *state))

        def goes_on(i: Any, *state: Any) -> Any:
            return i < count

        return tf.while_loop(goes_on, step, (tf.constant(0), *start), parallel_iterations=1)[1:]

    def block(i: Any, tensors: Sequence[Any]) -> list:
        return [x[i] for x in tensors[:first]] + list(tensors[first:])

    def arrays(dtypes: list) -> tuple:
        return tuple(tf.TensorArray(dtype, size=count) for dtype in dtypes)

    def forward(*tensors: Any) -> Any:
        def body(i: Any, outputs: Any) -> tuple:
            return (outputs.write(i, function(*block(i, tensors))),)

        (outputs,) = loop(body, arrays([tensors[smooth[0]].dtype]))
        return outputs.stack()

    def backward(upstream: Any, *tensors: Any) -> list:
        def body(i: Any, *found: Any) -> tuple:
            given = block(i, tensors)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                for j in smooth:
                    given[j] = tf.identity(given[j])
                    tape.watch(given[j])
                outputs = function(*given)
            wanted = [given[j] for j in smooth]
            new = tape.gradient(outputs, wanted, upstream[i], unconnected_gradients="zero")
            return tuple(
                old.write(i, gradient) if j < first else old + gradient
                for j, old, gradient in zip(smooth, found, new, strict=True)
            )

        starts = arrays([tensors[j].dtype for j in smooth if j < first])
        starts += tuple(tf.zeros_like(tensors[j]) for j in smooth if j >= first)
        found = loop(body, starts)
        return [x.stack() if j < first else x for j, x in zip(smooth, found, strict=True)]

    if compiled:
        forward = tf.function(forward, jit_compile=True, autograph=False)
        backward = tf.function(backward, jit_compile=True, autograph=False)

    def remembered(upstream: Any, *tensors: Any) -> list:
        """What `backward` gives, without a loop."""
        wanted = [tensors[j] for j in smooth]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(wanted)
            outputs = tf.stack([function(*block(i, tensors)) for i in range(blocks[0].shape[0])])
        return tape.gradient(outputs, wanted, upstream, unconnected_gradients="zero")

    @tf.custom_gradient
    def differentiable(*given: Any) -> Any:
        def second(*upstream: Any) -> list:
            floats = [x for x in given if x.dtype.is_floating]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(floats)
                found = remembered(*given)
            new = iter(tape.gradient(found, floats, upstream, unconnected_gradients="zero"))
            return [next(new) if x.dtype.is_floating else None for x in given]

        return backward(*map(tf.stop_gradient, given)), second

    # XLA has no gradients of a loop's gradients; of so many blocks as are not known, a loop has
    first_order = backward if blocks[0].shape[0] is None else differentiable

    @tf.custom_gradient
    def evaluate(*tensors: Any) -> Any:
        def gradient(upstream: Any) -> list:
            found = dict(zip(smooth, first_order(upstream, *tensors), strict=True))
            return [found.get(i) for i in range(len(tensors))]

        return forward(*map(tf.stop_gradient, tensors)), gradient

    return evaluate(*everything)


def _torch(function: Any, blocks: tuple, whole: tuple, compiled: bool) -> Any:
    from attention_zoo.ops.backend_torch import Blocks

    return Blocks.apply(function, len(blocks), *blocks, *whole)
