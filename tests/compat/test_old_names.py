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


def test_multi_head_attention():
    theirs = reference(HERE / "heads_0_29.npz")
    layer = compat.MultiHeadAttention(2, activation=None, history_only=True)
    layer.build(theirs["x"].shape)
    for place, letter in (("query", "q"), ("key", "k"), ("value", "v"), ("output", "o")):
        getattr(layer, f"{place}_kernel").assign(theirs[f"W{letter}"])
        getattr(layer, f"{place}_bias").assign(theirs[f"b{letter}"])
    x, mask = theirs["x"].astype("float32"), theirs["mask"]
    outputs, scores = layer(x, return_attention_scores=True)
    close(outputs, theirs["outputs"], 5e-6)
    close(keras.ops.transpose(scores, (0, 2, 1, 3)), theirs["scores"])
    # Where a step is visible; the package lets padding attend too
    masked = keras.ops.convert_to_numpy(layer(x, query_mask=mask))
    close(masked[mask], theirs["masked"][mask], 5e-6)


def test_multi_head():
    theirs = reference(HERE / "heads_0_29.npz")
    copies = compat.MultiHead(keras.layers.Dense(2), layer_num=3, hidden_dim=4)
    x = keras.Input((7, 4))
    model = keras.Model(x, copies(x))
    for i, (project, layer) in enumerate(zip(copies.projections, copies.layers, strict=True)):
        project.set_weights([theirs["W"][:, 4 * i : 4 * i + 4], theirs["b"][4 * i : 4 * i + 4]])
        layer.set_weights([theirs[f"kernel{i}"], theirs[f"bias{i}"]])
    close(model(theirs["x"].astype("float32")), theirs["copies"], 1e-5)


def addons(query, memory, lengths, weights):
    """The definition of tfa.seq2seq's two mechanisms in float64: it installs on no Python of ours.

    Weights by the names that TensorFlow Addons 0.23 gave them.
    """
    keys = memory @ weights["memory_layer"]
    if "attention_v" in weights:
        vector = weights["attention_v"]
        hidden = keys + (query @ weights["query_layer"])[:, None]
        if "attention_b" in weights:
            vector = weights["attention_g"] * vector / np.sqrt(np.sum(vector**2))
            hidden = hidden + weights["attention_b"]
        logits = np.tanh(hidden) @ vector
    else:
        logits = weights.get("attention_g", 1.0) * np.einsum("bu,btu->bt", query, keys)
    logits = np.where(np.arange(memory.shape[1]) < lengths[:, None], logits, -np.inf)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def mechanism(kind, option, memory, lengths, draw):
    """One of ours with drawn weights, and those under the old names."""
    width = memory.shape[2]
    if kind == "luong":
        weights = {"memory_layer": draw.normal(size=(width, 5))}
        made = compat.LuongAttention(5, memory, lengths, scale=option)
        if option:
            weights["attention_g"] = np.array(1.7)
        made.attention.build((None, 1, 5), (None, None, width))
        kernel = weights["memory_layer"].T * weights.get("attention_g", 1.0)
        made.attention.score_kernel.assign(kernel)
        return made, weights
    weights = {
        "memory_layer": draw.normal(size=(width, 7)),
        "query_layer": draw.normal(size=(5, 7)),
        "attention_v": draw.normal(size=7),
    }
    vector = weights["attention_v"]
    made = compat.BahdanauAttention(7, memory, lengths, normalize=option)
    made.attention.build((None, 1, 5), (None, None, width))
    if option:
        weights |= {"attention_g": np.array(0.6), "attention_b": draw.normal(size=7)}
        made.attention.score_bias.assign(weights["attention_b"])
        vector = weights["attention_g"] * vector / np.linalg.norm(vector)
    made.attention.query_kernel.assign(weights["query_layer"])
    made.attention.key_kernel.assign(weights["memory_layer"])
    made.attention.score_vector.assign(vector)
    return made, weights


@pytest.mark.parametrize("kind", ["luong", "bahdanau"])
@pytest.mark.parametrize("option", [False, True], ids=["plain", "scale or normalize"])
def test_tensorflow_addons(kind, option):
    draw = np.random.default_rng(0)
    query, memory = draw.normal(size=(3, 5)), draw.normal(size=(3, 11, 2))
    lengths = np.array([11, 4, 1])
    made, weights = mechanism(kind, option, memory.astype("float32"), lengths, draw)
    alignments, state = made([query.astype("float32"), None])
    assert state is alignments
    close(alignments, addons(query, memory, lengths, weights))
    # The same from a model of symbols, of any length, which holds no layer of compat's
    symbols = [keras.Input((None, 2)), keras.Input((), dtype="int32"), keras.Input((5,))]
    made(symbols[:2], setup_memory=True)
    model = keras.Model(symbols, made([symbols[2], None])[0])
    close(model([memory, lengths, query]), addons(query, memory, lengths, weights))
    assert {type(layer).__module__.split(".")[1] for layer in model.layers} <= {"layers", "src"}


