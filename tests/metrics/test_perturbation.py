"""What is put in the place of what, by loops."""

import numpy as np
import pytest

from attention_zoo.metrics import perturbation
from attention_zoo.metrics.perturbation import Ranking, perturb, replacement_values

RNG = np.random.default_rng(0)
#: Each number once, so that where a value comes from can be told: sample, step, feature.
X = np.arange(7 * 5 * 3, dtype="float32").reshape(7, 5, 3)
LENGTHS = np.array([5, 3, 5, 2, 4, 1, 3])
MASK = np.arange(5) < LENGTHS[:, None]


def test_marginal_draws_come_from_another_sample_at_the_same_cell():
    seen = set()
    for seed in range(40):
        values = replacement_values(X, seed=seed)
        sample, cell = np.divmod(values.reshape(7, 15), 15)
        np.testing.assert_array_equal(cell, np.tile(np.arange(15), (7, 1)))
        assert (sample != np.arange(7)[:, None]).all()
        # Each cell is drawn by itself
        assert len(set(sample[0])) > 1
        seen |= set(sample[0])
    assert seen == {1, 2, 3, 4, 5, 6}


def test_marginal_draws_are_uniform():
    x = np.arange(5.0)[:, None] * np.ones(8000)
    values = replacement_values(x, seed=3)
    for sample in range(5):
        counts = np.bincount(values[sample].astype(int), minlength=5)
        assert counts[sample] == 0
        assert np.abs(np.delete(counts, sample) - 2000).max() < 200


def test_padding_is_never_drawn_and_never_touched():
    x = np.where(MASK[..., None], X, -1000)
    for seed in range(20):
        values = replacement_values(x, mask=MASK, seed=seed)
        np.testing.assert_array_equal(values[~MASK], x[~MASK])
        assert (values[MASK] >= 0).all()
        cell = values[MASK] % 15
        np.testing.assert_array_equal(cell, (X % 15)[MASK])


def test_a_step_that_one_sample_reaches_alone_is_drawn_from_other_steps():
    mask = MASK.copy()
    mask[2, 4] = False
    x = np.where(mask[..., None], X, -1000)
    values = replacement_values(x, mask=mask)[0, 4]
    assert (values >= 0).all()
    np.testing.assert_array_equal(values % 3, [0, 1, 2])


def test_any_number_of_cells_at_once(monkeypatch):
    mask = MASK.copy()
    monkeypatch.setattr(perturbation, "_CELLS", 8)
    x = np.where(mask[..., None], X, -1000)
    values = replacement_values(x, mask=mask)
    np.testing.assert_array_equal(values[mask] % 15, (X % 15)[mask])
    np.testing.assert_array_equal(values[~mask], x[~mask])
    scores = RNG.permutation(35).reshape(7, 5)
    found = perturb(X + 1, scores, 0.4, replacement="zero")
    gone = np.argsort(-scores, axis=1)[:, :2]
    np.testing.assert_array_equal(
        np.sort(gone, axis=1), np.argwhere((found == 0).all(-1))[:, 1].reshape(7, 2)
    )


def test_mean_and_zero():
    np.testing.assert_allclose(replacement_values(X, "mean")[3], X.mean(0))
    masked = replacement_values(X, "mean", mask=MASK)
    for sample, step in zip(*np.nonzero(MASK), strict=True):
        expected = np.mean([X[n, step] for n in range(7) if MASK[n, step]], axis=0)
        np.testing.assert_allclose(masked[sample, step], expected, rtol=1e-6)
    np.testing.assert_array_equal(masked[~MASK], X[~MASK])
    assert not replacement_values(X, "zero").any()


def test_tokens_are_drawn_as_tokens():
    tokens = RNG.integers(1, 50, (11, 6))
    values = replacement_values(tokens)
    assert values.dtype == tokens.dtype
    for place in range(6):
        assert set(values[:, place]) <= set(tokens[:, place])
    with pytest.raises(ValueError, match="replacement='mean' needs an `x` of floats.*int64"):
        replacement_values(tokens, "mean")


@pytest.mark.parametrize("shape", [(7, 5, 3), (7, 5), (7, 1, 3), (7, 5, 1)])
@pytest.mark.parametrize("keep", [False, True])
def test_erase_against_a_loop(shape, keep):
    scores = RNG.permutation(np.prod(shape)).reshape(shape) / 10
    found = perturb(X + 1, scores, 0.3, keep=keep, replacement="zero")
    for n in range(7):
        parts = sorted(np.ndindex(*shape[1:]), key=lambda part: -scores[(n, *part)])
        top = parts[: int(np.ceil(0.3 * len(parts)))]
        for cell in np.ndindex(5, 3):
            part = tuple(0 if size == 1 else i for i, size in zip(cell, shape[1:], strict=False))
            replaced = (part in top) != keep
            assert found[(n, *cell)] == (0 if replaced else X[(n, *cell)] + 1)


def test_erase_counts_the_visible_parts_alone():
    scores = RNG.random((7, 5)) + 10.0 * ~MASK
    found = perturb(X + 1, scores, 0.5, replacement="zero", mask=MASK)
    gone = (found == 0).all(-1)
    np.testing.assert_array_equal(gone.sum(1), np.ceil(0.5 * LENGTHS))
    assert not (gone & ~MASK).any()


def test_chance_decides_between_equals():
    x = np.ones((2000, 5))
    gone = perturb(x, np.full((2000, 5), 0.2), 0.2, replacement="zero") == 0
    assert (gone.sum(1) == 1).all()
    assert np.abs(gone.sum(0) - 400).max() < 80


def test_fractions_are_rounded_up_but_not_by_rounding_errors():
    ranking = Ranking(np.ones((2, 10)), np.ones((2, 10)))
    counts = [int(ranking.top(fraction).sum(1)[0]) for fraction in (0, 0.01, 0.1, 0.3, 0.31, 1)]
    assert counts == [0, 1, 1, 3, 4, 10]


def test_seeds_reproduce():
    scores = np.ones((7, 5))
    np.testing.assert_array_equal(perturb(X, scores, 0.4, seed=5), perturb(X, scores, 0.4, seed=5))
    assert (perturb(X, scores, 0.4, seed=5) != perturb(X, scores, 0.4, seed=6)).any()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"fraction": 1.5}, r"`fraction` must be a number in \[0, 1\]. Received: fraction=1.5"),
        ({"fraction": True}, "`fraction` must be"),
        ({"replacement": "zeros"}, "Unknown replacement. Did you mean 'zero'"),
        ({"seed": 0.5}, "`seed` must be an integer"),
        ({"scores": np.ones((7, 4))}, r"the shape of x \(7, 5, 3\).*Received: \(7, 4\)"),
        ({"scores": np.ones(7)}, r"Received: \(7,\)"),
        ({"scores": np.ones((6, 5))}, r"Received: \(6, 5\)"),
        ({"scores": np.full((7, 5), np.nan)}, "`scores` must be finite"),
        ({"mask": MASK[:, :4]}, r"`mask` must be booleans.*Received: bool \(7, 4\)"),
        ({"mask": MASK.astype(float)}, "Received: float64"),
        ({"x": X[:1], "scores": np.ones((1, 5))}, "at least 2 are needed. Received: 1"),
        ({"x": [["a"]]}, "`x` must be an array of numbers"),
    ],
)
def test_bad_input(change, message):
    given = {"x": X, "scores": np.ones((7, 5)), "fraction": 0.2, **change}
    with pytest.raises(ValueError, match=message):
        perturb(**given)
