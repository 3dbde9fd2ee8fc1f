"""Each task is what its docstring says, by a second way of working it out."""

import numpy as np
import pytest

from attention_zoo import tasks
from attention_zoo.tasks.saliency import BOXES, PROCESSES
from attention_zoo.tasks.signatures import SIGNATURES


def test_add_two_numbers():
    x, y, relevance = tasks.get("add_two_numbers", steps=13).sample(2000, seed=1)
    x = x[..., 0]
    assert np.all(relevance.sum(1) == 2)
    assert np.all(relevance[:, 0] == 0)
    places = np.array([np.flatnonzero(row) for row in relevance])
    rows = np.arange(len(x))[:, None]
    assert np.all(x[rows, places - 1] == 0)
    apart = places[:, 1] - places[:, 0] > 1
    np.testing.assert_allclose(x[rows, places].mean(1)[apart], y[apart], atol=1e-6)
    # What is left of neighbours is the second; the best guess of the first is its mean
    best = np.where(apart, y, 0.5 * x[rows, places][:, 1] + 0.25)
    task = tasks.get("add_two_numbers", steps=13)
    assert np.abs(best - y).mean() == pytest.approx(task.floor, abs=0.004)


def test_find_max():
    x, y, relevance = tasks.get("find_max").sample(3000, seed=1)
    np.testing.assert_array_equal(y, x[..., 0].max(1))
    np.testing.assert_array_equal(relevance.argmax(1), x[..., 0].argmax(1))
    assert x.mean() == pytest.approx(0.1 / 1.1, abs=0.005)
    # A constant is off by .25 at best
    assert np.abs(y - np.median(y)).mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("name", ["adding", "multiplication"])
