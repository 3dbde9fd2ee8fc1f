"""Which backend writes which format, and how."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.core.identity import by_identity
from attention_zoo.core.optional import require
from attention_zoo.layers.attention_decoder import AttentionDecoder
from attention_zoo.layers.traversal import all_layers


@by_identity
class Job(NamedTuple):
    """A model to write.

    Attributes:
        named: a functional model of a list of inputs, whose outputs are a flat dictionary.
        inputs: the names of its inputs.
        outputs: the names of its outputs, in their order.
        batch: samples of its inputs.
    """

    named: keras.Model
    inputs: list[str]
    outputs: list[str]
    batch: list[np.ndarray]


class Writer(NamedTuple):
    """How a backend writes a format, and what must be installed to do so and to run it.

    Attributes:
        write: a job to a path.
        extra: the extra that installs the modules.
        modules: their names.
        lengths: whether a recurrent layer may have any length.
    """

    write: Callable[[Job, Path], None]
    extra: str = "export"
    modules: tuple[str, ...] = ()
    lengths: bool = True


def dtype(tensor: Any) -> str:
    """Return the dtype of an input."""
    return keras.backend.standardize_dtype(tensor.dtype)


def as_input(parts: list) -> Any:
    """Return what a model of one input, or of several, is called with."""
    return parts[0] if len(parts) == 1 else parts


def _by_keras(format: str) -> Callable[[Job, Path], None]:
    def write(job: Job, path: Path) -> None:
        specs = [
            keras.InputSpec(shape=tensor.shape, dtype=dtype(tensor), name=name)
            for name, tensor in zip(job.inputs, job.named.inputs, strict=True)
        ]
        with _constants(job.named):
            job.named.export(
                str(path), format=format, input_signature=[as_input(specs)], verbose=False
            )

    return write


@contextlib.contextmanager
def _constants(model: keras.Model) -> Iterator[None]:
    """Make the mean and variance of each `Normalization` arrays, so that they are written as
    constants: TensorFlow's converter to ONNX turns tensors into inputs."""
    normalizations = [
        layer for layer in all_layers(model) if isinstance(layer, keras.layers.Normalization)
    ]
    before = [(layer, layer.mean, layer.variance) for layer in normalizations]
    try:
        for layer, mean, variance in before:
            layer.mean = np.asarray(keras.ops.convert_to_numpy(mean))
            layer.variance = np.asarray(keras.ops.convert_to_numpy(variance))
        yield
    finally:
        for layer, mean, variance in before:
            layer.mean, layer.variance = mean, variance


def _onnx(job: Job, path: Path) -> None:
    """Write by Keras, and put the outputs, which it sorts by name, back into their order."""
    _by_keras("onnx")(job, path)
    onnx = require("onnx", extra="export")
    model = onnx.load(path)
    ports = {port.name: port for port in model.graph.output}
    if set(ports) == set(job.outputs):  # else the comparison fails
        ordered = [ports[name] for name in job.outputs]
        del model.graph.output[:]
        model.graph.output.extend(ordered)
        onnx.save(model, path)


def _litert(job: Job, path: Path) -> None:
    """Write by Keras, and put the predictions first for users who read outputs by position."""
    _by_keras("litert")(job, path)
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(path))
    places = {port.name.decode(): port.tensorIndex for port in model.signatureDefs[0].outputs}
    if set(places) == set(job.outputs) and len(model.subgraphs[0].outputs) == len(places):
        model.subgraphs[0].outputs = [places[name] for name in job.outputs]
        flatbuffer_utils.write_model(model, str(path))


def _torch_onnx(job: Job, path: Path) -> None:
    """Write by a trace: Keras's export names no output, and torch.export takes no open axes."""
    import torch

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.named = job.named

        def forward(self, *parts: Any) -> tuple:
            outputs = self.named(as_input(list(parts)), training=False)
            return tuple(outputs[name] for name in job.outputs)

    tensors = zip(job.inputs, job.named.inputs, strict=True)
    axes = {
        name: {i: f"{name}_{i}" if i else "batch" for i, n in enumerate(tensor.shape) if n is None}
        for name, tensor in tensors
    }
    with torch.no_grad():
        torch.onnx.export(
            Flat().eval(),
            tuple(keras.ops.convert_to_tensor(part) for part in job.batch),
            str(path),
            input_names=job.inputs,
            output_names=job.outputs,
            dynamic_axes=axes | {name: {0: "batch"} for name in job.outputs},
            dynamo=False,
        )


def _openvino(onnx: Callable[[Job, Path], None]) -> Callable[[Job, Path], None]:
    """Write by way of ONNX, since OpenVINO cannot read an LSTM of TensorFlow's directly."""

    def write(job: Job, path: Path) -> None:
        openvino = require("openvino", extra="openvino")
        with tempfile.TemporaryDirectory() as scratch:
            between = Path(scratch) / "model.onnx"
            onnx(job, between)
            try:
                converted = openvino.convert_model(between)
            except (openvino.frontend.OpConversionFailure, RuntimeError) as error:
                failed = re.search(r"failed for (\w+)", str(error))
                raise ValueError(
                    "OpenVINO cannot convert this model"
                    + (f", because of its operation {failed[1]}" if failed else "")
                    + ". A recurrent one is converted under KERAS_BACKEND=torch, with inputs of a "
                    "fixed length; else write ONNX, to a path that ends in .onnx."
                ) from error
            openvino.save_model(converted, path, compress_to_fp16=False)

    return write


WRITERS: dict[str, dict[str, Writer]] = {
    "onnx": {
        "tensorflow": Writer(_onnx, modules=("onnx", "tf2onnx", "onnxruntime")),
        "torch": Writer(_torch_onnx, modules=("onnx", "onnxruntime"), lengths=False),
    },
    "saved_model": {
        "tensorflow": Writer(_by_keras("tf_saved_model")),
        "jax": Writer(_by_keras("tf_saved_model"), modules=("tensorflow",)),
    },
    "litert": {"tensorflow": Writer(_litert)},
    "openvino": {
        "tensorflow": Writer(_openvino(_onnx), "openvino", ("openvino", "onnx", "tf2onnx")),
        "torch": Writer(_openvino(_torch_onnx), "openvino", ("openvino", "onnx"), lengths=False),
    },
}


def writer(kind: str, model: keras.Model) -> Writer:
    """Return how this backend writes the model in that format.

    Raises:
        ValueError: if it does not; it names the backends that do, and the formats of this one.
    """
    here = keras.backend.backend()
    able = WRITERS[kind]
    instead = (
        "Save the model with model.save('model.keras') and export it under "
        f"KERAS_BACKEND={next(iter(able))}."
    )
    if here not in able:
        others = [name for name, row in WRITERS.items() if here in row]
        raise ValueError(
            f"The format {kind!r} is written by {' and '.join(able)}, not by the {here} backend, "
            f"which writes {' and '.join(others) or 'none'}. {instead}"
        )
    open_axes = any(None in tensor.shape[1:] for tensor in model.inputs)
    loops = (keras.layers.RNN, AttentionDecoder)
    if not able[here].lengths and open_axes:
        for layer in all_layers(model):
            if isinstance(layer, loops):
                raise ValueError(
                    f"On the {here} backend the loop of {layer.name!r} is written out step by "
                    f"step, so that {kind!r} needs inputs of a fixed length. {instead}"
                )
    return able[here]
