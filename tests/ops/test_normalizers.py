"""Normalizers against independent algorithms, in values and gradients, at every precision."""

import keras
import numpy as np
import pytest
from keras import ops

from attention_zoo.ops.normalizers import NORMALIZERS, check, normalize
from tests import oracle
from tests.gradients import float64

ROWS, CELLS = 5, 13
SPECS = [
    *(n for n in NORMALIZERS if n != "entmax"),
    *({"name": "entmax", "alpha": a} for a in (1.1, 1.5, 2.0, 3.0)),
]
TWICE = [*(s for s in SPECS if s != "uniform"), {"name": "entmax", "alpha": 1.3}]
LINEAR = ("sparsemax", {"name": "entmax", "alpha": 2.0})
SUMMING = [spec for spec in SPECS if spec != "sigmoid"]


def logits(dtype="float64", scale=2.0):
    return (np.random.default_rng(0).normal(size=(ROWS, CELLS)) * scale).astype(dtype)


def some_hidden():
    mask = np.random.default_rng(1).random((ROWS, CELLS)) > 0.4
    mask[2] = False
    return mask


def run(spec, z, mask=None, **more):
    tensor = ops.convert_to_tensor(z)
    hidden = None if mask is None else ops.convert_to_tensor(mask)
    return ops.convert_to_numpy(normalize(spec, tensor, hidden, **more))


def expected(spec, z, mask):
    scores = np.zeros(z.shape)
    for row, (cells, visible) in enumerate(zip(z, mask, strict=True)):
        if visible.any():
            scores[row, visible] = oracle.one(spec, cells[visible])
    return scores


@float64()
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_sort_agrees_with_a_bisection(spec, masked):
    z = logits()
    mask = some_hidden() if masked else np.ones(z.shape, bool)
    with float64():
        scores = run(spec, z, mask if masked else None)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected(spec, z, mask), atol=1e-6)
    assert np.all(scores[~mask] == 0)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_axis_is_the_last_one_moved(spec):
    z = np.random.default_rng(0).normal(size=(3, 7, 5)).astype("float32")
    mask = np.random.default_rng(1).random((3, 7, 1)) > 0.3
    middle = run(spec, z, mask, axis=1)
    last = run(spec, np.swapaxes(z, 1, 2), np.swapaxes(mask, 1, 2))
    np.testing.assert_allclose(middle, np.swapaxes(last, 1, 2), atol=1e-6)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_temperature_divides_the_logits(spec):
    z = logits("float32")
    np.testing.assert_allclose(run(spec, z, temperature=0.5), run(spec, z * 2), atol=1e-5)


def test_entmax_of_two_and_of_one_and_a_half_are_their_own_functions():
    z = logits("float32")
    for alpha, name in ((2.0, "sparsemax"), (1.5, "entmax15")):
        np.testing.assert_allclose(
            run({"name": "entmax", "alpha": alpha}, z), run(name, z), atol=1e-5
        )
    near_softmax = run({"name": "entmax", "alpha": 1.001}, z)
    np.testing.assert_allclose(near_softmax, run("softmax", z), atol=5e-3)