def test_attention_wrapper():
    """AttentionWrapper with an attention layer of tanh, as docs/migrating.md maps it."""
    draw = np.random.default_rng(0)
    x, memory = draw.normal(size=(2, 5, 3)), draw.normal(size=(2, 7, 4))
    decoder = az.layers.AttentionDecoder(keras.layers.SimpleRNNCell(6), units=8, score="general")
    decoder.build(x.shape, memory.shape)
    shapes = {"cell": (3 + 8, 6), "recurrent": (6, 6), "bias": 6, "memory": (4, 6), "out": (10, 8)}
    w = {name: draw.normal(scale=0.3, size=shape) for name, shape in shapes.items()}
    decoder.cell.set_weights([w["cell"], w["recurrent"], w["bias"]])
    decoder.score_kernel.assign(w["memory"].T)
    decoder.output_kernel.assign(np.concatenate([w["out"][6:], w["out"][:6]]))
    state, attention, outputs = np.zeros((2, 6)), np.zeros((2, 8)), []
    for t in range(5):
        fed = np.concatenate([x[:, t], attention], axis=1)
        state = np.tanh(fed @ w["cell"] + state @ w["recurrent"] + w["bias"])
        alignments = addons(state, memory, np.array([7, 4]), {"memory_layer": w["memory"]})
        context = np.einsum("bt,btu->bu", alignments, memory)
        attention = np.tanh(np.concatenate([state, context], axis=1) @ w["out"])
        outputs.append(attention)
    visible = np.arange(7) < np.array([[7], [4]])
    close(decoder(x, memory, memory_mask=visible), np.stack(outputs, axis=1))


def test_attention_keras():
    """AttentionLayer of attention_keras, from its definition, as docs/migrating.md maps it."""
    draw = np.random.default_rng(0)
    encoder, decoder = draw.normal(size=(2, 7, 4)), draw.normal(size=(2, 5, 3))
    w_a, u_a, v_a = (draw.normal(size=s) for s in ((4, 4), (3, 4), (4, 1)))
    hidden = np.tanh((encoder @ w_a)[:, None] + (decoder @ u_a)[:, :, None])
    powers = np.exp((hidden @ v_a)[..., 0])
    scores = powers / powers.sum(axis=-1, keepdims=True)
    layer = az.layers.CrossAttention(use_bias=False)
    layer.build(decoder.shape, encoder.shape)
    layer.key_kernel.assign(w_a)
    layer.query_kernel.assign(u_a)
    layer.score_vector.assign(v_a[:, 0])
    outputs = layer(decoder, encoder, return_attention_scores=True)
    close(outputs[0], scores @ encoder)
    close(outputs[1], scores)


def test_history_without_a_width_is_causal_alone():
    layer = compat.SeqSelfAttention(history_only=True)
    assert (layer.use_causal_mask, layer.window) == (True, None)


@pytest.mark.parametrize(
    "make",
    [
        compat.Attention,
        lambda: compat.Attention(score="bahdanau"),
        lambda: compat.SeqSelfAttention(attention_width=5, use_additive_bias=False),
        compat.SeqWeightedAttention,
        lambda: compat.MultiHeadAttention(2, activation="linear"),
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
        ("Attention", {"attention_width": 3}, TypeError, "no argument `attention_width`"),
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
        ("MultiHeadAttention", {"head_num": 2}, ValueError, "relu"),
        ("MultiHeadAttention", {"head_num": 2, "history_only": 1}, TypeError, "`history_only`"),
        ("MultiHead", {"layer": "LSTM"}, TypeError, "`layer` must be a Keras layer"),
        ("MultiHead", {"layer": keras.layers.Dense(1), "reg_index": 1}, ValueError, "reg_factor"),
        ("LuongAttention", {"units": 2, "probability_fn": "hardmax"}, ValueError, "sparsemax"),
        ("LuongAttention", {"units": 2, "scale": 1}, TypeError, "`scale`"),
        ("LuongAttention", {"units": 2, "memory_sequence_length": [1]}, ValueError, "`memory`"),
        ("BahdanauAttention", {"units": None}, ValueError, "`units` must be a positive"),
        ("BahdanauAttention", {"units": 2, "memory_layer": 1}, ValueError, "memory_layer"),
    ],
)
def test_what_has_no_counterpart_is_refused(name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(compat, name)(**arguments)


def test_a_mechanism_says_what_it_lacks():
    bare = compat.LuongAttention(2)
    with pytest.raises(ValueError, match="no memory yet"):
        bare([np.ones((1, 2)), None])
    bare(np.ones((1, 3, 2), "float32"), setup_memory=True)
    with pytest.raises(ValueError, match="units=2 and a query of width 4"):
        bare([np.ones((1, 4), "float32"), None])
