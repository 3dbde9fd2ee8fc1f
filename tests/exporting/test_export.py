"""A model and its attention in other runtimes."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.cli import main
from attention_zoo.exporting import export
from attention_zoo.exporting.formats import run

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
only_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="only TensorFlow writes it")


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((None, 3), name="x")
    hidden = az.layers.AttentionPooling(5, name="look")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))


@only_tensorflow
def test_onnx_runtime_answers_what_keras_does_at_another_batch_and_length(model, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra export")
    ort = pytest.importorskip("onnxruntime", reason="the extra export")
    done = export(model, tmp_path / "m.onnx")
    assert done.difference <= 1e-5 and done.outputs == ("predictions", "attention_look")
    assert done.attention == {"look": "attention_look"}
    x = np.random.default_rng(1).normal(size=(5, 11, 3)).astype("float32")
    session = ort.InferenceSession(str(done.path))
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {session.get_inputs()[0].name: x}), strict=True))
    np.testing.assert_allclose(found["predictions"], model.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_allclose(
        found["attention_look"], az.attention_scores(model, x)["look"], atol=1e-5
    )


@only_tensorflow
@pytest.mark.parametrize("ending", [".onnx", ".xml", ".tflite", ""])
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_a_standardized_model_keeps_its_mean_and_variance(tmp_path, ending):
    for module in {".onnx": ["tf2onnx"], ".xml": ["tf2onnx", "openvino"]}.get(ending, []):
        pytest.importorskip(module, reason="the extra export or openvino")
    model = az.build("dense", input_shape=(5,), standardize=True)
    x = np.random.default_rng(0).normal(size=(50, 5)).astype("float32") * 100 + 1000
    layer = model.get_layer("standardize")
    layer.adapt(x)
    before = model.predict(x, verbose=0)
    done = export(model, tmp_path / f"m{ending}", x=x)
    assert done.difference <= 1e-5 and done.inputs == ("x",)
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    assert not isinstance(layer.mean, np.ndarray)


@only_tensorflow
@pytest.mark.parametrize("name, attention", [("folder", True), ("plain", False)])
def test_a_saved_model_is_run_and_agrees(model, tmp_path, name, attention):
    done = export(model, tmp_path / name, attention=attention)
    assert done.format == "saved_model" and done.difference <= 1e-5
    assert ("attention_look" in done.outputs) == attention
    with pytest.raises(FileExistsError, match="kept"):
        export(model, tmp_path / name)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    with pytest.raises(FileExistsError, match="other things than a SavedModel, and is kept"):
        export(model, tmp_path / "mine", overwrite=True)


@only_tensorflow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_litert_is_run_and_agrees(tmp_path):
    inputs = keras.Input((7, 3))
    pooled = az.layers.AttentionPooling(5, name="look")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(pooled))
    done = export(model, tmp_path / "m.tflite")
    assert done.difference <= 1e-5 and done.outputs == ("predictions", "attention_look")


def onnx_outputs(path):
    session = pytest.importorskip("onnxruntime").InferenceSession(str(path))
    return [(output.name, output.shape[-1]) for output in session.get_outputs()]


def openvino_outputs(path):
    ports = pytest.importorskip("openvino").Core().read_model(path).outputs
    return [(port.get_any_name(), port.get_partial_shape()[-1].get_length()) for port in ports]


def litert_outputs(path):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_path=str(path))
    found = dict(interpreter.get_signature_runner().get_output_details())
    names = {details["index"]: name for name, details in found.items()}
    places = interpreter.get_output_details()
    return [(names[place["index"]], place["shape"][-1]) for place in places]


#: How the outputs of a file are read in their order, and the backends that write it.
OUTPUTS = {
    ".onnx": (onnx_outputs, ("tensorflow", "torch"), ("tf2onnx", "onnx")),
    ".xml": (openvino_outputs, ("tensorflow", "torch"), ("tf2onnx", "onnx", "openvino")),
    ".tflite": (litert_outputs, ("tensorflow",), ()),
    "": (None, ("tensorflow", "jax"), ("tensorflow",)),  # a SavedModel has names and no order
}


def named():
    """Inputs and outputs by name, of which neither comes first in the alphabet."""
    series, facts = keras.Input((5, 3), name="series"), keras.Input((4,), name="facts")
    pooled = az.layers.AttentionPooling(7, name="look")(series)
    both = keras.layers.Concatenate()([pooled, az.layers.FeatureAttention(name="at")(facts)])
    answers = {"price": keras.layers.Dense(1)(both), "a kind": keras.layers.Dense(2)(facts)}
    return keras.Model({"series": series, "facts": facts}, answers)


def listed():
    model = named()
    return keras.Model(model.inputs, [model.output["price"], model.output["a kind"]])


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
@pytest.mark.parametrize("ending", OUTPUTS)
@pytest.mark.parametrize(
    ("make", "inputs", "first"),
    [
        (named, {"facts", "series"}, [("price", 1), ("a_kind", 2)]),
        (listed, None, [("predictions_1", 1), ("predictions_2", 2)]),
    ],
)
def test_predictions_come_first_by_the_names_of_the_model(make, inputs, first, ending, tmp_path):
    read, backends, modules = OUTPUTS[ending]
    if keras.backend.backend() not in backends:
        pytest.skip("another backend writes it")
    for module in modules:
        if module != "tf2onnx" or ON_TENSORFLOW:
            pytest.importorskip(module, reason="the extra export or openvino")
    model = make()
    done = export(model, tmp_path / f"m{ending}")
    assert done.outputs[:2] == tuple(name for name, _ in first)
    assert set(done.outputs[2:]) == {"attention_look", "attention_at"}
    if inputs:
        assert set(done.inputs) == inputs
    if read is not None:
        found = read(done.path)
        assert found[:2] == first
        assert [name for name, _ in found] == list(done.outputs)


def test_names_that_a_format_would_make_the_same(tmp_path):
    pytest.importorskip("onnx" if keras.backend.backend() == "torch" else "tensorflow")
    x = keras.Input((4,))
    y = az.layers.FeatureAttention()(x)
    model = keras.Model(x, {"a b": keras.layers.Dense(1)(y), "a_b": keras.layers.Dense(1)(y)})
    with pytest.raises(ValueError, match="Two outputs would both be 'a_b'"):
        export(model, tmp_path / "m", format={"torch": "onnx"}.get(keras.backend.backend()))


@only_tensorflow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_litert_of_a_recurrent_model_says_what_would(tmp_path):
    with pytest.raises(ValueError, match="Flex.*'onnx' and 'saved_model'"):
        export(az.load("lstm_after"), tmp_path / "m.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend, wanted, message", [
    ("jax", "m.onnx", "written by tensorflow and torch, .* jax .* writes saved_model"),
    ("torch", "m.tflite", "written by tensorflow, .* torch .* writes onnx and openvino"),
    ("numpy", "m", "numpy backend, which writes none. .* under KERAS_BACKEND=tensorflow"),
])  # fmt: skip
def test_another_backend_says_which_can(backend, wanted, message, model, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    with pytest.raises(ValueError, match=message):
        export(model, tmp_path / wanted)


def test_torch_needs_a_length_for_a_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    x = keras.Input((None, 3))
    states = keras.layers.GRU(2, return_sequences=True, name="loop")(x)
    looped = keras.Model(x, az.layers.AttentionPooling(2)(states))
    with pytest.raises(ValueError, match="loop of 'loop' is written out.*a fixed length"):
        export(looped, tmp_path / "m.onnx")


@only_tensorflow
def test_openvino_is_run_and_agrees(model, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra export")
    openvino = pytest.importorskip("openvino", reason="the extra openvino")
    done = export(model, tmp_path / "m.xml")
    assert done.format == "openvino" and done.difference <= 1e-5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.bin", "m.xml"]
    read = openvino.Core().read_model(done.path)
    assert {port.get_any_name() for port in read.outputs} == set(done.outputs)
    (tmp_path / "m.xml").unlink()
    with pytest.raises(FileExistsError, match="m.bin exists and is kept"):
        export(model, tmp_path / "m.xml")


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="what torch writes")
def test_torch_writes_onnx(model, tmp_path):
    pytest.importorskip("onnx", reason="the extra export")
    pytest.importorskip("onnxruntime", reason="the extra export")
    done = export(model, tmp_path / "m.onnx")
    assert done.difference <= 1e-5 and done.outputs == ("predictions", "attention_look")


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="what JAX writes")
def test_jax_writes_a_saved_model(model, tmp_path):
    pytest.importorskip("tensorflow", reason="the runtime of a SavedModel")
    done = export(model, tmp_path / "m")
    assert done.difference <= 1e-5 and done.outputs == ("predictions", "attention_look")


@only_tensorflow
def test_a_file_that_differs_is_not_kept(model, tmp_path, monkeypatch):
    def wrong(path, inputs, format):
        rows, steps, _ = inputs["x"].shape
        return {"predictions": np.ones((rows, 2)) * 9, "attention_look": np.ones((rows, steps))}

    monkeypatch.setattr("attention_zoo.exporting.writing.run", wrong)
    with pytest.raises(ValueError, match="differs from Keras"):
        export(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_named(model, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'onnx'"):
        export(model, tmp_path / "m", format="onx")
    with pytest.raises(ValueError, match="must end in .onnx, .tflite or .xml"):
        export(model, tmp_path / "m.h5")
    with pytest.raises(ValueError, match="must end in .xml.*format='openvino'"):
        export(model, tmp_path / "m", format="openvino")


@only_tensorflow
@pytest.mark.parametrize("ending", [".onnx", ""])
def test_several_inputs_padding_tokens_and_outputs(tmp_path, ending):
    if ending:
        pytest.importorskip("tf2onnx", reason="the extra export")
    words = keras.Input((None,), dtype="int32", name="words")
    series = keras.Input((5, 3), name="the series")
    states = keras.layers.Embedding(9, 4, mask_zero=True)(words)
    pooled = az.layers.AttentionPooling(normalizer="entmax15", name="pool")(states)
    heads = az.layers.MultiHeadAttention(2, key_dim=3, name="heads")(series)
    model = keras.Model([words, series], [pooled, heads])
    done = export(model, tmp_path / f"m{ending}")
    assert done.inputs == ("words", "the_series")
    assert sorted(done.outputs) == [
        "attention_heads", "attention_pool", "predictions_1", "predictions_2",
    ]  # fmt: skip
    tokens = np.array([[3, 4, 0, 0, 0], [1, 2, 3, 4, 5]], "int32")
    values = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    found = run(done.path, {"words": tokens, "the_series": values}, done.format)
    assert not found["attention_pool"][0, 2:].any()
    expected = model.predict([tokens, values], verbose=0)
    np.testing.assert_allclose(found["predictions_1"], expected[0], atol=1e-5)
    np.testing.assert_allclose(found["predictions_2"], expected[1], atol=1e-5)


@only_tensorflow
def test_models_that_cannot_be_exported(model, tmp_path):
    inputs = keras.Input((7, 3))
    half = az.layers.AttentionPooling(5, dtype="mixed_float16")(inputs)
    with pytest.raises(ValueError, match=r"Only float32.*\['float16'\]"):
        export(keras.Model(inputs, half), tmp_path / "m")
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="no attention layer"):
        export(plain, tmp_path / "m")
    assert export(plain, tmp_path / "plain", attention=False).outputs == ("predictions",)
    with pytest.raises(ValueError, match="must be finite"):
        export(model, tmp_path / "m", x=np.full((2, 7, 3), np.nan))
    assert not (tmp_path / "m").exists()


@only_tensorflow
def test_from_the_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["attention-zoo", "export", "dense", str(tmp_path / "m")])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 0
    assert "outputs: predictions, attention_attention" in capsys.readouterr().out
