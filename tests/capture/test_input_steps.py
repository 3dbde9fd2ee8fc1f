"""Scores at the steps of the input, where those of the layer are fewer."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.capture.input_steps import input_steps
from attention_zoo.capture.scores import capture_scores
from attention_zoo.metrics.distributions import distributions
from attention_zoo.trusting.subject import Subject

CONV, MAXIMUM, MEAN = keras.layers.Conv1D, keras.layers.MaxPooling1D, keras.layers.AveragePooling1D
#: Layers before the attention, and the receptive field and stride that follow.
BEFORE = {
    "one stride": ([az.layers.MaskedConv1D(3, 5, 2)], 5, 2),
    "strides": ([az.layers.MaskedConv1D(3, 8, s) for s in (2, 3)], 8 + 7 * 2, 6),
    "dilation": ([az.layers.MaskedConv1D(3, 3, dilation_rate=4), MAXIMUM(2)], 10, 2),
    "no padding": ([CONV(3, 4), MEAN(3), keras.layers.Dense(2), CONV(2, 2, padding="same")], 9, 3),
    "causal": ([CONV(3, 3, 2, padding="causal"), keras.layers.ReLU()], 3, 2),
    "same": ([CONV(3, 4, 3, padding="same"), keras.layers.LayerNormalization()], 4, 3),
    "around": ([keras.layers.ZeroPadding1D((3, 1)), CONV(3, 5), MEAN(2)], 6, 2),
}
RNG = np.random.default_rng(0)


def attending(layers, shape=(23, 2), **attention):
    x = h = keras.Input(shape)
    for layer in layers:
        h = layer(h)
    y = az.layers.AttentionPooling(name="it", **attention)(h)
    return keras.Model(x, keras.layers.Dense(1)(y)), keras.Model(x, h)


@pytest.mark.parametrize("name", BEFORE)
def test_the_receptive_field_is_what_a_step_depends_on(name):
    layers, field, stride = BEFORE[name]
    layers = [type(one).from_config(one.get_config()) for one in layers]
    model, states = attending(layers)
    steps = input_steps(model)["it"]["step"]
    assert (steps.sees[1] - steps.sees[0] + 1, steps.stride) == (field, stride)
    # It stands for some of what it sees
    assert steps.sees[0] <= steps.start and steps.start + stride - 1 <= steps.sees[1]
    x = np.ones((1, 23, 2), "float32")
    changed = np.repeat(x, 23, 0)
    changed[range(23), range(23)] = 5.0  # row t has another step t
    weights = [np.abs(w) + 0.1 for w in states.get_weights()]
    states.set_weights(weights)
    both = states.predict(np.concatenate([x, changed]), verbose=0)
    depends = np.abs(both[1:] - both[:1]).max(-1) > 1e-5  # (input step, step)
    for j in range(depends.shape[1]):
        seen = np.flatnonzero(depends[:, j])
        low, high = (j * stride + end for end in steps.sees)
        assert low <= seen[0] and seen[-1] <= high
        if low >= 0 and high < 23 and not any(isinstance(one, MAXIMUM) for one in layers):
            assert (seen[0], seen[-1]) == (low, high)


@pytest.mark.parametrize("strides, kernels", [((2, 1, 1), (8, 5, 3)), (2, (8, 5, 3)), (4, (4, 4))])
def test_a_planted_step_is_found_at_the_steps_of_the_input(strides, kernels):
    attention = {"class_name": "pooling", "config": {"score": "dot", "normalizer": "sparsemax"}}
    model = az.build(
        "conv_after",
        input_shape=(None, 1),
        filters=2,
        strides=strides,
        kernel_sizes=kernels,
        attention=attention,
        mask_value=-9.0,
    )
    for layer in model.layers:  # the logit of a step is the sum of what it sees
        if isinstance(layer, az.layers.MaskedConv1D):
            layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
    model.get_layer("attention").set_weights(
        [np.ones_like(w) for w in model.get_layer("attention").get_weights()]
    )
    x, truth = np.zeros((3, 67, 1), "float32"), np.zeros((3, 67))
    x[2, 53:] = -9.0
    for row, planted in enumerate((9, 40, 50)):
        x[row, planted], truth[row, planted] = 30.0, 1.0
    seen = az.explain(model, x, truth=truth)
    scores, coarse = seen.scores["attention"], az.attention_scores(model, x)["attention"]
    steps = input_steps(model)["attention"]["step"]
    assert scores.shape == seen.masks["attention"].shape == (3, 67)
    assert coarse.shape == (3, -(-67 // steps.stride))
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    assert np.all(scores[2, 53:] == 0) and not seen.masks["attention"][2, 53:].any()
    for row, planted in enumerate((9, 40, 50)):
        found = np.flatnonzero(scores[row] == scores[row].max())
        middle = (found[0] + found[-1]) / 2
        assert abs(middle - planted) <= (steps.sees[1] - steps.sees[0] + 1) / 2
    assert list(seen.to_frame().columns)[-2:] == ["visible", "truth"]


def test_what_is_at_the_inputs_steps_already_is_left_as_it_is():
    model = az.build("conv_after", input_shape=(11, 2), filters=2)
    x = RNG.normal(size=(3, 11, 2)).astype("float32")
    np.testing.assert_array_equal(
        az.explain(model, x).scores["attention"], az.attention_scores(model, x)["attention"]
    )


def test_queries_and_keys_are_both_at_the_steps_of_the_input():
    model = az.build(
        "conv_after", input_shape=(11, 2), attention="self_attention", filters=2, strides=(2, 1, 1)
    )
    scores = az.explain(model, RNG.normal(size=(3, 11, 2))).scores["attention"]
    assert scores.shape == (3, 11, 11)
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])


def test_contributions_at_the_steps_of_the_input_add_up_to_the_answer():
    model = az.build(
        "conv_after",
        input_shape=(None, 2),
        filters=8,
        strides=(3, 1, 1),
        outputs=4,
        mask_value=-9.0,
    )
    x = RNG.normal(size=(3, 11, 2)).astype("float32")
    x[1, 7:] = -9.0
    seen = az.explain(model, x)
    added = seen.contributions["attention"]
    assert added.shape == (3, 11, 4) and np.all(added[1, 7:] == 0) and np.any(added[1, :7] != 0)
    np.testing.assert_allclose(added.sum(1), seen.predictions, atol=1e-5)


def test_trust_ranks_the_steps_of_the_input():
    model = az.build("conv_after", input_shape=(12, 2), filters=2, strides=(3, 1, 1))
    x = RNG.normal(size=(4, 12, 2)).astype("float32")
    look = capture_scores(model, x)
    subject = Subject(
        model,
        x,
        look,
        distributions(look),
        None,
        0,
        look.predictions[:, None],
        None,
        None,
        None,
        None,
        0,
    )
    assert subject.part == "step" and subject.scores.shape == (4, 4)
    assert subject.ranking[0].shape == subject.placed.uniform()[:, 0].shape == (4, 12)


def test_kerass_own_attention_is_seen_at_the_steps_of_the_input():
    x = keras.Input((12, 2))
    states = keras.layers.Conv1D(4, 3, strides=2, padding="same")(x)
    y = keras.layers.Attention(name="it")([states, states])
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Flatten()(y)))
    scores = az.explain(model, RNG.normal(size=(3, 12, 2))).scores["it"]
    assert scores.shape == (3, 12, 12)
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)


def test_the_dimension_shuffle_makes_features_of_the_steps():
    model = az.build("lstm_fcn", input_shape=(11, 3), filters=2, units=2, dimension_shuffle=True)
    seen = az.explain(model, RNG.normal(size=(2, 11, 3)), feature_names=["a", "b", "c"])
    assert seen.axes == {"attention": ("feature",)} and seen.attended == {"attention": "feature"}
    assert seen.layer().index_names == ["a", "b", "c"]


def test_the_card_names_the_resolution(tmp_path):
    model = az.build("conv_after", input_shape=(None, 2), filters=2, strides=(2, 1, 1))
    az.save(model, tmp_path / "it")
    card = az.presets.read_card(tmp_path / "it")
    assert card.resolution == {"attention": {"sees": 20, "stride": 2}}
    az.save(az.build("dense_after", input_shape=(None, 2)), tmp_path / "other")
    assert az.presets.read_card(tmp_path / "other").resolution is None
