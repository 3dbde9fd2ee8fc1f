"""Keras's own test of a layer, `run_layer_test`, over every registered one."""

import pytest
from keras.src.testing import TestCase

from tests.cases import CASES

PARTS = ("score", "encoder", "monotonic", "shared_values")

#: One case for each way in which a layer is called, and for each kind of its parts.
WAYS = {
    (case.layer, *map(len, case.inputs.values()), *map(case.kwargs.get, PARTS)): case
    for case in reversed(CASES)
}


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
# Not called `case`, of which conftest.py leaves out most on JAX
@pytest.mark.parametrize("way", WAYS.values(), ids=lambda case: case.id)
def test_keras_own_test_of_a_layer(way):
    layer = way.make()
    several = len(way.inputs) > 1
    shapes = {f"{name}_shape": shape for name, shape in way.inputs.items()}
    recurrent = "cell" in way.kwargs or "encoder" in way.kwargs or way.layer == "retain"
    TestCase().run_layer_test(
        type(layer),
        init_kwargs={**way.kwargs, "dropout": 0.25, "scores_regularizer": "entropy"},
        input_shape=shapes if several else way.first,
        expected_output_shape=layer.compute_output_shape(*way.inputs.values()),
        expected_num_trainable_weights=len(layer.trainable_weights),
        expected_num_non_trainable_weights=0,
        # None is as many as Keras finds: its recurrent cells have some as well
        expected_num_seed_generators=None if recurrent else 1,
        expected_num_losses=2 if way.layer == "hierarchical" else 1,
        supports_masking=True,
        # Keras's test trains on a dictionary, as one argument, which its own layers refuse as well
        run_training_check=bool(layer.trainable_weights) and not several,
    )
