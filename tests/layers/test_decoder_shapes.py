"""AttentionDecoder within models whose lengths vary."""

import keras
import numpy as np
import pytest

import attention_zoo as az


@pytest.mark.parametrize("units", [None, 2])
def test_a_layer_that_needs_the_width_follows_a_decoder_of_varying_memory(units):
    inputs, memory = keras.Input((None, 3)), keras.Input((None, 5))
    cell = {"class_name": "GRUCell", "config": {"units": 2}}
    outputs = az.layers.AttentionDecoder(cell, units=units)(inputs, memory)
    model = keras.Model([inputs, memory], keras.layers.LayerNormalization()(outputs))
    model.compile("sgd", "mse")
    for steps, length in ((3, 7), (1, 11)):
        x = [np.ones((2, steps, 3), "float32"), np.ones((2, length, 5), "float32")]
        assert model.predict(x, verbose=0).shape == (2, steps, units or 7)
        assert np.isfinite(model.train_on_batch(x, np.zeros((2, steps, units or 7))))
