"""Of models that are thrown away nothing stays."""

import gc
import logging
import weakref

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.training.memory import FORGETS, many_models, temporary_models


def trained():
    model = az.build("gru", input_shape=(5, 2), units=3, activation="sigmoid")
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    model.fit(np.ones((8, 5, 2)), np.ones(8), verbose=0)
    return weakref.ref(model)


def test_a_model_is_gone_with_its_block_whatever_ends_it():
    with temporary_models():
        gone = trained()
    assert gone() is None
    with pytest.raises(ValueError, match="what ended it"), temporary_models():
        gone = trained()
        raise ValueError("what ended it")
    assert gone() is None


def test_only_the_warnings_of_new_models_are_kept_back(caplog):
    said = "5 out of the last 5 calls to f triggered tf.function retracing. Tracing is expensive"
    logger = logging.getLogger("tensorflow")
    for context in (many_models, temporary_models):
        caplog.clear()
        with context():
            logger.warning(said)
            logger.warning("%s is wrong", "something")
        logger.warning(said)
        assert caplog.messages == ["something is wrong", said]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the graphs are TensorFlow's")
def test_its_graphs_go_with_it_and_those_of_others_stay():
    from tensorflow.python.framework.func_graph import FuncGraph

    def graphs():
        gc.collect()
        return sum(isinstance(one, FuncGraph) for one in gc.get_objects())

    mine = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    mine.compile("adam", "binary_crossentropy", jit_compile=False)
    mine.fit(np.ones((8, 3)), np.ones(8), verbose=0)
    before = graphs()
    for _ in range(2):
        with temporary_models():
            trained()
    assert graphs() == before
    mine.fit(np.ones((8, 3)), np.ones(8), verbose=0)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the compiled code is JAX's")
def test_their_compiled_code_does_not_pile_up():
    import jax

    def kept():
        return len(jax.devices()[0].client.live_executables())

    mine = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    seen = mine.predict(np.ones((8, 3)), verbose=0)
    least = []
    for _ in range(2):
        found = []
        for _ in range(FORGETS):
            with temporary_models():
                trained()
            found.append(kept())
        least.append(min(found))
    assert least[1] <= least[0] < max(found)
    np.testing.assert_array_equal(mine.predict(np.ones((8, 3)), verbose=0), seen)


def test_the_policy_of_the_process_stays():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        with temporary_models():
            pass
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(before)
