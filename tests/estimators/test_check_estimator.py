"""scikit-learn's own promises of an estimator."""

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks

import attention_zoo as az

#: What these models cannot promise, and why.
EXCEPTIONS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a weight of 2 is one sample in one batch, two samples are drawn into any two: "
        "the steps of the optimizer differ"
    ),
    "check_methods_sample_order_invariance": (
        "it asks for 1e-7: float32 rounds by a sample's place in the batch, here to 1e-6"
    ),
}

# One step an epoch, so that data of any number of samples need one compilation
SMALL = {"units": 8, "epochs": 20, "batch_size": 500, "learning_rate": 0.05}


@parametrize_with_checks(
    [az.AttentionClassifier(**SMALL), az.AttentionRegressor(**SMALL)],
    expected_failed_checks=lambda estimator: EXCEPTIONS,
)
def test_a_promise_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_order_of_samples_does_not_matter():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3))
    model = az.AttentionClassifier(**SMALL).fit(x, rng.integers(0, 3, 20))
    order = rng.permutation(20)
    np.testing.assert_allclose(
        model.predict_proba(x)[order], model.predict_proba(x[order]), rtol=1e-5, atol=1e-7
    )
