"""The file formats, and how each is run by its own runtime."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attention_zoo.core.optional import require


class Format(NamedTuple):
    """A file format.

    Attributes:
        suffix: of its file; empty for a folder.
        run: the path and the inputs by name, to the outputs by name.
        beside: the suffixes of what lies beside the file.
    """

    suffix: str
    run: Callable[[Path, dict[str, np.ndarray]], dict[str, np.ndarray]]
    beside: tuple[str, ...] = ()


def _run_onnx(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    runtime = require("onnxruntime", extra="export")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _run_saved_model(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import tensorflow as tf

    # Named, since its variables live only as long as it does
    loaded = tf.saved_model.load(str(path))
    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    outputs = loaded.signatures["serving_default"](**tensors)
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def _run_litert(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import tensorflow as tf

    # Some builds of TensorFlow have Flex linked and would run what LiteRT alone does not
    if _needs_tensorflow(path.read_bytes()):
        raise ValueError(
            "The model needs TensorFlow's own operations in LiteRT (Flex), as a recurrent layer "
            "does. Where they are not linked it does not run, so it is not compared. With "
            "verify=False it is written all the same; 'onnx' and 'saved_model' need none of them."
        )
    return dict(tf.lite.Interpreter(model_path=str(path)).get_signature_runner()(**inputs))


def _needs_tensorflow(model: bytes) -> bool:
    """Return True if a LiteRT file names an operation of TensorFlow's.

    A flatbuffer writes the length of a name before it, so that no layer called Flex is taken for
    an operation.
    """
    names = re.findall(rb"(?s:(.{4}))(Flex\w+)\0", model)
    return any(int.from_bytes(length, "little") == len(name) for length, name in names)


def _run_openvino(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    openvino = require("openvino", extra="openvino")
    # Some processors would otherwise compute in bfloat16
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    outputs = model(inputs)
    # A tensor may have several names, of which the inner ones are no identifiers
    names = [sorted(port.get_names(), key=str.isidentifier)[-1] for port in model.outputs]
    return {n: np.array(outputs[port]) for n, port in zip(names, model.outputs, strict=True)}


FORMATS = {
    "onnx": Format(".onnx", _run_onnx),
    "saved_model": Format("", _run_saved_model),
    "litert": Format(".tflite", _run_litert),
    "openvino": Format(".xml", _run_openvino, (".bin",)),
}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what the converters print, log and warn of."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def run(path: str | Path, inputs: dict[str, Any], format: str) -> dict[str, np.ndarray]:
    """Return the outputs of an exported model, by name, computed by the format's own runtime.

    Args:
        path: what `export` wrote.
        inputs: arrays by the names in `Exported.inputs`.
        format: `"onnx"`, `"saved_model"`, `"litert"` or `"openvino"`.
    """
    with quiet():
        return FORMATS[format].run(Path(path), inputs)
