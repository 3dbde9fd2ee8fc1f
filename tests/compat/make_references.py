"""Make weighted_0_51.npz and heads_0_29.npz: what SeqWeightedAttention of keras-self-attention
0.51.0, and MultiHeadAttention and MultiHead of keras-multi-head 0.29.0, answer.

They do not run on Keras 3, so this runs in another environment, where none of ours is:

    python -m venv peer
    peer/bin/pip install "keras-self-attention==0.51.0" "keras-multi-head==0.29.0" \
        "tensorflow==2.21.*" tf-keras
    TF_USE_LEGACY_KERAS=1 TF_KERAS=1 peer/bin/python tests/compat/make_references.py
"""

import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = os.environ["TF_KERAS"] = "1"

import numpy as np
import tensorflow as tf
from keras_multi_head import MultiHead, MultiHeadAttention
from keras_self_attention import SeqWeightedAttention

BATCH, TIME, FEATURES = 3, 7, 5


def drawn(layer, draw):
    layer.set_weights([draw.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer.get_weights()


def weighted(draw):
    x = draw.normal(size=(BATCH, TIME, FEATURES))
    mask = np.arange(TIME) < np.array([[7], [4], [1]])
    layer = SeqWeightedAttention(return_attention=True)
    layer(tf.constant(x))
    kernel = drawn(layer, draw)[0]
    outputs, scores = layer(tf.constant(x))
    masked, masked_scores = layer(tf.constant(x), mask=tf.constant(mask))
    return {"x": x, "mask": mask, "W": kernel, "outputs": outputs, "scores": scores,
            "masked": masked, "masked_scores": masked_scores}  # fmt: skip


def heads(draw):
    x = draw.normal(size=(BATCH, TIME, 4))
    mask = np.arange(TIME) < np.array([[7], [4], [1]])
    layer = MultiHeadAttention(head_num=2, activation=None, history_only=True)
    layer(tf.constant(x))
    names = ("Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo")
    weights = dict(zip(names, drawn(layer, draw), strict=True))
    outputs, scores = layer(tf.constant(x)), layer.attention
    copies = MultiHead(tf.keras.layers.Dense(2), layer_num=3, hidden_dim=4)
    copies(tf.constant(x))
    drawn(copies, draw)
    inner = {}
    for number, copy in enumerate(copies.layers):
        inner[f"kernel{number}"], inner[f"bias{number}"] = copy.get_weights()
    return {"x": x, "mask": mask, **weights, "outputs": outputs, "scores": scores,
            "masked": layer(tf.constant(x), mask=tf.constant(mask)), "W": copies.W, "b": copies.b,
            **inner, "copies": copies(tf.constant(x))}  # fmt: skip


if __name__ == "__main__":
    tf.keras.backend.set_floatx("float64")
    for make, name in ((weighted, "weighted_0_51"), (heads, "heads_0_29")):
        path = Path(__file__).with_name(f"{name}.npz")
        np.savez_compressed(path, **make(np.random.default_rng(0)))
        print(f"{path.name}: {path.stat().st_size} bytes")
