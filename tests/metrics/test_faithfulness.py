"""Metrics of faithfulness against closed forms and loops, for outputs of any shape."""

import keras
import numpy as np
import pytest
from sklearn.metrics import auc

from attention_zoo.metrics import (
    aopcr,
    comprehensiveness,
    deletion,
    insertion,
    perturb,
    sufficiency,
)
from attention_zoo.metrics.faithfulness import FRACTIONS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(13, 7)).astype("float32")
KERNEL = RNG.normal(size=(7, 3)).astype("float32")
SCORES = RNG.random((13, 7))


def of_kernel(activation, columns=3):
    layer = keras.layers.Dense(columns, activation=activation)
    model = keras.Sequential([keras.Input((7,)), layer])
    layer.set_weights([KERNEL[:, :columns], np.zeros(columns)])
    return model


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


#: What is left of the answer on x, by the closed form of each model.
LEFT = {
    "softmax": lambda x: softmax(x @ KERNEL)[np.arange(13), (X @ KERNEL).argmax(1)],
    "sigmoid": lambda x: np.where(
        X @ KERNEL[:, 0] > 0,
        1 / (1 + np.exp(-x @ KERNEL[:, 0])),
        1 - 1 / (1 + np.exp(-x @ KERNEL[:, 0])),
    ),
    "linear": lambda x: -np.abs(x @ KERNEL[:, 0] - X @ KERNEL[:, 0]),
}


@pytest.mark.parametrize("activation", list(LEFT))
@pytest.mark.parametrize("measure, keep", [(comprehensiveness, False), (sufficiency, True)])
def test_closed_forms(activation, measure, keep):
    left = LEFT[activation]
    model = of_kernel(activation, columns=3 if activation == "softmax" else 1)
    found = measure(model, X, SCORES, replacement="mean", fractions=[0.1, 0.5])
    terms = []
    for fraction in (0.1, 0.5):
        other = X.copy()
        for n in range(13):
            ranked = np.argsort(-SCORES[n])
            count = int(np.ceil(fraction * 7))
            gone = ranked[count:] if keep else ranked[:count]
            other[n, gone] = X.mean(0)[gone]
        terms.append(left(X) - left(other))
    np.testing.assert_allclose(found.scores, np.mean(terms, 0), atol=1e-6)
    assert found.random.shape == (13,)
    one = measure(model, X, SCORES, replacement="mean", fractions=0.5)
    np.testing.assert_allclose(one.scores, terms[1], atol=1e-6)


@pytest.mark.parametrize("columns", [1, 3])
def test_aopcr_is_what_the_logit_of_the_predicted_class_loses_beyond_chance(columns):
    kernel = KERNEL[:, :columns]
    model, logits = of_kernel(None, columns), X @ kernel
    # What each cell adds to that logit: those that add most are the best ranking there is
    sign = np.sign(logits[:, :1]) if columns == 1 else 1
    added = sign * (X - X.mean(0)) * kernel[:, logits.argmax(1)].T
    fractions = np.arange(1, 11) / 20

    def lost(ranking):
        each = [added[np.argsort(ranking, 1).argsort(1) >= 7 - np.ceil(7 * f - 1e-9)]
                .reshape(13, -1).sum(1) for f in fractions]  # fmt: skip
        return np.mean(each, 0)

    best, other = (aopcr(model, X, ranking) for ranking in (added, SCORES))
    # The random rankings of one seed are the same
    np.testing.assert_allclose(best - other, lost(added) - lost(SCORES), atol=1e-5)
    # Of all random rankings, the mean loses each cell as often as any other
    chance = np.mean([np.ceil(7 * f - 1e-9) / 7 for f in fractions]) * added.sum(1)
    found = lost(added) - best
    assert abs((found - chance).mean()) < 0.5
    assert np.all(best >= other - 1e-6) and best.mean() > 0