@pytest.mark.parametrize("sizes", [{"steps": 20}, {"steps": 101}, {"steps": 200, "shortest": 20}])
def test_long_memory(name, sizes):
    task = tasks.get(name, **sizes)
    sample = task.sample(500, seed=2)
    values, marker = sample.x[..., 0], sample.x[..., 1]
    lengths = sample.mask.sum(1)
    assert lengths.min() >= task.lengths[0]
    assert lengths.max() <= task.lengths[1] == sample.x.shape[1]
    np.testing.assert_array_equal(marker == 1, sample.relevance)
    rows = np.arange(len(lengths))
    assert np.all(marker[:, 0] == -1)
    assert np.all(marker[rows, lengths - 1] == -1)
    assert np.all(np.abs(marker).sum(1) == 4)
    for row in range(len(lengths)):
        first, second = np.flatnonzero(marker[row] == 1)
        assert first < 10
        assert second < max(10, lengths[row] // 2)
        a, b = values[row, first], values[row, second]
        wanted = 0.5 + (a + b) / 4 if name == "adding" else a * b
        assert sample.y[row] == pytest.approx(wanted, abs=1e-6)


def test_the_adding_problem():
    x, y, relevance = tasks.get("adding_problem", steps=30).sample(200, seed=1)
    np.testing.assert_array_equal(x[..., 1], relevance)
    assert np.all(relevance[:, :15].sum(1) == 1)
    assert np.all(relevance[:, 15:].sum(1) == 1)
    np.testing.assert_allclose((x[..., 0] * relevance).sum(1), y, atol=1e-6)


def _u(k, x):
    one = x[0] * x[1]
    two = x[2] ** 2 + x[3] ** 2 + x[4] ** 2 + x[5] ** 2 - 4
    three = -10 * np.sin(0.2 * x[6]) + abs(x[7]) + x[8] + np.exp(-x[9]) - 2.4
    below = {4: (one, two), 5: (one, three), 6: (two, three)}
    return {1: one, 2: two, 3: three}[k] if k <= 3 else below[k][0 if x[10] < 0 else 1]


@pytest.mark.parametrize("k", range(1, 7))
def test_syn(k):
    x, y, relevance = tasks.get(f"syn{k}").sample(20_000, seed=1)
    p = np.array([1 / (1 + np.exp(_u(k, row))) for row in x.astype("float64")])
    # The labels are draws of those probabilities
    assert abs((y - p).sum()) < 4 * np.sqrt((p * (1 - p)).sum())
    for low, high in ((0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)):
        inside = (p >= low) & (p <= high)
        assert y[inside].mean() == pytest.approx(p[inside].mean(), abs=0.03)
    groups = {1: range(2), 2: range(2, 6), 3: range(6, 10)}
    pairs = {4: (1, 2), 5: (1, 3), 6: (2, 3)}
    for row, mine in zip(x[:200], relevance, strict=False):
        group = k if k <= 3 else pairs[k][0 if row[10] < 0 else 1]
        assert set(np.flatnonzero(mine)) == {*groups[group], *([10] if k > 3 else [])}


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("box", BOXES)
def test_boxes(box, process):
    x, y, relevance = tasks.get("boxes", box=box, process=process).sample(60, seed=1)
    high, wide = BOXES[box][0]
    starts = []
    for cells in relevance:
        times, features = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
        assert (len(times), len(features)) == (high, wide)
        assert cells.sum() == high * wide
        starts.append((times[0], features[0]))
    assert len(set(starts)) > 20 if BOXES[box][1] is None else len(set(starts)) <= 2
    inside = np.array([row[cells == 1].mean() for row, cells in zip(x, relevance, strict=True)])
    outside = np.array([row[cells == 0].mean() for row, cells in zip(x, relevance, strict=True)])
    shift = inside - outside
    if box.startswith("positional"):
        axis = 0 if box == "positional_time" else 1
        assert {(start[axis], label) for start, label in zip(starts, y, strict=True)} == {
            (1, 0), (29, 1)}  # fmt: skip
        assert shift.mean() == pytest.approx(1, abs=0.15)
    else:
        assert shift[y == 1].mean() == pytest.approx(1, abs=0.2)
        assert shift[y == 0].mean() == pytest.approx(-1, abs=0.2)


def test_the_processes():
    draw = np.random.default_rng(0)
    x = PROCESSES["autoregressive"](draw, (200, 50, 4))
    late = x[:, 20:]
    lagged = np.corrcoef(late[:, 1:].ravel(), late[:, :-1].ravel())[0, 1]
    variance = 0.5**2 / (1 - 0.9**2)
    assert lagged == pytest.approx(0.9 * variance / (variance + 0.09), abs=0.03)
    x = PROCESSES["harmonic"](draw, (50, 50, 200))
    # The features of a series are one sine and their own noise
    assert (x - x.mean(2, keepdims=True)).std() == pytest.approx(0.3, abs=0.01)
    assert np.abs(x.mean(2)).max() < 1.1
    x = PROCESSES["narma"](draw, (20, 50, 5))
    assert np.isfinite(x).all()
    assert 0.1 < x.mean() < 1


def test_the_hidden_state():
    x, y, relevance = tasks.get("hidden_state").sample(400, seed=1)
    assert np.all(relevance[..., 0] == 0)
    assert np.all(relevance.sum(-1) == 1)
    state = relevance[..., 2] == 1
    for number, mean in enumerate([(0.1, 1.6, 0.5), (-0.1, -0.4, -1.5)]):
        mine = x[state == bool(number)]
        np.testing.assert_allclose(mine.mean(0), mean, atol=0.03)
        np.testing.assert_allclose(np.cov(mine.T), np.eye(3) * 0.801, atol=0.03)
    p = 1 / (1 + np.exp(-2 * (x * relevance).sum(-1)))
    assert y.mean() == pytest.approx(p.mean(), abs=0.01)
    changed = state[:, 1:] != state[:, :-1]
    assert changed[~state[:, :-1]].mean() == pytest.approx(0.05, abs=0.01)
    assert changed[state[:, :-1]].mean() > 0.055


@pytest.mark.parametrize("fewest", [None, 2])
def test_max_retrieval(fewest):
    sample = tasks.get("max_retrieval", items=12, fewest=fewest).sample(300, seed=1)
    lengths = sample.mask.sum(1)
    assert (lengths.min(), lengths.max()) == (fewest or 12, 12)
    for x, y, relevance, length in zip(*sample, lengths, strict=True):
        best = x[:length, 0].argmax()
        assert relevance.argmax() == best
        assert x[best, 1:].argmax() == y
        assert np.all(x[:length, 1:].sum(1) == 1)


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("adding", {"steps": 19}, "must be 20 or more"),
        ("adding", {"steps": 50, "shortest": 60}, "`shortest` not above `steps`"),
        ("boxes", {"box": "midle"}, "Did you mean 'middle'"),
        ("boxes", {"process": "gausian"}, "Did you mean 'gaussian'"),
        ("max_retrieval", {"items": 4, "fewest": 5}, "must not be more than `items`"),
        ("add_two_numbers", {"steps": 2}, "must be 3 or more"),
        ("adding_problem", {"steps": 1}, "must be 2 or more"),
        ("hidden_state", {"steps": 0}, "positive integer"),
        ("syn1", {"features": 3}, "Unknown argument"),
    ],
)
def test_arguments(name, config, message):
    with pytest.raises(ValueError, match=message):
        tasks.get(name, **config)


