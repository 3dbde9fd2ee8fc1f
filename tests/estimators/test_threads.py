"""Fits in threads give what fits one after another give."""

import threading

import joblib
import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.model_selection import cross_val_predict

import attention_zoo as az
from attention_zoo.models.register import _dtype

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(53, 5)).astype("float32")
Y = (X[:, 0] > 0).astype(int)

ESTIMATORS = {
    "dense": {"dropout": 0.3, "epochs": 5},
    "early end": {"early_stopping": True, "n_iter_no_change": 2, "epochs": 5},
    # More steps than TensorFlow takes at once: the order is Keras's
    "many steps": {"batch_size": 1, "epochs": 1},
    "gru": {"architecture": "gru", "units": 3, "epochs": 2, "batch_size": 11},
}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_folds_in_threads_are_those_of_one_after_another(kind):
    estimator = az.AttentionClassifier(**ESTIMATORS[kind], random_state=0)

    def answers(threads):
        with joblib.parallel_backend("threading"):
            return cross_val_predict(estimator, X, Y, cv=4, method="predict_proba", n_jobs=threads)

    np.testing.assert_allclose(answers(4), answers(1), rtol=1e-5, atol=1e-6)


def test_models_of_two_threads_keep_their_dtypes():
    both, found = threading.Barrier(2), {}

    def build(dtype):
        with _dtype(dtype):
            both.wait(10)
            layer = keras.layers.Dense(1)
            both.wait(10)
        found[dtype] = layer.dtype_policy.name

    threads = [
        threading.Thread(target=build, args=[name]) for name in ("float16", "mixed_bfloat16")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: name for name in ("float16", "mixed_bfloat16")}
