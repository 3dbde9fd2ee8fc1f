"""Data are paired with the inputs of a model as its own `predict` pairs them, or refused."""

import warnings

import keras
import numpy as np
import pytest

import attention_zoo as az

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 5, 3)).astype("float32")


def answer(a, b):
    """One number that the two inputs move differently."""
    pooled = [az.layers.AttentionPooling(name=name)(x) for name, x in (("of_a", a), ("of_b", b))]
    return keras.layers.Dense(1)(keras.layers.Concatenate()([pooled[0], 2 * pooled[1]]))


def functional(structure):
    keras.utils.set_random_seed(0)
    a, b = keras.Input((5, 3), name="a"), keras.Input((5, 3), name="b")
    with warnings.catch_warnings():
        # Keras warns of keys that are not the names of the tensors
        warnings.simplefilter("ignore")
        return keras.Model(structure(a, b), answer(a, b))


class Subclassed(keras.Model):
    def __init__(self, unpack):
        super().__init__(name="subclassed")
        self.unpack = unpack
        self.of_a = az.layers.AttentionPooling(name="of_a")
        self.of_b = az.layers.AttentionPooling(name="of_b")
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        a, b = self.unpack(x)
        return self.dense(keras.ops.concatenate([self.of_a(a), 2 * self.of_b(b)], axis=-1))


def subclassed(unpack, x):
    keras.utils.set_random_seed(0)
    model = Subclassed(unpack)
    model(x)
    return model


def in_order(x):
    return x


def by_name(x):
    return x["a"], x["b"]


MODELS = {
    "sorted dict": lambda: functional(lambda a, b: {"a": a, "b": b}),
    "unsorted dict": lambda: functional(lambda a, b: {"b": b, "a": a}),
    "swapped dict": lambda: functional(lambda a, b: {"a": b, "b": a}),
    "renamed dict": lambda: functional(lambda a, b: {"first": b, "second": a}),
    "list": lambda: functional(lambda a, b: [a, b]),
    "turned list": lambda: functional(lambda a, b: [b, a]),
    "tuple": lambda: functional(lambda a, b: (a, b)),
    "nested": lambda: functional(lambda a, b: [a, {"k": b}]),
    "subclassed, list": lambda: subclassed(in_order, [A, B]),
    "subclassed, dict": lambda: subclassed(by_name, {"a": A, "b": B}),
}
GIVEN = {
    "list": [A, B],
    "tuple": (A, B),
    "dict": {"a": A, "b": B},
    "turned dict": {"b": B, "a": A},
    "more": {"a": A, "b": B, "A": A},
    "renamed": {"first": A, "second": B},
    "missing": {"a": A},
    "nested": [A, {"k": B}],
    "one": A,
    "three": [A, B, A],
}
DICT, LIST = {"dict", "turned dict"}, {"list", "tuple"}
#: What each takes. Keras refuses the others, on JAX too if it is called, or would pair inputs with
#: others: one that is too much in a dictionary, what is nested otherwise.
TAKEN = {
    "sorted dict": DICT | LIST,
    "unsorted dict": DICT,
    "swapped dict": DICT | LIST,
    "renamed dict": LIST | {"renamed"},
    "list": DICT | LIST | {"more"},
    "turned list": DICT | LIST | {"more"},
    "tuple": DICT | LIST | {"more"},
    "nested": LIST | {"nested"},
    "subclassed, list": LIST,
    "subclassed, dict": DICT | {"more"},
}


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, make in MODELS.items()}


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", MODELS)
def test_data_are_paired_with_the_inputs_as_keras_pairs_them(models, name, given):
    model, x = models[name], GIVEN[given]
    if given in TAKEN[name]:
        explained = az.explain(model, x)
        np.testing.assert_allclose(explained.predictions, model.predict(x, verbose=0), atol=1e-5)
        assert {array.shape for array in explained.x} == {A.shape}
    else:
        with pytest.raises(ValueError, match="`x`"):
            az.explain(model, x)
        # A call that failed has changed nothing: Keras on JAX would have taken the weights out
        assert np.isfinite(model.get_weights()[0]).all()


def test_a_list_is_refused_where_inputs_have_names_and_no_order(models):
    message = r"must be a dictionary of the inputs \['b', 'a'\].*Received: list"
    with pytest.raises(ValueError, match=message):
        az.explain(models["unsorted dict"], [A, B])


@pytest.mark.parametrize("made_of", ["tensor", "list", "dict"])
def test_a_model_of_one_input_takes_what_keras_takes(made_of):
    a = keras.Input((5, 3), name="a")
    inputs = {"tensor": a, "list": [a], "dict": {"a": a}}[made_of]
    model = keras.Model(inputs, az.layers.AttentionPooling(name="of_a")(a))
    expected = az.explain(model, A).predictions
    for x in ([A], (A,), {"a": A}, A.tolist()):
        np.testing.assert_array_equal(az.explain(model, x).predictions, expected)
    with pytest.raises(ValueError, match=r"list of the inputs \['a'\].*np.stack.*4 arrays"):
        az.explain(model, list(A))


@pytest.mark.parametrize("name", ["list", "unsorted dict", "subclassed, list", "subclassed, dict"])
def test_measures_of_several_inputs(models, name):
    model = models[name]
    x = [A, B] if name.endswith("list") else {"b": B, "a": A}
    found = az.metrics.gradients(model, x)
    assert [each.shape for each in found] == [A.shape, B.shape]
    expected = az.metrics.gradients(models["list"], [A, B])
    assert max(np.abs(a - b).max() for a, b in zip(found, expected, strict=True)) < 1e-5
    assert az.metrics.permutation_test(model, x, "of_b", permutations=2).shape == (4,)
    assert az.metrics.attended_states(model, x, "of_b").vectors.shape == B.shape
    scores = az.attention_scores(model, x)
    np.testing.assert_allclose(
        az.capture.predict_with_scores(model, x, scores),
        az.explain(model, x).predictions,
        atol=1e-6,
    )
    with pytest.raises(ValueError, match="model of one input. Received: .* with 2"):
        az.metrics.occlusion(model, x)


def test_a_subclassed_model_of_several_inputs_says_what_does_not_fit(models):
    model = models["subclassed, dict"]
    with pytest.raises(ValueError, match=r"'subclassed'.*Received: .*\(4, 5, 3\)") as caught:
        az.explain(model, {"a": A})
    assert isinstance(caught.value.__cause__, KeyError)
    assert az.explain(model, {"a": A, "b": B}).predictions.shape == (4, 1)
    with pytest.raises(ValueError, match=r"as many samples in each input. Received: \[4, 3\]"):
        az.explain(model, {"a": A, "b": B[:3]})


def test_a_preset_of_inputs_by_name_keeps_the_examples_it_was_given(models, tmp_path):
    model, x = models["unsorted dict"], {"b": B, "a": A}
    again = az.load(az.save(model, tmp_path / "m", examples=x), verify=True)
    np.testing.assert_allclose(
        az.explain(again, x).predictions, model.predict(x, verbose=0), atol=1e-6
    )
