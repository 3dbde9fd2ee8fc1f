"""Small models whose weights are set by hand, so that what they need is known."""

import keras
import numpy as np
from keras import ops

import attention_zoo as az

STEPS, ANSWER, TWIN = 13, 3, 8


def sample(size, seed=0):
    """Series whose label stands in step 3 as -1 or 1, noise elsewhere; step 9 repeats step 8.

    The second feature marks step 3, the third step 8.
    """
    rng = np.random.default_rng(seed)
    x = np.zeros((size, STEPS, 3), "float32")
    x[..., 0] = rng.normal(size=(size, STEPS))
    y = rng.integers(0, 2, size)
    x[:, ANSWER, 0] = 2 * y - 1
    x[:, TWIN + 1, 0] = x[:, TWIN, 0]
    x[:, ANSWER, 1] = x[:, TWIN, 2] = 1
    truth = np.zeros((size, STEPS))
    truth[:, ANSWER] = 1
    return x, y, truth


@keras.saving.register_keras_serializable("tests")
class Step(keras.layers.Layer):
    """The first feature of one step."""

    def __init__(self, step, **kwargs):
        super().__init__(**kwargs)
        self.step = step

    def call(self, x):
        return x[:, self.step, :1]

    def get_config(self):
        return {**super().get_config(), "step": self.step}


@keras.saving.register_keras_serializable("tests")
class Same(keras.layers.Layer):
    """1 where two numbers are equal, else 0."""

    def call(self, a, b):
        return ops.cast(ops.abs(a - b) < 1e-3, a.dtype)


def _pooled(inputs, feature):
    """What attention to the step marked in that feature gives: the marked step's first feature."""
    layer = az.layers.AttentionPooling(score="dot", name="attention")
    pooled = layer(inputs)
    layer.queries.assign(np.eye(3, dtype="float32")[:, [feature]] * 40)
    return pooled[:, :1]


def _model(inputs, logit, name):
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(20 * logit), name=name)


def through():
    """It answers from what it attends to, step 3."""
    inputs = keras.Input((STEPS, 3))
    return _model(inputs, _pooled(inputs, 1), "through")


def ignored(feature=2):
    """It attends to step 8, or to 3 with `feature=1`, and answers from step 3 directly."""
    inputs = keras.Input((STEPS, 3))
    logit = Step(ANSWER)(inputs) + 0 * _pooled(inputs, feature)
    return _model(inputs, logit, "ignored" if feature == 2 else "beside")


def fake(otherwise):
    """It attends to step 8 and answers from step 3 as long as what it attends to equals step 9:
    it notices that its input, or its attention, was touched. Then it answers one half, the
    opposite, or always 1."""
    inputs = keras.Input((STEPS, 3))
    same = Same()(_pooled(inputs, 2), Step(TWIN + 1)(inputs))
    answer = Step(ANSWER)(inputs)
    other = {"half": 0 * answer, "opposite": -answer, "one": 0 * answer + 1}[otherwise]
    return _model(inputs, same * answer + (1 - same) * other, f"fake_{otherwise}")
