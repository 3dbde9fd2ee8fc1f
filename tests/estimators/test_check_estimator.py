"""scikit-learn's own promises of an estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

import attention_zoo as az

#: What these models cannot promise, and why.
EXCEPTIONS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a weight of 2 is one sample in one batch, two samples are drawn into any two: "
        "the steps of the optimizer differ"
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
