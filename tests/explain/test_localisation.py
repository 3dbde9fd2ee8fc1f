"""The measures of localisation on cases whose answer can be seen."""

import numpy as np
import pytest

from attention_zoo.explain import (
    pointing_game,
    relevance_mass_accuracy,
    relevance_rank_accuracy,
)


def test_by_hand():
    scores = [[0.7, 0.2, 0.1, 0.0], [0.1, 0.5, 0.3, 0.1], [0, 0, 0, 0]]
    relevance = [[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0]]
    np.testing.assert_allclose(relevance_mass_accuracy(scores, relevance), [0.9, 0.4, 0])
    np.testing.assert_allclose(relevance_rank_accuracy(scores, relevance)[:2], [1, 0.5])
    np.testing.assert_array_equal(pointing_game(scores, relevance), [1, 0, 0])


def test_brute_force_over_random_cases():
    rng = np.random.default_rng(0)
    scores = rng.random((23, 7, 3))
    relevance = (rng.random((23, 7, 3)) > 0.6).astype(float)
    mass, rank, point = (f(scores, relevance) for f in (
        relevance_mass_accuracy, relevance_rank_accuracy, pointing_game))  # fmt: skip
    for i in range(23):
        s, r = scores[i].ravel(), relevance[i].ravel()
        assert mass[i] == pytest.approx(sum(s[j] for j in range(21) if r[j]) / s.sum())
        top = sorted(range(21), key=lambda j: -s[j])[: int(r.sum())]
        assert rank[i] == pytest.approx(sum(r[j] for j in top) / r.sum())
        assert point[i] == r[max(range(21), key=lambda j: s[j])]


def test_relevance_spreads_over_the_scores_last_axes():
    scores = np.random.default_rng(0).random((5, 4, 3))
    relevance = np.eye(5, 4)
    spread = np.repeat(relevance[..., None], 3, axis=-1)
    np.testing.assert_array_equal(
        relevance_mass_accuracy(scores, relevance), relevance_mass_accuracy(scores, spread)
    )


def test_nothing_relevant_has_no_rank():
    assert np.isnan(relevance_rank_accuracy([[0.5, 0.5]], [[0, 0]])[0])


def test_a_wrong_shape_names_both():
    with pytest.raises(ValueError, match=r"the scores \(1, 2\).*Received: \(1, 3\)"):
        relevance_mass_accuracy([[0.5, 0.5]], [[0, 0, 1]])
