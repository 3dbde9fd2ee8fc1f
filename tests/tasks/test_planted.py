"""Every task is seeded, disjoint between splits, and right about where its answer is."""

import numpy as np
import pytest

from attention_zoo import tasks

NAMES = tasks.list_tasks()


@pytest.mark.parametrize("name", NAMES)
def test_a_draw_is_decided_by_its_seed_and_split(name):
    task = tasks.get(name)
    first, again = task.sample(7, seed=3), task.sample(7, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    others = [task.sample(7, seed=4), task.sample(7, seed=3, split="validation"),
              task.sample(7, seed=3, split="test")]  # fmt: skip
    assert not any(np.array_equal(first.x, other.x) for other in others)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_dtypes(name):
    task = tasks.get(name)
    x, y, relevance = task.sample(11, seed=0)
    assert x.shape == (11, *task.input_shape)
    several = task.kind == "regression" and task.outputs > 1
    each = x.shape[1] if task.per_step else task.outputs
    assert y.shape == ((11, each) if task.per_step or several else (11,))
    mask = task.sample(11, seed=0).mask
    assert mask is None or (mask.shape == x.shape[:2] and mask.dtype == bool and mask.any(1).all())
    if mask is not None:
        assert not x[~mask].any()
        assert not relevance[~mask].any()
    assert x.dtype == y.dtype == relevance.dtype == np.float32
    place = (11, each, *x.shape[1:]) if several else x.shape
    assert relevance.shape == place[: relevance.ndim]
    assert set(np.unique(relevance)) == {0, 1}


@pytest.mark.parametrize("name", ["planted_feature", "planted_step", "planted_channel"])
def test_the_label_stands_in_every_relevant_cell(name):
    x, y, relevance = tasks.get(name).sample(101, seed=1)
    extra = (1,) * (x.ndim - relevance.ndim)
    spread = np.broadcast_to(relevance.reshape(relevance.shape + extra), x.shape) == 1
    labels = np.broadcast_to(y.reshape(-1, *(1,) * (x.ndim - 1)), x.shape)
    assert np.array_equal(x[spread], labels[spread])
    assert abs(x[~spread].mean()) < 0.1
    assert abs(x[~spread].std() - 1) < 0.1
    assert 0.3 < y.mean() < 0.7


def test_planted_lags_are_where_they_are_said_to_be():
    task = tasks.get("planted_lags", steps=12, horizon=5, columns=3, index=2, noise=0.0)
    x, y, relevance = task.sample(2000, seed=1)
    np.testing.assert_array_equal(relevance.sum(-1), 1)
    np.testing.assert_array_equal(np.einsum("nht,nt->nh", relevance, x[..., 2]), y)
    assert len({*task.places()}) == 5
    correlations = np.corrcoef(x[:, 1:, 2].ravel(), x[:, :-1, 2].ravel())
    assert abs(correlations[0, 1] - task.share) < 0.02
    assert abs(x.std() - 1) < 0.02


def test_moving_step_marks_a_step_that_moves():
    x, y, relevance = tasks.get("moving_step", steps=13).sample(500, seed=1)
    assert np.array_equal(x[..., 1], relevance)
    assert np.array_equal(x[..., 0][relevance == 1], y)
    assert np.array_equal(relevance.sum(1), np.ones(500))
    assert np.all(relevance.sum(0) > 0)


def test_sizes_and_positions_are_arguments():
    x, _, relevance = tasks.get("planted_channel", steps=3, features=5, index=2).sample(2)
    assert x.shape == (2, 3, 5)
    assert np.all(relevance[:, :, 2] == 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tasks.get("planted_stpe"), "Did you mean 'planted_step'"),
        (lambda: tasks.get("planted_step", stps=3), "Did you mean 'steps'"),
        (lambda: tasks.get("planted_step", index=20), "`index` must be less than 20"),
        (lambda: tasks.get("planted_step", steps=0), "`steps` must be a positive integer"),
        (lambda: tasks.get("planted_step").sample(0), "`n` must be a positive integer"),
        (lambda: tasks.get("planted_step").sample(1, seed=-1), "`seed` must be an integer"),
        (lambda: tasks.get("planted_step").sample(1, split="tset"), "Did you mean 'test'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
