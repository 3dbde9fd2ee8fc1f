"""Make attention_5_0_0.npz: what the package `attention` 5.0.0 answers, for us to agree with.

It does not run on Keras 3, so this runs in an environment of its own, where none of ours is:

    python -m venv peer
    peer/bin/pip install "attention==5.0.0" "tensorflow==2.21.*" tf-keras
    TF_USE_LEGACY_KERAS=1 peer/bin/python tests/peers/make_references.py

Without an argument it writes beside itself; the answers come from float64 arithmetic.
"""

import os
import sys
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
from attention import Attention

BATCH, TIME, FEATURES, UNITS = 3, 7, 5, 11


def reference(score: str, seed: int) -> dict[str, np.ndarray]:
    """The input, the weights under the package's own names, and the output."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(BATCH, TIME, FEATURES))
    layer = Attention(units=UNITS, score=score, dtype="float64")
    layer(tf.constant(x))
    tensors = {"x": x}
    for weight in layer.weights:
        value = draw.normal(size=weight.shape) / 3
        weight.assign(value)
        tensors[weight.name.split("/")[-2]] = value
    tensors["output"] = layer(tf.constant(x)).numpy()
    return {f"{score}.{name}": tensor for name, tensor in tensors.items()}


if __name__ == "__main__":
    default = Path(__file__).with_name("attention_5_0_0.npz")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    tf.keras.backend.set_floatx("float64")
    np.savez_compressed(path, **reference("luong", 0), **reference("bahdanau", 1))
    print(f"{path}: {path.stat().st_size} bytes")
