"""Make old/*: models that Keras 2 saved, as .h5 or .keras, with inputs and what they answer.

They do not run on Keras 3, so this runs in another environment, where none of ours is:

    python -m venv peer
    peer/bin/pip install "attention==5.0.0" "keras-self-attention==0.51.0" \
        "keras-multi-head==0.29.0" "tensorflow==2.21.*" tf-keras
    TF_USE_LEGACY_KERAS=1 TF_KERAS=1 peer/bin/python tests/compat/make_old_models.py
"""

import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = os.environ["TF_KERAS"] = "1"

import numpy as np
import tensorflow as tf
from attention import Attention
from keras_multi_head import MultiHead, MultiHeadAttention
from keras_self_attention import SeqSelfAttention, SeqWeightedAttention
from tensorflow.keras import Input, Model, Sequential, layers

TIME, FEATURES, WORDS = 7, 5, 11
HERE = Path(__file__).with_name("old")


def luong():
    x = Input((TIME, FEATURES))
    states = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    both = layers.Concatenate()([states, x])
    return Model(x, layers.Dense(2)(layers.Dropout(0.3)(Attention(4, name="focus")(both))))


def bahdanau():
    return Sequential(
        [
            layers.Conv1D(3, 2, activation="relu", input_shape=(TIME, FEATURES)),
            layers.BatchNormalization(),
            layers.GRU(5, return_sequences=True),
            Attention(units=2, score="bahdanau"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def band():
    return Sequential(
        [
            layers.Embedding(WORDS, 3, input_length=TIME),
            SeqSelfAttention(units=5, attention_width=3),
            SeqWeightedAttention(),
            layers.Dense(2),
        ]
    )


def scores():
    x = Input((TIME, FEATURES))
    shared = layers.Dense(3, activation="tanh")
    attend = SeqSelfAttention(
        attention_type="multiplicative", history_only=True, return_attention=True
    )
    seen, weights = attend(shared(x))
    pooled, _ = SeqWeightedAttention(use_bias=False, return_attention=True)(seen)
    return Model(
        x, layers.Concatenate()([pooled, layers.Flatten()(weights), layers.Flatten()(shared(x))])
    )


def words():
    """Masked: what recurrent layers and SeqWeightedAttention make of padding."""
    x = Input((TIME,))
    states = layers.LSTM(3, return_sequences=True)(layers.Embedding(WORDS, 2, mask_zero=True)(x))
    return Model(x, layers.Dense(2)(SeqWeightedAttention()(states)))


def padded():
    return Sequential([layers.Masking(0.0, input_shape=(TIME, FEATURES)), layers.GRU(2)])


def permute():
    """The recipe of keras-attention-mechanism."""
    x = Input((TIME, FEATURES))
    a = layers.Dense(TIME, activation="softmax")(layers.Permute((2, 1))(x))
    weighted = layers.Multiply()([x, layers.Permute((2, 1), name="attention_vec")(a)])
    return Model(x, layers.Dense(1, activation="sigmoid")(layers.Flatten()(weighted)))


def refused_lambda():
    return Sequential([layers.Lambda(lambda x: x[:, -1], input_shape=(TIME, FEATURES))])


def refused_own_attention():
    x = Input((TIME, FEATURES))
    return Model(x, layers.Attention()([x, x]))


def refused_hard_sigmoid():
    return Sequential(
        [layers.LSTM(2, recurrent_activation="hard_sigmoid", input_shape=(TIME, FEATURES))]
    )


def refused_even_width():
    x = Input((TIME, FEATURES))
    return Model(x, SeqSelfAttention(attention_width=4, name="even")(x))


def heads():
    """Layers of one class, and of one shape, in their order; query, key and value apart."""
    x = Input((TIME, FEATURES))
    first, second = layers.Dense(4, activation="tanh")(x), layers.Dense(4)(x)
    own = MultiHeadAttention(2, activation=None, history_only=True)(first)
    both = MultiHeadAttention(head_num=2, activation=None, use_bias=False)([own, second, first])
    return Model(x, layers.Dense(4)(layers.GlobalAveragePooling1D()(both)))


def trained():
    """With its optimizer's state."""
    model = Sequential([layers.Masking(0.0, input_shape=(TIME, FEATURES)), layers.LSTM(2)])
    model.compile("adam", "mse")
    return model


def refused_relu():
    x = Input((TIME, 4))
    return Model(x, MultiHeadAttention(2, name="heads")(x))


def refused_wrapper():
    x = Input((TIME, 4))
    return Model(x, MultiHead(layers.Dense(2), layer_num=3, name="copies")(x))


@tf.keras.saving.register_keras_serializable("mine")
class Dense(layers.Dense):
    """Called like one of Keras's own."""


def refused_own_class():
    return Sequential([Dense(2, input_shape=(FEATURES,))])


def write(make, seed, ending=".h5"):
    draw = np.random.default_rng(seed)
    model = make()
    drawn = [draw.normal(size=weight.shape) for weight in model.weights]
    positive = ["variance" in weight.name for weight in model.weights]
    model.set_weights([np.abs(d) if p else d for d, p in zip(drawn, positive, strict=True)])
    path = HERE / f"{make.__name__}{ending}"
    if make is trained:
        model.fit(np.ones((2, TIME, FEATURES)), np.ones((2, 2)), verbose=0)
    model.save(path, **({"include_optimizer": make is trained} if ending == ".h5" else {}))
    if not make.__name__.startswith("refused"):
        if len(model.input_shape) == 2:
            x = draw.integers(1, WORDS, size=(3, TIME)).astype("float32")
            x[1, 4:] = x[2, 1:] = 0 if make is words else 1
        else:
            x = draw.normal(size=(3, TIME, FEATURES)).astype("float32")
            x[1, 4:] = 0
        np.savez(path.with_suffix(".npz"), x=x, y=model.predict(x, verbose=0))
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    kinds = (luong, bahdanau, band, scores, words, padded, permute)
    kinds += (refused_lambda, refused_own_attention, refused_hard_sigmoid, refused_even_width)
    kinds += (heads, trained, refused_relu, refused_wrapper)
    for number, kind in enumerate(kinds):
        tf.keras.backend.clear_session()
        write(kind, number)
    # The same weights, so that one .npz serves both
    kinds_of_archive = (luong, bahdanau, band, scores, heads, trained, refused_lambda)
    for kind in (*kinds_of_archive, refused_own_attention, refused_own_class):
        tf.keras.backend.clear_session()
        write(kind, kinds.index(kind) if kind in kinds else 0, ".keras")
