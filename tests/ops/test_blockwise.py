"""The blockwise evaluation against the plain one: values and gradients, every score, normalizer
and mask."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from attention_zoo.ops import blockwise, fused, scores
from attention_zoo.ops.backend import join, map_blocks, split
from attention_zoo.ops.blockwise import Inputs, Rule
from attention_zoo.ops.dropout import dropout
from tests.gradients import float64, gradients

BATCH, HEADS, QUERIES, KEYS, WIDTH, VALUES = 2, 3, 11, 13, 5, 7
SCORES = {"dot": scores.dot, "scaled_dot": scores.scaled_dot, "additive": scores.additive}
BANDS = list(itertools.product([False, True], [None, 1, 3, 20]))
NORMALIZERS = [
    "softmax",
    "sparsemax",
    "entmax15",
    {"name": "entmax", "alpha": 1.3},
    "sigmoid",
    "normalized_sigmoid",
    "uniform",
]
QUERY_MASK, KEY_MASK = {"query_mask": (BATCH, QUERIES)}, {"key_mask": (BATCH, KEYS)}
PAIR_MASK = {"attention_mask": (BATCH, QUERIES, KEYS)}
MASKS = {
    "none": {},
    "queries": QUERY_MASK,
    "keys": KEY_MASK,
    "pairs": PAIR_MASK,
    "all": {**QUERY_MASK, **KEY_MASK, **PAIR_MASK},
}


DTYPES = [("float32", 1e-5), ("float64", 1e-10)]
if keras.backend.backend() == "jax":
    # Each case compiles for seconds there: one dtype and all masks at once
    DTYPES, MASKS = DTYPES[1:], {"all": MASKS["all"], "keys": MASKS["keys"]}


class Weights(keras.layers.Layer):
    """Tensors as variables, whose gradients `gradients` takes."""

    def __init__(self, dtype, **tensors):
        super().__init__(dtype=dtype)
        for name, x in tensors.items():
            setattr(self, name, self.add_weight(shape=x.shape, name=name, dtype=dtype))
            getattr(self, name).assign(x)


def problem(rng, dtype, *, additive, mask=(), heads=False, keys=KEYS, queries=QUERIES, bias=False):
    """Variables and masks for one attention, as a function that makes its Inputs."""
    front = (BATCH, HEADS) if heads else (BATCH,)
    shapes = {
        "query": (*front, queries, WIDTH),
        "key": (*front, keys, WIDTH),
        "value": (*front, keys, VALUES),
    }
    if additive:
        shapes["vector"] = (WIDTH,)
    if bias:
        shapes["bias"] = (1, HEADS, queries, keys)
    held = Weights(dtype, **{name: rng.normal(size=shape) for name, shape in shapes.items()})
    hidden = {name: rng.random(shape) > 0.4 for name, shape in dict(mask).items()}
    for name in hidden:
        hidden[name][0] &= name != "key_mask"

    def inputs(seed=None):
        tensors = [ops.convert_to_tensor(getattr(held, name)) for name in ("query", "key", "value")]
        weights = (ops.convert_to_tensor(held.vector),) if additive else ()
        masks = {name: ops.convert_to_tensor(x) for name, x in hidden.items()}
        more = {"bias": ops.convert_to_tensor(held.bias)} if bias else {}
        return Inputs(*tensors, **masks, **more, weights=weights, seed=seed)

    return held, inputs


def agree(held, one, other, tolerance):
    """`one()` and `other()` have the same values and the same gradients."""
    expected, found = ops.convert_to_numpy(one()), ops.convert_to_numpy(other())
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    slopes = np.random.default_rng(1).normal(size=expected.shape).astype(expected.dtype)

    def scalar(function):
        return lambda: ops.sum(function() * ops.convert_to_tensor(slopes))

    pairs = zip(gradients(held, scalar(one)), gradients(held, scalar(other)), strict=True)
    for variable, (a, b) in zip(held.trainable_variables, pairs, strict=True):
        if a is None:
            assert b is None or not np.any(b)
            continue
        scale = max(1.0, np.abs(a).max())
        np.testing.assert_allclose(b, a, rtol=0, atol=tolerance * scale, err_msg=variable.name)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("mask", list(MASKS))
@pytest.mark.parametrize("normalizer", NORMALIZERS, ids=str)
@pytest.mark.parametrize("score", SCORES)
def test_blocks_are_the_whole(score, normalizer, mask, dtype, tolerance):
    with float64():
        held, inputs = problem(
            np.random.default_rng(0), dtype, additive=score == "additive", mask=MASKS[mask]
        )
        rule = Rule(SCORES[score], normalizer, temperature=0.7)
        agree(
            held,
            lambda: blockwise.plain(rule, inputs())[0],
            lambda: blockwise.blockwise(rule, inputs(), rows=4),
            tolerance,
        )


@pytest.mark.parametrize(("causal", "window"), BANDS)
@pytest.mark.parametrize("score", ["dot", "additive"])
@pytest.mark.parametrize("length", [29, 31])
def test_bands_are_the_whole(score, causal, window, length):
    with float64():
        held, inputs = problem(
            np.random.default_rng(0),
            "float64",
            additive=score == "additive",
            mask={"key_mask": (BATCH, length)},
            keys=length,
            queries=29,
        )
        rule = Rule(SCORES[score], "softmax", causal=causal, window=window)
        assert blockwise.banded(rule, inputs(), 3) == (window in (1, 3))
        agree(
            held,
            lambda: blockwise.plain(rule, inputs())[0],
            lambda: blockwise.blockwise(rule, inputs(), rows=3),
            1e-10,
        )


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("normalizer", ["softmax", "entmax15"])
def test_heads_biases_and_compilers(normalizer, compiled, bias):
    rng = np.random.default_rng(0)
    held, inputs = problem(rng, "float32", additive=False, heads=True, bias=bias, mask=MASKS["all"])
    rule = Rule(scores.scaled_dot, normalizer, causal=True)
    agree(
        held,
        lambda: blockwise.plain(rule, inputs())[0],
        lambda: blockwise.blockwise(rule, inputs(), rows=4, compiled=compiled),
        1e-5,
    )


@pytest.mark.parametrize("normalizer", ["softmax", "sparsemax"])
@pytest.mark.parametrize("window", [None, 2])
def test_dropout_drops_the_same_scores(normalizer, window):
    held, inputs = problem(np.random.default_rng(0), "float32", additive=False, heads=True)
    rule = Rule(scores.dot, normalizer, rate=0.4, window=window)
    seed = ops.convert_to_tensor(np.array([3, 5], "uint32"))
    agree(
        held,
        lambda: blockwise.plain(rule, inputs(seed))[0],
        lambda: blockwise.blockwise(rule, inputs(seed), rows=2),
        1e-5,
    )
    without = ops.convert_to_numpy(blockwise.plain(rule, inputs())[0])
    assert (
        np.abs(ops.convert_to_numpy(blockwise.plain(rule, inputs(seed))[0]) - without).max() > 0.1
    )


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch alone has a kernel here")
@pytest.mark.parametrize("mask", [{}, QUERY_MASK, KEY_MASK])
@pytest.mark.parametrize("heads", [False, True])
@pytest.mark.parametrize("score", ["dot", "scaled_dot"])
def test_the_fused_kernel_is_the_plain_evaluation(score, heads, mask):
    held, inputs = problem(
        np.random.default_rng(0), "float32", additive=False, heads=heads, mask=mask
    )
    rule = Rule(SCORES[score], temperature=0.7)
    assert fused.can(rule, inputs())
    agree(
        held, lambda: blockwise.plain(rule, inputs())[0], lambda: fused.attend(rule, inputs()), 1e-5
    )


def test_the_fused_kernel_is_not_asked_what_it_cannot():
    _, inputs = problem(np.random.default_rng(0), "float32", additive=False)
    for rule in (
        Rule(scores.dot, "sparsemax"),
        Rule(scores.dot, window=2),
        Rule(scores.dot, causal=True),
        Rule(scores.additive),
    ):
        assert not fused.can(rule, inputs())


@pytest.mark.parametrize("heads", [False, True])
def test_additive_scores_by_tiles_are_those_at_once(monkeypatch, heads):
    with float64():
        held, inputs = problem(np.random.default_rng(0), "float64", additive=True, heads=heads)

        def logits():
            given = inputs()
            return scores.additive(given.query, given.key, *given.weights)

        def tiled():
            with monkeypatch.context() as patch:
                patch.setattr(scores, "TILE", 4 * BATCH * KEYS * WIDTH * (HEADS if heads else 1))
                return logits()

        agree(held, logits, tiled, 1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_split_and_join_are_inverse(axis, rows):
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, 5, 7)))
    blocks = split(x, rows, axis)
    assert blocks.shape[0] == -(-x.shape[axis] // rows) and rows in blocks.shape
    np.testing.assert_array_equal(join(blocks, x.shape[axis], axis), x)


def test_blocks_see_what_is_whole():
    blocks, whole = np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0])
    found = map_blocks(
        lambda x, y: x * y, [ops.convert_to_tensor(blocks)], [ops.convert_to_tensor(whole)]
    )
    np.testing.assert_allclose(ops.convert_to_numpy(found), blocks * whole)


def test_dropout_is_fair_and_the_same_on_every_backend():
    seed = ops.convert_to_tensor(np.array([3, 7], "uint32"))
    rate, shape = 0.3, (5, 211, 307)
    x = ops.convert_to_numpy(dropout(ops.ones(shape), rate, seed))
    assert set(np.unique(x)) == {0, np.float32(1 / (1 - rate))}
    kept = (x > 0) - (1 - rate)
    # Six standard errors: of the mean, of the means of rows and of columns, of correlations
    error = np.sqrt(rate * (1 - rate))
    assert abs(kept.mean()) < 6 * error / np.sqrt(kept.size)
    for axis in range(3):
        mean = kept.mean(axis=axis)
        assert np.abs(mean).max() < 6 * error / np.sqrt(shape[axis])
        one, other = np.delete(kept, 0, axis), np.delete(kept, -1, axis)
        assert abs((one * other).mean()) < 6 * error**2 / np.sqrt(one.size)
    packed = np.packbits(x[0, 0, :64] > 0)
    np.testing.assert_array_equal(packed, [55, 243, 179, 114, 139, 215, 253, 253])
    for other_seed in ([4, 7], [3, 8]):
        other = ops.convert_to_tensor(np.array(other_seed, "uint32"))
        drawn = (ops.convert_to_numpy(dropout(ops.ones(shape), rate, other)) > 0) - (1 - rate)
        assert abs((kept * drawn).mean()) < 6 * error**2 / np.sqrt(kept.size)


def test_the_choice_of_path_is_by_size():
    _, small = problem(np.random.default_rng(0), "float32", additive=False)
    _, large = problem(np.random.default_rng(0), "float32", additive=False, queries=2100, keys=2100)
    rule = Rule(scores.dot, "sparsemax")
    for inputs, wanted, expected in ((small(), False, True), (large(), False, False)):
        _, found = blockwise.attend(rule, inputs, scores=wanted)
        assert (found is not None) == expected
    assert blockwise.rows_of(rule, large()) < 2100


def along(held, scalar, directions):
    """The derivative of the gradient along one direction, along another one."""
    variables = held.trainable_variables
    one, other = directions
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        values = [v.value for v in variables]
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                loss = scalar()
            first = inner.gradient(loss, values, unconnected_gradients="zero")
            slope = tf.add_n([tf.reduce_sum(g * d) for g, d in zip(first, one, strict=True)])
        second = outer.gradient(slope, values, unconnected_gradients="zero")
        return float(sum(tf.reduce_sum(g * d) for g, d in zip(second, other, strict=True)))
    if backend == "torch":
        import torch

        values = [v.value for v in variables]
        first = torch.autograd.grad(scalar(), values, create_graph=True)
        slope = sum((g * torch.tensor(d)).sum() for g, d in zip(first, one, strict=True))
        second = torch.autograd.grad(slope, values)
        return float(sum((g * torch.tensor(d)).sum() for g, d in zip(second, other, strict=True)))
    import jax

    def of(values):
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return scalar()

    def slope(values):
        return sum((g * d).sum() for g, d in zip(jax.grad(of)(values), one, strict=True))

    second = jax.jit(jax.grad(slope))([v.value for v in variables])
    return float(sum((g * d).sum() for g, d in zip(second, other, strict=True)))


SECOND = {
    "in blocks": ("dot", "softmax", lambda rule, given: blockwise.blockwise(rule, given, 4)),
    "sparse": (
        "dot",
        {"name": "entmax", "alpha": 1.3},
        lambda rule, given: blockwise.blockwise(rule, given, 4),
    ),
    "pairs in blocks": (
        "additive",
        "softmax",
        lambda rule, given: blockwise.blockwise(rule, given, 4),
    ),
    "pairs in tiles": ("additive", "softmax", lambda rule, given: blockwise.plain(rule, given)[0]),
    "kernel": ("scaled_dot", "softmax", lambda rule, given: fused.attend(rule, given)),
}


@pytest.mark.parametrize("way", SECOND)
@float64()
def test_second_derivatives_are_those_of_the_plain_evaluation(way, monkeypatch):
    name, normalizer, evaluate = SECOND[way]
    if way == "kernel" and keras.backend.backend() != "torch":
        pytest.skip("torch alone has a kernel here")
    held, inputs = problem(
        np.random.default_rng(0), "float64", additive=name == "additive", mask=KEY_MASK
    )
    rule, rng = Rule(SCORES[name], normalizer, temperature=0.7), np.random.default_rng(1)
    directions = [[rng.normal(size=v.shape) for v in held.trainable_variables] for _ in range(2)]

    def total(function):
        return lambda: ops.sum(function(rule, inputs()) ** 2)

    expected = along(held, total(lambda *given: blockwise.plain(*given)[0]), directions)
    assert abs(expected) > 1e-3
    if way == "pairs in tiles":
        monkeypatch.setattr(scores, "TILE", 4 * BATCH * KEYS * WIDTH)
    assert along(held, total(evaluate), directions) == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's graphs")
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_second_derivatives_in_a_graph(compiled, jit):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    given = [tf.constant(rng.normal(size=(BATCH, QUERIES, WIDTH)) / 3) for _ in range(3)]
    rule = Rule(scores.dot, "softmax")

    def second(evaluate):
        def of(*tensors):
            with tf.GradientTape() as outer:
                outer.watch(tensors)
                with tf.GradientTape() as inner:
                    inner.watch(tensors)
                    loss = tf.reduce_sum(evaluate(rule, Inputs(*tensors)) ** 2)
                penalty = tf.add_n([tf.nn.l2_loss(x) for x in inner.gradient(loss, tensors)])
            return outer.gradient(penalty, tensors)

        return of

    def blocks(rule, inputs):
        return blockwise.blockwise(rule, inputs, 4, compiled=compiled)

    expected = second(lambda rule, inputs: blockwise.plain(rule, inputs)[0])(*given)
    found = tf.function(second(blocks), jit_compile=jit)(*given)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)
