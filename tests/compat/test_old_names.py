"""The old names answer as the packages that they come from, and refuse what has no counterpart."""

from pathlib import Path

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo import compat

HERE = Path(__file__).parent
PEERS = HERE.parent / "peers"


def reference(path, kind=None):
    with np.load(path, allow_pickle=False) as file:
        if kind is None:
            return dict(file)
        return {k.split(".")[1]: file[k] for k in file.files if k.startswith(f"{kind}.")}


def close(ours, theirs, tolerance=1e-6):
    np.testing.assert_allclose(keras.ops.convert_to_numpy(ours), theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("score", ["luong", "bahdanau"])
def test_attention(score):
    theirs = reference(PEERS / "attention_5_0_0.npz", score)
    layer = compat.Attention(units=theirs["output"].shape[1], score=score, name="old")
    layer.build(theirs["x"].shape)
    if score == "luong":
        layer.score_kernel.assign(theirs["luong_w"].T)
    else:
        layer.query_kernel.assign(theirs["bahdanau_w1"])
        layer.key_kernel.assign(theirs["bahdanau_w2"])
        layer.score_vector.assign(theirs["bahdanau_v"][:, 0])
    layer.output_kernel.assign(theirs["attention_vector"])
    assert layer.name == "old"
    close(layer(theirs["x"].astype("float32")), theirs["output"])


@pytest.mark.parametrize(
    "kind, arguments",
    [
        ("additive", {}),
        ("multiplicative", {"attention_type": "multiplicative"}),
        ("band", {"attention_width": 3}),
        (
            "history",
            {"attention_type": "multiplicative", "attention_width": 4, "history_only": True},
        ),
    ],
)
def test_seq_self_attention(kind, arguments):
    theirs = reference(PEERS / "keras_self_attention_0_51.npz", kind)
    layer = compat.SeqSelfAttention(units=11, **arguments)
    layer.build(theirs["x"].shape)
    if "Wt" in theirs:
        layer.query_kernel.assign(theirs["Wt"])
        layer.key_kernel.assign(theirs["Wx"])
        layer.score_bias.assign(theirs["bh"])
        layer.score_vector.assign(theirs["Wa"][:, 0])
    else:
        layer.score_kernel.assign(theirs["Wa"])
    outputs, scores = layer(theirs["x"].astype("float32"), return_attention_scores=True)
    close(outputs, theirs["outputs"])
    close(scores, theirs["scores"])


@pytest.mark.parametrize("masked", [False, True])
def test_seq_weighted_attention(masked):
    theirs = reference(HERE / "weighted_0_51.npz")
    layer = compat.SeqWeightedAttention()
    layer.build(theirs["x"].shape)
    layer.queries.assign(theirs["W"])
    outputs, scores = layer(
        theirs["x"].astype("float32"),
        mask=theirs["mask"] if masked else None,
        return_attention_scores=True,
    )
    close(outputs, theirs["masked" if masked else "outputs"])
    close(scores, theirs["masked_scores" if masked else "scores"])


def test_history_without_a_width_is_causal_alone():
    layer = compat.SeqSelfAttention(history_only=True)
    assert (layer.causal, layer.window) == (True, None)


@pytest.mark.parametrize(
    "make",
    [
        compat.Attention,
        lambda: compat.Attention(score="bahdanau"),
        lambda: compat.SeqSelfAttention(attention_width=5, use_additive_bias=False),
        compat.SeqWeightedAttention,
    ],
)
def test_it_is_saved_as_a_layer_of_ours(make):
    layer = make()
    assert az.layers.get(az.layers.describe(layer)).get_config() == layer.get_config()


@pytest.mark.parametrize(
    "name, arguments, error, message",
    [
        ("Attention", {"score": "luon"}, ValueError, "Did you mean 'luong'"),
        ("Attention", {"units": 0}, ValueError, "`units` must be a positive integer"),
        ("Attention", {"dropout": 0.5}, TypeError, "dropout"),
        ("SeqSelfAttention", {"attention_type": "mul"}, ValueError, "multiplicative"),
        ("SeqSelfAttention", {"attention_width": 4}, ValueError, "must be odd"),
        ("SeqSelfAttention", {"attention_width": 1}, ValueError, "at least 2"),
        ("SeqSelfAttention", {"attention_width": 0}, ValueError, "`attention_width`"),
        ("SeqSelfAttention", {"attention_activation": "sigmoid"}, ValueError, "temperature"),
        ("SeqSelfAttention", {"attention_regularizer_weight": 0.1}, ValueError, "scores_regular"),
        ("SeqSelfAttention", {"return_attention": True}, ValueError, "return_attention_scores"),
        ("SeqSelfAttention", {"history_only": 1}, TypeError, "`history_only`"),
        ("SeqSelfAttention", {"use_attention_bias": None}, TypeError, "`use_attention_bias`"),
        ("SeqWeightedAttention", {"return_attention": True}, ValueError, "attention_scores"),
        ("SeqWeightedAttention", {"use_bias": "no"}, TypeError, "`use_bias`"),
    ],
)
def test_what_has_no_counterpart_is_refused(name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(compat, name)(**arguments)


def test_the_door_knows_its_names():
    assert set(dir(compat)) == set(compat.__all__)
    with pytest.raises(AttributeError, match="no attribute 'MultiHead'"):
        compat.MultiHead  # noqa: B018
