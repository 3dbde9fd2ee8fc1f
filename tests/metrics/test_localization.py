"""The measures of localisation on cases whose answer can be seen."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from attention_zoo.metrics import (
    area_under_precision,
    area_under_recall,
    auprc,
    false_discovery_rate,
    ndcg_at_n,
    pointing_game,
    relevance_mass_accuracy,
    relevance_rank_accuracy,
    true_positive_rate,
)


def test_labels_are_no_relevance():
    for measure in (
        auprc, false_discovery_rate, ndcg_at_n, pointing_game, relevance_mass_accuracy,
        relevance_rank_accuracy, true_positive_rate, area_under_precision, area_under_recall,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"beyond the samples. Received: \(3,\)"):
            measure(np.full((3, 5), 0.2), [0, 1, 1])


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


def test_ndcg_is_the_mean_over_all_orders_of_equal_scores():
    rng = np.random.default_rng(0)
    scores = rng.integers(-1, 2, (5, 6)) / 2
    relevance = rng.random((5, 6)) > 0.5
    relevance[1] = False
    found = ndcg_at_n(scores, relevance)
    assert np.isnan(found[1])
    for i in (0, 2, 3, 4):
        n, each = int(relevance[i].sum()), []
        for order in itertools.permutations(range(6)):
            if all(scores[i, a] >= scores[i, b] for a, b in itertools.pairwise(order)):
                gains = [relevance[i, cell] / np.log2(r + 2) for r, cell in enumerate(order[:n])]
                each.append(sum(gains) / sum(1 / np.log2(r + 2) for r in range(n)))
        assert found[i] == pytest.approx(np.mean(each))
    assert ndcg_at_n([[3, 2, 1.0]], [[0, 0, 1]]) == 0
    assert ndcg_at_n([[3, 2, 1.0]], [[1, 1, 0]]) == 1


def test_relevance_spreads_over_the_scores_last_axes():
    scores = np.random.default_rng(0).random((5, 4, 3))
    relevance = np.eye(5, 4)
    spread = np.repeat(relevance[..., None], 3, axis=-1)
    np.testing.assert_array_equal(
        relevance_mass_accuracy(scores, relevance), relevance_mass_accuracy(scores, spread)
    )


def test_relevance_of_more_axes_counts_a_cell_with_any_relevant_part():
    relevance = np.zeros((1, 3, 4))
    relevance[0, 1, 2] = 1
    assert relevance_mass_accuracy([[0.2, 0.7, 0.1]], relevance)[0] == pytest.approx(0.7)


def test_ties_are_shared():
    uniform, relevance = np.full((1, 11), 1 / 11), [[1, 1] + [0] * 9]
    assert pointing_game(uniform, relevance)[0] == pytest.approx(2 / 11)
    assert relevance_rank_accuracy(uniform, relevance)[0] == pytest.approx(2 / 11)
    # The second place is one of three cells of score 0, one of them relevant
    sparse = [[0.6, 0.0, 0.0, 0.0]]
    assert relevance_rank_accuracy(sparse, [[1, 0, 1, 0]])[0] == pytest.approx((1 + 1 / 3) / 2)
    assert pointing_game([[0.0, 0.0]], [[1, 1]])[0] == 0


@pytest.mark.parametrize("decimals", [1, 7])
def test_auprc_is_average_precision(decimals):
    rng = np.random.default_rng(3)
    scores = rng.random((29, 5, 3)).round(decimals)
    relevance = (rng.random((29, 5, 3)) > 0.7).astype(float)
    expected = average_precision_score(relevance.ravel(), scores.ravel())
    assert auprc(scores, relevance) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(auprc(scores, np.zeros((29, 5, 3))))


def test_selection_by_hand():
    scores = [[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    relevance = [[1, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(true_positive_rate(scores, relevance), [0.5, 1, np.nan])
    np.testing.assert_array_equal(false_discovery_rate(scores, relevance), [0.5, 0, 0])


def test_nothing_relevant_has_no_rank():
    assert np.isnan(relevance_rank_accuracy([[0.5, 0.5]], [[0, 0]])[0])


def test_a_wrong_shape_names_both():
    with pytest.raises(ValueError, match=r"the scores \(1, 2\).*Received: \(1, 3\)"):
        relevance_mass_accuracy([[0.5, 0.5]], [[0, 0, 1]])