@pytest.mark.parametrize("spec", SUMMING, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("size", [1e4, 6e4, 1e38])
def test_huge_logits_stay_finite_and_sum_to_one(spec, dtype, size):
    if dtype == "float16" and size > 6e4:
        size = 6e4
    z = ops.cast(ops.convert_to_tensor(np.sign(logits("float32")) * size), dtype)
    scores = normalize(spec, z, ops.convert_to_tensor(some_hidden()))
    assert keras.backend.standardize_dtype(scores.dtype) == dtype
    values = ops.convert_to_numpy(ops.cast(scores, "float32"))
    sums = values.sum(1)
    assert np.all(np.isfinite(values))
    np.testing.assert_allclose(np.delete(sums, 2), 1, atol=0.02 if dtype != "float32" else 1e-5)
    assert sums[2] == 0


@pytest.mark.parametrize("spec", SUMMING, ids=str)
def test_sums_over_16384_cells_keep_their_precision(spec):
    z = np.random.default_rng(0).normal(size=(2, 16384)).astype("float32")
    np.testing.assert_allclose(run(spec, z).astype("float64").sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("spec", [s for s in SPECS if s != "uniform"], ids=str)
def test_nan_is_silent_where_masked_and_heard_where_not(spec):
    z, mask = logits("float32"), some_hidden()
    dirty = np.where(mask, z, np.nan)
    np.testing.assert_array_equal(run(spec, dirty, mask), run(spec, z, mask))
    z[0, 3] = np.nan
    assert np.isnan(run(spec, z)[0]).any()
    assert np.all(np.isfinite(run(spec, z)[1:]))


def gradient(spec, z, mask, weights):
    hidden = ops.convert_to_tensor(mask)

    def total(values):
        return ops.sum(normalize(spec, values, hidden) * ops.convert_to_tensor(weights))

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        x = tf.Variable(z)
        with tf.GradientTape() as tape:
            loss = total(tf.convert_to_tensor(x))
        return tape.gradient(loss, x).numpy()
    if backend == "torch":
        import torch

        x = torch.tensor(z, requires_grad=True)
        return torch.autograd.grad(total(x), x)[0].numpy()
    import jax

    return np.asarray(jax.grad(total)(ops.convert_to_tensor(z)))


@pytest.mark.parametrize("spec", [s for s in SPECS if s != "uniform"], ids=str)
def test_gradients_agree_with_finite_differences(spec):
    rng = np.random.default_rng(3)
    z, mask, weights = logits(), some_hidden(), rng.normal(size=(ROWS, CELLS))
    with float64():
        found = gradient(spec, z, mask, weights)
        for row, cell in ((0, 0), (0, 5), (1, 2), (3, 7), (4, 12), (2, 4)):
            sides = []
            for step in (1e-6, -1e-6):
                moved = z.copy()
                moved[row, cell] += step
                sides.append((run(spec, moved, mask) * weights).sum())
            slope = (sides[0] - sides[1]) / 2e-6
            assert found[row, cell] == pytest.approx(slope, abs=1e-6)
    assert np.all(found[~mask] == 0)


def second(spec, z, mask, weights, directions):
    """The derivative along one direction of that along another of the weighted sum of scores."""
    first, other = directions
    hidden = ops.convert_to_tensor(mask)

    def total(values):
        return ops.sum(normalize(spec, values, hidden) * ops.convert_to_tensor(weights))

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        x = tf.convert_to_tensor(z)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = total(x)
            slope = tf.reduce_sum(inner.gradient(value, x) * first)
        found = outer.gradient(slope, x)
        return 0.0 if found is None else float(tf.reduce_sum(found * other))
    if backend == "torch":
        import torch

        x = torch.tensor(z, requires_grad=True)
        (slope,) = torch.autograd.grad(total(x), x, create_graph=True)
        slope = (slope * torch.tensor(first)).sum()
        if not slope.requires_grad:
            return 0.0  # piecewise linear
        return float((torch.autograd.grad(slope, x)[0] * torch.tensor(other)).sum())
    import jax

    def along(values):
        return jax.jvp(jax.grad(total), (values,), (ops.convert_to_tensor(other),))[1]

    return float((along(ops.convert_to_tensor(z)) * first).sum())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("spec", TWICE, ids=str)
@float64()
def test_second_derivatives_agree_with_finite_differences(spec, masked):
    rng = np.random.default_rng(3)
    z, weights = logits(scale=0.1)[:2], rng.normal(size=(2, CELLS))
    mask = some_hidden()[:2] if masked else np.ones(z.shape, bool)
    first, other = rng.normal(size=(2, *z.shape))
    with float64():
        found = second(spec, z, mask, weights, (first, other))
        sides = [
            (gradient(spec, z + s * other, mask, weights) * first).sum() for s in (1e-6, -1e-6)
        ]
    assert found == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-6, rel=1e-5)
    assert spec in LINEAR or abs(found) > 1e-4


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch's own check")
@pytest.mark.parametrize("spec", TWICE, ids=str)
def test_torch_finds_both_derivatives_right(spec):
    import torch

    z = torch.tensor(logits(scale=0.1)[:2, :7], requires_grad=True)
    mask = torch.tensor(some_hidden()[:2, :7])
    assert torch.autograd.gradcheck(lambda x: normalize(spec, x, mask), z)
    assert torch.autograd.gradgradcheck(lambda x: normalize(spec, x, mask), z)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="entmax computes with torch only")
def test_agreement_with_the_package_entmax():
    entmax = pytest.importorskip("entmax", reason="an oracle that CI installs beside torch")
    import torch

    weights = torch.tensor(np.random.default_rng(3).normal(size=(ROWS, CELLS)))
    pairs = [("sparsemax", entmax.sparsemax), ("entmax15", entmax.entmax15)]
    for alpha in (1.2, 1.5, 1.7, 2.0, 2.5):

        def bisect(z, dim, alpha=alpha):
            return entmax.entmax_bisect(z, alpha, dim, n_iter=80)

        pairs.append(({"name": "entmax", "alpha": alpha}, bisect))
    for spec, theirs in pairs:
        results = []
        for function in (lambda z, spec=spec: normalize(spec, z), lambda z, f=theirs: f(z, -1)):
            z = torch.tensor(logits(), requires_grad=True)
            scores = function(z)
            results.append((scores.detach(), torch.autograd.grad((scores * weights).sum(), z)[0]))
        for one, other in zip(*results, strict=True):
            assert (one - other).abs().max() < 1e-6, spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sofmax", "Did you mean 'softmax'"),
        ({"name": "entmax", "alpha": 1}, "`alpha` must be a finite number > 1"),
        ({"name": "entmax", "alpha": 0.5}, "`alpha` must be a finite number > 1"),
        ({"name": "entmax", "alpha": float("nan")}, "`alpha` must be a finite number > 1"),
        ({"name": "entmax", "alpha": True}, "`alpha` must be a finite number > 1"),
        ({"name": "entmax", "alfa": 2}, "Did you mean 'alpha'"),
        ({"name": "softmax", "alpha": 2}, "option of the normalizer 'softmax'"),
        ({"alpha": 2}, "must be a name or a dictionary"),
        (3, "must be a name or a dictionary"),
        (None, "must be a name or a dictionary"),
    ],
)
def test_bad_input(spec, message):
    with pytest.raises(ValueError, match=message):
        check(spec)
