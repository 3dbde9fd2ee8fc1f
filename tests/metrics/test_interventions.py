"""Interchange: the answer goes with the inputs that carry it, and with no others."""

import keras
import numpy as np
import pytest
from keras import ops

from attention_zoo.metrics import interventions, perturbation
from attention_zoo.metrics.bootstrap import bootstrap_interval
from attention_zoo.metrics.faithfulness import comprehensiveness
from attention_zoo.metrics.interventions import interchange
from tests.trusting.hand_set import ANSWER, STEPS, TWIN, fake, ignored, sample, through

X, Y, TRUTH = sample(101)
ON_ANSWER, ON_TWIN = np.eye(STEPS)[[ANSWER, TWIN], None].repeat(len(X), 1)


@pytest.mark.parametrize("otherwise", ["half", "opposite", "one"])
def test_a_model_that_notices_a_changed_input_brings_no_answer_along(otherwise):
    model = fake(otherwise)
    # What it loses without the step that it attends to is what erasure by the marginal takes
    lost = comprehensiveness(model, X, ON_TWIN)
    assert lost.scores.mean() > 1.5 * lost.random.mean()
    assert bootstrap_interval(interchange(model, X, ON_TWIN).scores)[1] < 0.25


@pytest.mark.parametrize("model", [through, ignored], ids=lambda f: f.__name__)
def test_the_answer_goes_with_the_step_it_stands_in(model):
    found = interchange(model(), X, ON_ANSWER)
    assert found.scores.mean() == pytest.approx(1, abs=0.05)
    assert abs(interchange(model(), X, ON_TWIN).scores.mean()) < 0.1
    assert bootstrap_interval(found.random)[1] < 0.25
    assert found.scores.shape == found.random.shape == (len(X),)


def total():
    """The mean over the steps: each carries a share of the answer."""
    inputs = keras.Input((None, 1))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(inputs))


def test_the_mean_of_a_linear_model_is_the_share_that_was_exchanged():
    x = np.random.default_rng(0).normal(size=(211, 11, 1)).astype("float32")
    scores = np.zeros((211, 11))
    scores[:, :4] = 1
    # Of normal answers with correlation r, E |difference| is sqrt(1 - r) of that of unrelated ones
    expected = 1 - np.sqrt(1 - 4 / 11)
    share = [interchange(total(), x, scores, mass=1, seed=s).scores.mean() for s in (0, 1)]
    np.testing.assert_allclose(share, expected, atol=0.12)
    # With all of it exchanged the answer is the other's; with nothing of it, its own
    assert interchange(total(), x, np.ones((211, 11)), mass=1).scores.mean() == pytest.approx(
        1, abs=0.02
    )
    nothing = interchange(total(), x, np.zeros((211, 11))).scores.mean()
    assert abs(nothing) < 0.1


def test_all_that_is_exchanged_comes_from_one_sample():
    x = np.arange(17 * 5, dtype="float32").reshape(17, 5, 1)
    seen = []

    class Spy(keras.Model):
        def call(self, inputs):
            return ops.sum(inputs, (1, 2))[:, None]

        def predict(self, x, **kwargs):
            seen.append(np.asarray(x)[..., 0])
            return super().predict(x, **kwargs)

    model = Spy()
    model(x[:1])
    mask = np.ones((17, 5), bool)
    mask[:, 4] = False
    scores = np.zeros((17, 5))
    scores[:, :2] = 1
    interchange(model, x, scores, mask=mask, draws=3)
    mixed = np.concatenate(seen[1:]).reshape(-1, 17, 5)
    assert len(mixed) == 6
    for job in mixed:
        source = job // 5
        moved = source != np.arange(17)[:, None]
        # Two of the steps, none of them padding, all from one other sample
        assert (moved.sum(1) == 2).all() and not moved[:, 4].any()
        np.testing.assert_array_equal(job % 5, x[..., 0] % 5)
        assert (np.where(moved, source, -1).max(1) == np.where(moved, source, 99).min(1)).all()
    # By turns those of the highest scores and random ones
    assert (mixed[0::2, :, :2] // 5 != np.arange(17)[:, None]).all()
    assert (mixed[1::2, :, :2] // 5 == np.arange(17)[:, None]).any()


def test_neighbours_go_along_and_stay_within_the_series():
    x = np.arange(3 * 7, dtype="float32").reshape(3, 7, 1)
    scores = np.eye(7)[[0, 0, 3]]
    mask = np.ones((3, 7), bool)
    mask[:, 4] = False
    ranking = interventions.Ranking(x, scores, mask)
    top = interventions._top(ranking, scores, 0.9)
    np.testing.assert_array_equal(top, scores == 1)
    donors = np.array([1, 2, 0])
    taken = interventions._parts(ranking, top, donors, 1, None)
    expected = [[1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0]]
    np.testing.assert_array_equal(taken, expected)
    # More than the series has are all
    assert interventions._parts(ranking, top, donors, 99, None)[:, mask[0]].all()


def test_the_answer_may_stand_beside_the_attended_step():
    beside = np.eye(STEPS)[ANSWER + 1, None].repeat(len(X), 0)
    alone, along = (interchange(through(), X, beside, neighbors=n).scores.mean() for n in (0, 1))
    assert alone < 0.1 and along > 0.9
    # What a fake compares goes along, and its answer does not
    found = interchange(fake("half"), X, ON_TWIN, neighbors=1)
    assert bootstrap_interval(found.scores)[1] < 0.25


def test_batches_and_portions_change_nothing(monkeypatch):
    model = through()
    whole = interchange(model, X, ON_ANSWER, draws=3, seed=4)
    monkeypatch.setattr(perturbation, "BATCHES", 1)
    parts = interchange(model, X, ON_ANSWER, draws=3, seed=4, batch_size=50)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert not np.array_equal(whole.random, interchange(model, X, ON_ANSWER, draws=3).random)


def test_equal_answers_have_nowhere_to_go():
    x = np.ones((7, 5, 1), "float32")
    found = interchange(total(), x, np.ones((7, 5)))
    assert np.isnan(found.scores).all() and np.isnan(found.random).all()


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (X[:1], {}, "`x` must have at least 2 samples, to exchange inputs. Received: 1"),
        (X, {"mass": 1.5}, r"`mass` must be a number in \[0, 1\]. Received: mass=1.5"),
        (X, {"neighbors": -1}, "`neighbors` must be an integer of at least 0"),
        (X, {"draws": 0}, "`draws` must be a positive integer"),
        (X, {"scores": -ON_TWIN}, "`scores` must be at least 0. Received: -1"),
        (X, {"scores": np.ones((5, 3))}, "`scores` must have the shape of x"),
    ],
)
def test_bad_input_is_named(x, options, message):
    scores = options.pop("scores", ON_TWIN[: len(x)])
    with pytest.raises(ValueError, match=message):
        interchange(through(), x, scores, **options)
