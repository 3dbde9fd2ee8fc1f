"""Other attention in the place of the model's own, on models whose answer is a formula."""

import keras
import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

import attention_zoo as az
from attention_zoo.metrics import distributions
from attention_zoo.metrics.adversarial import adversarial_attention
from attention_zoo.metrics.counterfactual import permutation_test, permuted, predict_uniform
from attention_zoo.metrics.states import attended_states, conicity

STEPS, FEATURES = 7, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(11, STEPS, FEATURES)).astype("float32")
LENGTHS = RNG.integers(2, STEPS + 1, 11)
VISIBLE = np.arange(STEPS) < LENGTHS[:, None]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Pooled:
    """sigmoid(sum of scores x inputs @ w), on inputs of which some steps are padding."""

    def __init__(self, masked=True, activation="sigmoid", outputs=1):
        inputs = keras.Input((STEPS, FEATURES))
        x = keras.layers.Masking(-9.0)(inputs) if masked else inputs
        x = az.layers.AttentionPooling(score="dot", name="attention")(x)
        self.model = keras.Model(inputs, keras.layers.Dense(outputs, activation)(x))
        self.kernel = RNG.normal(size=(FEATURES, outputs)).astype("float32")
        self.model.layers[-1].set_weights([self.kernel, np.zeros(outputs, "float32")])
        self.x = np.where(VISIBLE[..., None], X, -9).astype("float32") if masked else X
        self.scores = az.attention_scores(self.model, self.x)["attention"]

    def __call__(self, scores):
        return sigmoid(np.einsum("bt,btf,fo->bo", scores, self.x, self.kernel))


@pytest.fixture(scope="module")
def pooled():
    return Pooled()


def test_permuted_rows_hold_the_same_scores_where_something_is_visible():
    rows = RNG.random((11, 2, STEPS)) * VISIBLE[:, None]
    seen = np.broadcast_to(VISIBLE[:, None], rows.shape)
    mixed, *others = permuted(rows, seen, RNG.random((41, *rows.shape)))
    np.testing.assert_array_equal(np.sort(mixed), np.sort(rows))
    assert not mixed[~seen].any()
    assert len({tuple(order[-1, 0]) for order in others}) > 1
    assert not np.array_equal(mixed[:, 0] > rows[:, 0], mixed[:, 1] > rows[:, 1])


def test_the_permutation_test_is_the_median_of_the_change(pooled):
    found = permutation_test(pooled.model, pooled.x, permutations=13, seed=5)
    rows = pooled.scores[:, None].astype("float64")
    keys = np.random.default_rng(5).random((11, 13, 1, STEPS))
    changes = [
        np.abs(pooled(permuted(rows, VISIBLE[:, None], k)[:, 0]) - pooled(pooled.scores))[:, 0]
        for k in keys.swapaxes(0, 1)
    ]
    np.testing.assert_allclose(found, np.median(changes, axis=0), atol=1e-6)


def test_the_distance_of_several_classes_is_half_the_sum_of_the_differences():
    several = Pooled(masked=False, outputs=5)
    found = permutation_test(several.model, several.x, "attention", permutations=1, seed=2)
    mixed = permuted(
        several.scores[:, None].astype("float64"),
        np.ones((11, 1, STEPS), bool),
        np.random.default_rng(2).random((11, 1, STEPS)),
    )[:, 0]
    expected = np.abs(several(mixed) - several(several.scores)).sum(1) / 2
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_uniform_attention_is_the_mean_of_what_is_visible(pooled):
    mean = VISIBLE / VISIBLE.sum(1, keepdims=True)
    np.testing.assert_allclose(predict_uniform(pooled.model, pooled.x), pooled(mean), atol=1e-6)


@pytest.mark.parametrize("kind", ["step", "feature"])
def test_uniform_attention_in_a_layer_that_gates(kind):
    inputs = keras.Input((STEPS, FEATURES))
    layer = {"step": az.layers.TemporalAttention(), "feature": az.layers.FeatureAttention()}[kind]
    model = keras.Model(inputs, keras.layers.Flatten()(layer(inputs)))
    size = STEPS if kind == "step" else FEATURES
    np.testing.assert_allclose(predict_uniform(model, X), X.reshape(11, -1) / size, atol=1e-6)


def test_causal_heads_stay_causal():
    inputs = keras.Input((STEPS, FEATURES))
    layer = keras.layers.MultiHeadAttention(2, 3, name="heads")
    model = keras.Model(inputs, layer(inputs, inputs, use_causal_mask=True))
    seen = az.attention_scores(model, X)["heads"]
    found = adversarial_attention(model, X, tolerance=1e3, rounds=2, candidates=5)
    assert found.scores.shape == seen.shape
    assert not found.scores[..., ~np.tril(np.ones((STEPS, STEPS), bool))].any()
    np.testing.assert_allclose(found.scores.sum(-1), 1, atol=1e-6)
    assert (found.divergence > 0.1).all()


def test_the_adversary_holds_what_it_says(pooled):
    found = adversarial_attention(pooled.model, pooled.x, rounds=6)
    assert not found.scores[~VISIBLE].any()
    np.testing.assert_allclose(found.scores.sum(1), 1, atol=1e-6)
    change = np.abs(pooled(found.scores) - pooled(pooled.scores))[:, 0]
    np.testing.assert_allclose(found.change, change, atol=1e-6)
    assert (found.change <= 0.01).all()
    apart = [jensenshannon(a, b) ** 2 for a, b in zip(found.scores, pooled.scores, strict=True)]
    np.testing.assert_allclose(found.divergence, apart, atol=1e-6)
    assert (found.control >= found.divergence).all()


