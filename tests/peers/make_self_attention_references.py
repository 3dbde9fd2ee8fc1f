"""Make keras_self_attention_0_51.npz: what keras-self-attention 0.51.0 answers.

It does not run on Keras 3, so this runs in an environment of its own, where none of ours is:

    python -m venv peer
    peer/bin/pip install "keras-self-attention==0.51.0" "tensorflow==2.21.*" tf-keras
    TF_USE_LEGACY_KERAS=1 TF_KERAS=1 peer/bin/python tests/peers/make_self_attention_references.py

No masks: with one, that package lets padding be attended to. Float64 arithmetic.
"""

import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = os.environ["TF_KERAS"] = "1"

import numpy as np
import tensorflow as tf
from keras_self_attention import SeqSelfAttention

BATCH, TIME, FEATURES, UNITS = 3, 7, 5, 11
KINDS = {
    "additive": {"attention_type": "additive"},
    "multiplicative": {"attention_type": "multiplicative"},
    "band": {"attention_type": "additive", "attention_width": 3},
    "history": {"attention_type": "multiplicative", "attention_width": 4, "history_only": True},
}


def reference(kind: str, seed: int) -> dict[str, np.ndarray]:
    """The input, the weights under the package's own names, the output and the scores."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(BATCH, TIME, FEATURES))
    layer = SeqSelfAttention(
        units=UNITS, attention_activation=None, return_attention=True, **KINDS[kind]
    )
    layer(tf.constant(x))
    tensors = {"x": x}
    for weight in layer.weights:
        value = draw.normal(size=weight.shape) / 2
        weight.assign(value)
        tensors[weight.name.split("/")[-1].split(":")[0].split("_")[-1]] = value
    outputs, scores = layer(tf.constant(x))
    tensors |= {"outputs": outputs.numpy(), "scores": scores.numpy()}
    return {f"{kind}.{name}": tensor for name, tensor in tensors.items()}


if __name__ == "__main__":
    tf.keras.backend.set_floatx("float64")
    stored: dict[str, np.ndarray] = {}
    for seed, kind in enumerate(KINDS):
        stored |= reference(kind, seed)
    path = Path(__file__).with_name("keras_self_attention_0_51.npz")
    np.savez_compressed(path, **stored)
    print(f"{path.name}: {path.stat().st_size} bytes, {sorted(stored)}")