def test_injected_signatures(monkeypatch):
    task, n = tasks.get("injected_signature"), 60
    x, y, relevance = task.sample(n, seed=1)
    names = list(SIGNATURES)
    assert np.all(np.bincount(y.astype(int)) == n // 10) and task.outputs == len(names) == 10
    # The same draw without signatures: all that is drawn before them is the same
    plain = {name: lambda w: w.x for name in names}
    monkeypatch.setattr("attention_zoo.tasks.signatures.SIGNATURES", plain)
    base = task.sample(n, seed=1).x[..., 0].astype("float64")
    assert np.all((base.mean(1) > 1) & (base.mean(1) < 9)) and x.min() == 0
    for one, before, label, cells in zip(
        x[..., 0], base, y.astype(int), relevance > 0, strict=True
    ):
        name, at = names[label], np.flatnonzero(cells)
        np.testing.assert_array_equal(one[~cells], before[~cells].astype("float32"))
        if name == "none":
            assert not len(at)
            continue
        old, new, free = before[cells], one[cells].astype("float64"), one[cells] > 0
        change = (new - old)[free]
        if name == "spikes":
            assert len(at) < 40 and np.all(np.abs(np.abs(change) - 3) < 1)
            continue
        assert np.all(np.diff(at) == 1) and 36 <= len(at) <= 288
        place = np.linspace(0, 1, len(at))
        if name == "flip":
            np.testing.assert_allclose(new, old[::-1], atol=1e-5)
        elif name == "skew":
            middles = np.concatenate([np.linspace(0.05, 0.25, 801), np.linspace(0.75, 0.95, 801)])
            warped = [np.interp(np.interp(place, [0, m, 1], [0, 0.5, 1]), place, old)
                      for m in middles]  # fmt: skip
            assert min(np.abs(each - new).mean() for each in warped) < 0.03 < np.abs(change).mean()
        elif name == "noise":
            assert 0.4 < change.std() < 1.15 and abs(change.mean()) < 0.5
        elif name == "cutoff":
            assert -0.05 < new.mean() < 0.3 and new.max() < 0.7
        elif name == "average":
            means = [[before[max(t - k // 2, 0) : t - k // 2 + k].mean() for t in at]
                     for k in range(5, 10)]  # fmt: skip
            assert min(np.abs(np.array(each) - new).max() for each in means) < 1e-5
        elif name == "wander":
            slope = change[free[free].cumsum() > 1] / place[free][1:]
            assert np.ptp(slope) < 1e-2 and 2 <= abs(slope[-1]) <= 3
        else:
            ratio = new / np.maximum(old, 1e-9) - 1
            most = ratio[np.abs(ratio).argmax()]
            assert 0.59 < abs(most) <= 1 and (most > 0) == (name == "peak")
            assert abs(np.abs(ratio).argmax() / len(at) - 0.5) < 0.05
