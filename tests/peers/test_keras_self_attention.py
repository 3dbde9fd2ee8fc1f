"""SelfAttention answers as keras-self-attention 0.51.0 does with its weights."""

from pathlib import Path

import keras
import numpy as np
import pytest

import attention_zoo as az

REFERENCES = Path(__file__).with_name("keras_self_attention_0_51.npz")
#: The same band and history in our arguments.
OURS = {
    "additive": {},
    "multiplicative": {"score": "general"},
    "band": {"window": 1},
    "history": {"score": "general", "window": 3, "use_causal_mask": True},
}


@pytest.mark.parametrize("kind", OURS)
def test_agreement(kind):
    with np.load(REFERENCES, allow_pickle=False) as file:
        theirs = {k.split(".")[1]: file[k] for k in file.files if k.startswith(f"{kind}.")}
    layer = az.layers.SelfAttention(units=11, **OURS[kind])
    layer.build(theirs["x"].shape)
    if "Wt" in theirs:
        layer.query_kernel.assign(theirs["Wt"])
        layer.key_kernel.assign(theirs["Wx"])
        layer.score_bias.assign(theirs["bh"])
        layer.score_vector.assign(theirs["Wa"][:, 0])
    else:
        layer.score_kernel.assign(theirs["Wa"])
    outputs, scores = layer(theirs["x"].astype("float32"), return_attention_scores=True)
    for ours, expected in ((outputs, theirs["outputs"]), (scores, theirs["scores"])):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(ours), expected, atol=1e-6)
