"""AUP and AUR against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve

from attention_zoo.metrics.precision_recall import area_under_precision, area_under_recall


@pytest.mark.parametrize("decimals", [1, 7])
def test_scikit_learn_agrees(decimals):
    rng = np.random.default_rng(3)
    scores = (rng.random((29, 5, 3)) * (rng.random((29, 1, 1)) + 0.5) - 0.1).round(decimals)
    relevance = (rng.random((29, 5, 3)) > 0.7).astype(float)
    least, most = scores.min((1, 2), keepdims=True), scores.max((1, 2), keepdims=True)
    scaled = ((scores - least) / (most - least)).ravel()
    precision, recall, thresholds = precision_recall_curve(relevance.ravel(), scaled)
    found = area_under_precision(scores, relevance), area_under_recall(scores, relevance)
    assert found[0] == pytest.approx(auc(thresholds, precision[:-1]), abs=1e-9)
    assert found[1] == pytest.approx(auc(thresholds, recall[:-1]), abs=1e-9)


def test_they_tell_how_high_and_not_only_in_what_order():
    relevance = [[1, 0, 0]]
    faint, strong = [[0.5, 0.4, 0.0]], [[0.5, 0.1, 0.0]]
    assert area_under_precision(strong, relevance) > area_under_precision(faint, relevance)
    full, sparse = [[0.5, 0.5, 0.0]], [[0.9, 0.1, 0.0]]
    assert area_under_recall(full, [[1, 1, 0]]) > area_under_recall(sparse, [[1, 1, 0]])


def test_equal_scores_and_nothing_relevant():
    uniform = np.full((3, 7), 0.2)
    assert area_under_precision(uniform, np.eye(3, 7)) == 0
    assert area_under_recall(uniform, np.eye(3, 7)) == 0
    assert np.isnan(area_under_precision(uniform, np.zeros((3, 7))))
    assert np.isnan(area_under_recall(uniform, np.zeros((3, 7))))


def test_a_wrong_shape_names_both():
    with pytest.raises(ValueError, match=r"the scores \(1, 2\).*Received: \(1, 3\)"):
        area_under_precision([[0.5, 0.5]], [[0, 0, 1]])
