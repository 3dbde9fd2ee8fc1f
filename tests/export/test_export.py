"""A model and its attention in other runtimes."""

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.export import export

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
only_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="only TensorFlow writes it")


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((None, 3))
    hidden = az.layers.AttentionPooling(5, name="look")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))


@only_tensorflow
def test_onnx_runtime_answers_what_keras_does_at_another_batch_and_length(model, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra export")
    ort = pytest.importorskip("onnxruntime", reason="the extra export")
    done = export(model, tmp_path / "m.onnx")
    assert done.verified and done.outputs == ("predictions", "attention_look")
    x = np.random.default_rng(1).normal(size=(5, 11, 3)).astype("float32")
    session = ort.InferenceSession(str(done.path))
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {session.get_inputs()[0].name: x}), strict=True))
    np.testing.assert_allclose(found["predictions"], model.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_allclose(
        found["attention_look"], az.attention_scores(model, x)["look"], atol=1e-5
    )


@only_tensorflow
@pytest.mark.parametrize("name, attention", [("folder", True), ("plain", False)])
def test_a_saved_model_is_run_and_agrees(model, tmp_path, name, attention):
    done = export(model, tmp_path / name, attention=attention)
    assert done.format == "saved_model" and done.verified and done.difference <= 1e-5
    assert ("attention_look" in done.outputs) == attention
    with pytest.raises(FileExistsError, match="kept"):
        export(model, tmp_path / name)


@only_tensorflow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_litert_is_run_and_agrees(tmp_path):
    inputs = keras.Input((7, 3))
    pooled = az.layers.AttentionPooling(5, name="look")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(pooled))
    done = export(model, tmp_path / "m.tflite")
    assert done.verified and done.outputs == ("predictions", "attention_look")


@only_tensorflow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_litert_of_a_recurrent_model_says_what_would(tmp_path):
    with pytest.raises(ValueError, match="Flex.*'onnx' and 'saved_model'"):
        export(az.load("lstm_after"), tmp_path / "m.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(ON_TENSORFLOW, reason="TensorFlow writes it")
def test_another_backend_says_which_can(model, tmp_path):
    with pytest.raises(ValueError, match="under KERAS_BACKEND=tensorflow"):
        export(model, tmp_path / "m.onnx")


@only_tensorflow
def test_a_file_that_differs_is_not_kept(model, tmp_path, monkeypatch):
    def wrong(path, kind, x):
        return {"predictions": np.ones((3, 2)) * 9, "attention_look": np.ones((3, 7))}

    monkeypatch.setattr("attention_zoo.export.writing.run", wrong)
    with pytest.raises(ValueError, match="differs from Keras"):
        export(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_named(model, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'onnx'"):
        export(model, tmp_path / "m", format="onx")
    with pytest.raises(ValueError, match="must end in .onnx"):
        export(model, tmp_path / "m.h5")
