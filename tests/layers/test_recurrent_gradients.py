"""The gradients of the layers with recurrent parts where Keras's cells compute in float32.

On JAX and torch, Keras 3.15.1 casts float64 to float32 within its recurrent layers, which is too
coarse for the contract's differences; TensorFlow passes them. Here the steps are longer, too long
for the kinks of sparsemax.
"""

import keras
import numpy as np
import pytest
from keras import ops

from tests.cases import CASES
from tests.contract import call
from tests.gradients import differences, float64, gradients

ROWS = [
    case
    for case in CASES
    if case.layer in ("hierarchical", "retain", "attention_decoder")
    and case.kwargs.get("normalizer") != "sparsemax"
]


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="it has no gradients")
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.id)
@float64()
def test_every_variable_gets_the_gradient_of_long_differences(case):
    layer, arrays, masks = case.make(dtype="float64"), case.arrays("float64"), case.visible()
    weights = np.random.default_rng(1).normal(size=call(layer, arrays, masks).shape)

    def scalar():
        return ops.sum(call(layer, arrays, masks) * ops.convert_to_tensor(weights))

    found = gradients(layer, scalar)
    for variable, gradient, (direction, slope) in zip(
        layer.trainable_variables, found, differences(layer, scalar, 3e-3), strict=True
    ):
        assert gradient is not None, variable.path
        along = (gradient * direction).sum()
        assert np.isclose(along, slope, atol=0.01, rtol=0.02), (variable.path, along, slope)
