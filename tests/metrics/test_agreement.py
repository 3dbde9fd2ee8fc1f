"""Rank correlations, divergences and the agreement of attention with other importances."""

import itertools

import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import jensenshannon

from attention_zoo.metrics import rank_correlation
from attention_zoo.metrics.divergence import divergence_over_seeds, jensen_shannon_divergence
from attention_zoo.metrics.rank_correlation import agreement, kendall_tau, spearman_rho

ORACLES = {
    kendall_tau: lambda a, b: scipy.stats.kendalltau(a, b, variant="b")[0],
    spearman_rho: lambda a, b: scipy.stats.spearmanr(a, b)[0],
}


@pytest.fixture(params=ORACLES, ids=lambda f: f.__name__)
def correlation(request):
    return request.param, ORACLES[request.param]


@pytest.mark.parametrize("values", [3, 7, 10**6])
def test_rank_correlations_are_scipys_with_ties_and_without(correlation, values):
    ours, oracle = correlation
    rng = np.random.default_rng(values)
    a, b = rng.integers(0, values, (2, 5, 31, 13))
    expected = [oracle(x, y) for x, y in zip(a.reshape(-1, 13), b.reshape(-1, 13), strict=True)]
    np.testing.assert_allclose(ours(a, b).ravel(), expected, atol=1e-12)


def test_masked_values_are_not_ranked(correlation):
    ours, oracle = correlation
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 29, 11))
    mask = rng.random((29, 11)) > 0.4
    mask[:, :3] = True
    found = ours(np.where(mask, a, np.nan), b, mask)
    expected = [oracle(x[m], y[m]) for x, y, m in zip(a, b, mask, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_many_rankings_are_taken_a_few_at_a_time(correlation, monkeypatch):
    a, b = np.random.default_rng(0).normal(size=(2, 17, 5))
    whole = correlation[0](a, b)
    monkeypatch.setattr(rank_correlation, "_PAIRS", 60)
    np.testing.assert_array_equal(correlation[0](a, b), whole)


@pytest.mark.parametrize(
    ("a", "b"), [([0.2, 0.2, 0.2], [1, 2, 3]), ([1, 2, 3], [4, 4, 4]), ([1], [1]), ([], [])]
)
def test_what_ranks_nothing_agrees_with_nothing_and_warns_of_nothing(correlation, a, b):
    assert np.isnan(correlation[0](a, b))


def test_rankings_that_do_not_fit(correlation):
    with pytest.raises(ValueError, match=r"one shape.*Received: \(1, 2\), \(1, 3\)"):
        correlation[0]([[1, 2]], [[1, 2, 3]])
    with pytest.raises(ValueError, match=r"mask \(2,\)"):
        correlation[0]([1, 2, 3], [1, 2, 3], [True, False])
    with pytest.raises(ValueError, match="must be finite"):
        correlation[0]([1, np.nan, 3], [1, 2, 3])


def test_agreement_is_three_taus():
    rng = np.random.default_rng(1)
    attention, occluded, gradients = rng.random((3, 7, 13))
    mask = np.arange(13) < rng.integers(5, 14, (7, 1))
    found = agreement(attention, occluded, gradients, mask)
    pairs = [(attention, occluded), (attention, gradients), (occluded, gradients)]
    for taus, (a, b) in zip(found, pairs, strict=True):
        expected = [
            scipy.stats.kendalltau(x[m], y[m])[0] for x, y, m in zip(a, b, mask, strict=True)
        ]
        np.testing.assert_allclose(taus, expected, atol=1e-12)


def test_divergence_is_scipys():
    rng = np.random.default_rng(2)
    p, q = rng.dirichlet(np.full(7, 0.3), (2, 23))
    q[:, ::2] = 0
    expected = [jensenshannon(a, b) ** 2 for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(jensen_shannon_divergence(p, q), expected, atol=1e-12)
    np.testing.assert_allclose(jensen_shannon_divergence(3 * p.T, q.T, axis=0), expected)


def test_divergence_at_its_ends():
    p, q = [[1, 0], [0.5, 0.5], [0, 0], [1, 0]], [[0, 1], [0.5, 0.5], [0, 0], [0, 0]]
    np.testing.assert_allclose(jensen_shannon_divergence(p, q), [np.log(2), 0, 0, np.nan])


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([[1, 0]], [[1, 0, 0]], r"one shape. Received: \(1, 2\) and \(1, 3\)"),
        ([1, -1], [0, 1], "`p` must be finite and at least 0. Received: -1"),
        ([1, 0], [np.nan, 1], "`q` must be finite"),
        (1, 1, "one shape"),
    ],
)
def test_what_is_no_distribution(p, q, message):
    with pytest.raises(ValueError, match=message):
        jensen_shannon_divergence(p, q)


def test_divergence_over_seeds_is_the_mean_of_all_pairs():
    scores = np.random.default_rng(3).dirichlet(np.ones(5), (3, 11, 2))
    expected = np.zeros(11)
    for a, b in itertools.combinations(range(3), 2):
        for i, head in itertools.product(range(11), range(2)):
            expected[i] += jensenshannon(scores[a, i, head], scores[b, i, head]) ** 2 / 6
    np.testing.assert_allclose(divergence_over_seeds(scores), expected, atol=1e-12)
    with pytest.raises(ValueError, match="at least 2 models. Received: 1"):
        divergence_over_seeds(scores[:1])
