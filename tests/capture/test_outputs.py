"""A measure is about the output that was named, and says which there are where none was."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.trusting import run

X = np.random.default_rng(0).normal(size=(7, 5, 3)).astype("float32")
SCORES = np.abs(X)


def layers():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 3))
    pooled = az.layers.AttentionPooling(name="pooling")(inputs)
    price = keras.layers.Dense(2, name="price_head")(pooled)
    flat = keras.layers.Flatten()(inputs)
    return inputs, price, keras.layers.Dense(3, activation="softmax", name="aux_head")(flat)


class Both(keras.Model):
    """Answers with a dictionary, of which its class tells nothing before it is called."""

    def __init__(self):
        super().__init__(name="both")
        self.inner = functional()

    def call(self, x):
        return self.inner(x)


def functional():
    inputs, price, aux = layers()
    return keras.Model(inputs, {"price": price, "aux": aux}, name="both")


def in_a_list():
    inputs, price, aux = layers()
    return keras.Model(inputs, [aux, price], name="both")


def subclassed():
    model = Both()
    model(X[:1])
    return model


def alone():
    inputs, price, _ = layers()
    return keras.Model(inputs, price)


@pytest.fixture(scope="module")
def models():
    return {"dict": functional(), "list": in_a_list(), "subclassed": subclassed(), "one": alone()}


def ranked(function, **options):
    def measure(model, **output):
        return function(model, X, SCORES, draws=1, **options, **output)

    return measure


def given_y(model, **output):
    return az.explain(model, X, y=np.arange(7), **output).predicted


def given(name, *more, **options):
    def measure(model, **output):
        return getattr(az.metrics, name)(model, X, *more, **options, **output)

    return measure


MEASURES = {
    "explain": given_y,
    "gradients": given("gradients"),
    "saliency": given("saliency"),
    "gradient_times_input": given("gradient_times_input"),
    "integrated_gradients": given("integrated_gradients", n_steps=2),
    "convergence_delta": given("convergence_delta", X),
    "occlusion": given("occlusion", unit="feature"),
    "temporal_saliency_rescaling": given("temporal_saliency_rescaling", variant="feature"),
    "comprehensiveness": ranked(az.metrics.comprehensiveness, fractions=0.5),
    "sufficiency": ranked(az.metrics.sufficiency, fractions=0.5),
    "deletion": ranked(az.metrics.deletion, points=2),
    "insertion": ranked(az.metrics.insertion, points=2),
    "permutation_test": given("permutation_test", permutations=2),
    "adversarial_attention": given("adversarial_attention", rounds=1, candidates=2),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_that_of_a_model_of_the_named_output_alone(models, name):
    expected = keras.tree.flatten(MEASURES[name](models["one"]))
    for kind, output in (("dict", "price"), ("subclassed", "price"), ("list", 1)):
        found = keras.tree.flatten(MEASURES[name](models[kind], output=output))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", [*MEASURES, "trust"])
def test_a_measure_of_several_outputs_is_refused_where_none_is_named(models, name):
    measure = (lambda model: az.trust(model, X)) if name == "trust" else MEASURES[name]
    for kind, names in (("dict", "aux, price"), ("list", "aux_head, price_head")):
        with pytest.raises(ValueError, match=f"'both' has the outputs {names}: name the one"):
            measure(models[kind])


@pytest.mark.parametrize(
    ("kind", "output", "error", "message"),
    [
        ("dict", "prise", ValueError, "Unknown output. Did you mean 'price'"),
        ("dict", 2, ValueError, "`output` must be between 0 and 1.*aux, price.*output=2"),
        ("dict", -1, ValueError, "`output` must be between 0 and 1"),
        ("dict", True, TypeError, "`output` must be a name or a number. Received: output=True"),
        ("subclassed", "price_head", ValueError, "Unknown output.*Known: aux, price"),
        ("one", 0, ValueError, "leave it out.*is a `target`.*outputs price_head"),
    ],
)
def test_an_output_that_is_not_there(models, kind, output, error, message):
    with pytest.raises(error, match=message):
        az.metrics.gradients(models[kind], X, output=output)


def test_two_outputs_of_one_layer_are_told_apart_by_their_numbers():
    inputs = keras.Input((5, 3))
    pooled, head = az.layers.AttentionPooling()(inputs), keras.layers.Dense(2, name="head")
    model = keras.Model(inputs, [head(pooled), head(inputs[:, 0])])
    with pytest.raises(ValueError, match="'head' is several of them, give its number"):
        az.metrics.gradients(model, X, output="head")
    found = az.metrics.gradients(model, X, output=1)
    assert np.abs(found[:, 0]).min() > 0 and not found[:, 1:].any()


def test_the_page_of_trust_is_about_the_named_output(models, monkeypatch):
    model = models["dict"]
    price = model.predict(X, verbose=0)["price"]
    page = az.trust(model, X, price, output="price")
    assert page.output == "price" and "output price" in page.title
    by_attention = page["mean absolute error, uniform attention"]
    assert by_attention.control < 1e-6 < 1e-3 < by_attention.value
    # Every measure of the page was told of it
    assert not any("has the outputs" in row.sentence for row in page)
    monkeypatch.setattr(run, "TESTS", {"performance": run.TESTS["performance"]})
    other = az.trust(model, X, np.zeros(7, int), output="aux")
    row = other["accuracy, uniform attention"]
    assert row.value == row.control


def test_an_explanation_keeps_its_output(models, tmp_path):
    y = np.arange(7)
    explained = az.explain(models["dict"], X, y=y, output="price")
    np.testing.assert_array_equal(explained.predicted, explained.predictions["price"].argmax(1))
    again = az.Explanation.load(explained[:3].save(tmp_path / "explained.npz"))
    np.testing.assert_array_equal(again.predicted, explained.predicted[:3])
    # The scores are those of all outputs, and need none
    without = az.explain(models["dict"], X)
    with pytest.raises(ValueError, match=r"has 2 outputs.*explain\(model, x, output=...\)"):
        without.of_class(0)