def test_the_adversary_comes_near_the_best_of_all_distributions():
    rng = np.random.default_rng(1)
    inputs = keras.Input((3, 2))
    x = az.layers.AttentionPooling(score="dot", name="attention")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(x))
    model.get_layer("attention").set_weights([rng.normal(size=(2, 1))])
    kernel = np.array([[2.0], [-1.0]], "float32")
    model.layers[-1].set_weights([kernel, np.zeros(1, "float32")])
    data = rng.normal(size=(17, 3, 2)).astype("float32")
    own = az.attention_scores(model, data)["attention"]
    found = adversarial_attention(model, data, rounds=20, candidates=32)
    shares = []
    grid = np.array([(a, b, 200 - a - b) for a in range(201) for b in range(201 - a)]) / 200
    for i in range(17):
        value = data[i] @ kernel[:, 0]
        same = np.abs(sigmoid(grid @ value) - sigmoid(own[i] @ value)) <= 0.01
        best = max((jensenshannon(row, own[i]) ** 2 for row in grid[same]), default=0)
        shares.append(found.divergence[i] / best)
    # Above 1 by what lies between the points of the grid
    assert np.mean(shares) > 0.9 and np.max(shares) < 1.03


def test_the_same_seed_finds_the_same(pooled):
    first, again, other = (
        adversarial_attention(pooled.model, pooled.x, rounds=2, seed=s).scores for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_few_samples_are_held_at_once(pooled, monkeypatch):
    whole = permutation_test(pooled.model, pooled.x, permutations=200)
    monkeypatch.setattr(distributions, "_CELLS", 200 * STEPS * 4)
    few = permutation_test(pooled.model, pooled.x, permutations=200)
    np.testing.assert_allclose(few, whole, rtol=0, atol=1e-6)
    found = adversarial_attention(pooled.model, pooled.x, rounds=2, candidates=200)
    assert found.scores.shape == pooled.scores.shape
    np.testing.assert_allclose(
        found.change, np.abs(pooled(found.scores) - pooled(pooled.scores))[:, 0], atol=1e-6
    )


def test_conicity_by_loops():
    states = RNG.normal(size=(11, STEPS, FEATURES)) + 0.5
    expected = []
    for rows, seen in zip(states, VISIBLE, strict=True):
        rows = rows[seen]
        mean = rows.mean(0)
        expected.append(
            np.mean([r @ mean / np.linalg.norm(r) / np.linalg.norm(mean) for r in rows])
        )
    np.testing.assert_allclose(conicity(states, VISIBLE), expected, atol=1e-12)


def test_conicity_of_nothing():
    np.testing.assert_array_equal(conicity(np.zeros((1, 2, 3))), [0])
    assert np.isnan(conicity(np.ones((1, 2, 3)), np.zeros((1, 2), bool)))[0]
    with pytest.raises(ValueError, match=r"\(samples, steps, features\). Received: \(2, 3\)"):
        conicity(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"`mask` must have the shape \(1, 2\). Received: \(2,\)"):
        conicity(np.ones((1, 2, 3)), [True, False])


def test_the_states_of_a_pooling_layer_are_its_inputs(pooled):
    states = attended_states(pooled.model, pooled.x)
    np.testing.assert_allclose(states.vectors[VISIBLE], X[VISIBLE], atol=1e-6)
    np.testing.assert_array_equal(states.visible, VISIBLE)


@pytest.mark.parametrize("call", ["positional", "keywords", "list"])
def test_the_states_of_a_layer_of_queries_are_its_values(call):
    query, value = keras.Input((2, FEATURES)), keras.Input((STEPS, FEATURES))
    doubled = keras.layers.Rescaling(2.0)(value)
    if call == "list":
        y = keras.layers.Attention(name="attention")([query, doubled])
    else:
        layer = az.layers.CrossAttention(name="attention")
        y = layer(query, doubled) if call == "positional" else layer(query=query, value=doubled)
    model = keras.Model([query, value], y)
    states = attended_states(model, [X[:, :2], X], "attention")
    np.testing.assert_allclose(states.vectors, 2 * X, atol=1e-6)


def test_states_that_are_none():
    inputs = keras.Input((5,))
    model = keras.Model(inputs, az.layers.FeatureAttention(name="gate")(inputs))
    with pytest.raises(ValueError, match=r"'gate' attends to features, not to states"):
        attended_states(model, X[:, :5, 0])


@pytest.mark.parametrize("measure", [permutation_test, adversarial_attention, predict_uniform,
                                     attended_states])  # fmt: skip
def test_an_unknown_layer_and_a_model_without_attention(pooled, measure):
    with pytest.raises(ValueError, match="Unknown layer. Did you mean 'attention'"):
        measure(pooled.model, pooled.x, "atention")
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="has no attention layer"):
        measure(plain, X[:, 0])


@pytest.mark.parametrize(
    ("measure", "name", "value"),
    [
        (permutation_test, "permutations", 0),
        (permutation_test, "seed", -1),
        (adversarial_attention, "rounds", -1),
        (adversarial_attention, "candidates", True),
        (adversarial_attention, "tolerance", 0),
        (adversarial_attention, "seed", "a"),
        (predict_uniform, "batch_size", 0),
    ],
)
def test_bad_arguments_are_named(pooled, measure, name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        measure(pooled.model, pooled.x, **{name: value})
