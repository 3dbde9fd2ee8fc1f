"""The bootstrap interval of a mean."""

import numpy as np
import pytest
import scipy.stats

from attention_zoo.metrics import bootstrap
from attention_zoo.metrics.bootstrap import bootstrap_interval


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_the_interval_is_scipys(draw):
    values = getattr(np.random.default_rng(0), draw)(size=97)
    oracle = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    np.testing.assert_allclose(bootstrap_interval(values, resamples=20_000), oracle, atol=0.01)
    narrow = bootstrap_interval(values, level=0.5)
    assert oracle[0] < narrow[0] < values.mean() < narrow[1] < oracle[1]


def test_it_holds_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        low, high = bootstrap_interval(rng.random(61) < 0.3, resamples=400)
        held += low <= 0.3 <= high
    assert 0.91 < held / 400 < 0.98


def test_a_seed_gives_the_same_however_many_are_drawn_at_once(monkeypatch):
    values = np.random.default_rng(0).normal(size=31)
    whole = bootstrap_interval(values, seed=5)
    assert whole != bootstrap_interval(values, seed=6)
    monkeypatch.setattr(bootstrap, "_CELLS", 31 * 7)
    assert bootstrap_interval(values, seed=5) == whole


def test_equal_values_have_no_spread():
    assert bootstrap_interval([2, 2, 2]) == (2, 2)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {}, r"`values` must be \(samples,\), one or more. Received: \(0,\)"),
        ([[1.0]], {}, r"Received: \(1, 1\)"),
        ([np.nan], {}, "`values` must be finite"),
        ([1.0], {"level": 1}, "`level` must be a number between 0 and 1. Received: level=1"),
        ([1.0], {"level": True}, "Received: level=True"),
        ([1.0], {"resamples": 0}, "`resamples` must be a positive integer"),
        ([1.0], {"seed": -1}, "`seed` must be an integer of at least 0"),
    ],
)
def test_bad_input_is_named(values, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(values, **options)