def test_what_counts_is_told_from_chance():
    model = of_kernel("sigmoid", columns=1)
    parts = np.abs(X * KERNEL[:, 0])
    for fractions in (0.3, FRACTIONS):
        lost = comprehensiveness(model, X, parts, fractions=fractions, draws=10)
        assert lost.scores.mean() > lost.random.mean() + 0.05
        left = sufficiency(model, X, parts, fractions=fractions, draws=10)
        assert left.scores.mean() < left.random.mean() - 0.05


def test_a_random_ranking_does_as_the_control():
    model = of_kernel("sigmoid", columns=1)
    x = RNG.normal(size=(4000, 7)).astype("float32")
    found = comprehensiveness(model, x, RNG.random((4000, 7)), fractions=0.3)
    assert abs(found.scores.mean() - found.random.mean()) < 0.02


def test_curves_begin_and_end_where_they_must_and_scikit_learn_has_their_area():
    model = of_kernel("softmax")
    left = LEFT["softmax"]
    gone = deletion(model, X, SCORES, points=8, replacement="mean")
    back = insertion(model, X, SCORES, points=8, replacement="mean")
    nothing = left(np.tile(X.mean(0), (13, 1)))
    for curve, first, last in ((gone, left(X), nothing), (back, nothing, left(X))):
        np.testing.assert_allclose(curve.fractions, np.arange(8) / 7)
        for values, area in zip((curve.scores, curve.random), curve.auc, strict=True):
            np.testing.assert_allclose(values[:, 0], first, atol=1e-6)
            np.testing.assert_allclose(values[:, -1], last, atol=1e-6)
            expected = [auc(curve.fractions, row) for row in values]
            np.testing.assert_allclose(area, expected, atol=1e-9)
    for number in range(8):
        other = perturb(X, SCORES, number / 7, replacement="mean")
        np.testing.assert_allclose(gone.scores[:, number], left(other), atol=1e-6)


def test_steps_of_padded_series_whose_answers_are_many():
    pass_on = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Masking(-9.0), pass_on])
    mask = np.arange(5) < np.array([5, 3, 4])[:, None]
    x = np.where(mask[..., None], RNG.normal(size=(3, 5, 2)), -9).astype("float32")
    scores = np.where(mask, RNG.random((3, 5)), 2.0)
    found = comprehensiveness(
        model, x, scores, fractions=0.4, replacement="zero", mask=mask, draws=1
    )
    whole = model.predict(x, verbose=0)[..., 0]
    for n, length in enumerate((5, 3, 4)):
        other = x[n].copy()
        other[np.argsort(-scores[n, :length])[: int(np.ceil(0.4 * length))]] = 0
        left = model.predict(other[None], verbose=0)[0, :, 0]
        change = np.where(whole[n] > 0.5, whole[n] - left, left - whole[n])
        assert found.scores[n] == pytest.approx(change.mean(), abs=1e-6)


def test_seeds_and_batches():
    model = of_kernel("softmax")
    one = comprehensiveness(model, X, SCORES, seed=3)
    other = comprehensiveness(model, X, SCORES, seed=3, batch_size=5)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
    np.testing.assert_allclose(one.random, other.random, atol=1e-6)
    assert (one.random != comprehensiveness(model, X, SCORES, seed=4).random).any()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"fractions": []}, "`fractions` must name at least one share"),
        ({"fractions": [0.1, 1.1]}, r"`fractions` must be a number in \[0, 1\].*1.1"),
        ({"replacement": "noise"}, "Unknown replacement"),
        ({"draws": 0}, "`draws` must be a positive integer"),
        ({"seed": "a"}, "`seed` must be an integer"),
        ({"batch_size": -1}, "`batch_size` must be a positive integer"),
        ({"scores": SCORES[:, :5]}, r"`scores` must have the shape of x \(13, 7\)"),
        ({"x": X[:, :5]}, r"\(samples, 7\). Received: \(13, 5\)"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        comprehensiveness(of_kernel("softmax"), **{"x": X, "scores": SCORES, **change})


def test_too_few_points():
    with pytest.raises(ValueError, match="`points` must be at least 2"):
        deletion(of_kernel("softmax"), X, SCORES, points=1)
