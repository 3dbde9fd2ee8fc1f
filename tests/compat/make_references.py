"""Make weighted_0_51.npz: what SeqWeightedAttention of keras-self-attention 0.51.0 answers.

It does not run on Keras 3, so this runs in an environment of its own, where none of ours is:

    python -m venv peer
    peer/bin/pip install "keras-self-attention==0.51.0" "tensorflow==2.21.*" tf-keras
    TF_USE_LEGACY_KERAS=1 TF_KERAS=1 peer/bin/python tests/compat/make_references.py
"""

import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = os.environ["TF_KERAS"] = "1"

import numpy as np
import tensorflow as tf
from keras_self_attention import SeqWeightedAttention

BATCH, TIME, FEATURES = 3, 7, 5

if __name__ == "__main__":
    tf.keras.backend.set_floatx("float64")
    draw = np.random.default_rng(0)
    x = draw.normal(size=(BATCH, TIME, FEATURES))
    mask = np.arange(TIME) < np.array([[7], [4], [1]])
    layer = SeqWeightedAttention(return_attention=True)
    layer(tf.constant(x))
    layer.set_weights([draw.normal(size=weight.shape) for weight in layer.get_weights()])
    outputs, scores = layer(tf.constant(x))
    masked, masked_scores = layer(tf.constant(x), mask=tf.constant(mask))
    path = Path(__file__).with_name("weighted_0_51.npz")
    np.savez_compressed(
        path,
        x=x,
        mask=mask,
        W=layer.get_weights()[0],
        outputs=outputs,
        scores=scores,
        masked=masked,
        masked_scores=masked_scores,
    )
    print(f"{path.name}: {path.stat().st_size} bytes")
