"""A model as a file for another runtime."""

from __future__ import annotations

import importlib.util
import re
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.core import checks, files
from attention_zoo.core.optional import require
from attention_zoo.core.registry import one_of
from attention_zoo.explain.watching import Watched, check_model
from attention_zoo.export.running import RUNTIMES, run

#: For each format: how its path ends, Keras's name for it, the backends that write it.
FORMATS = {
    "onnx": (".onnx", "onnx", ("tensorflow",)),
    "saved_model": ("", "tf_saved_model", ("tensorflow",)),
    "litert": (".tflite", "litert", ("tensorflow",)),
}
_ALLOWED = 1e-5


class Exported(NamedTuple):
    """What was written, and how far it is from Keras.

    Attributes:
        path: the file, or the folder of a SavedModel.
        format: `"onnx"`, `"saved_model"` or `"litert"`.
        outputs: the names of the outputs.
        difference: the largest difference from Keras's outputs, relative where they exceed 1;
            None if the file was not run.
        verified: whether the file was run and agreed.
    """

    path: Path
    format: str
    outputs: tuple[str, ...]
    difference: float | None
    verified: bool


class _Named(Watched):
    """A model whose outputs are one dictionary, as the exporters name them."""

    def __init__(self, model: keras.Model, attention: bool):
        super().__init__(model)
        self.attention = attention

    def call(self, inputs: Any) -> Any:
        if not self.attention:
            return {"predictions": self.model(inputs, training=False)}
        found = super().call(inputs)
        named = {"predictions": found["predictions"]}
        for name, scores in found["scores"].items():
            key = "attention_" + re.sub(r"\W", "_", name)
            if key in named:
                raise ValueError(f"Two attention layers would both be the output {key!r}.")
            named[key] = scores
        return named


def export(
    model: keras.Model,
    path: str | Path,
    *,
    attention: bool = True,
    format: str | None = None,
    overwrite: bool = False,
    verify: bool | None = None,
    x: Any = None,
) -> Exported:
    """Write a model of one input and one output for ONNX Runtime, TensorFlow or LiteRT.

    The outputs are `predictions` and, for each attention layer, `attention_<layer name>`. The
    batch has any size. The file takes its place only if it is whole and, where it is run, agrees.

    Args:
        model: a built functional or Sequential model.
        path: what to write: `.onnx`, `.tflite`, or a folder for a SavedModel.
        attention: whether the attention scores are outputs too.
        format: `"onnx"`, `"saved_model"` or `"litert"`; None is by the path's ending.
        overwrite: whether something at `path` may be replaced.
        verify: whether to run the file and compare; None is where its runtime is installed.
        x: samples to compare on; None draws three, and 7 steps where the length is free.

    Returns:
        What was written, and how far it is from Keras.

    Raises:
        ValueError: for an unknown format, one that this backend cannot write, a model of several
            inputs or outputs, a LiteRT file of a recurrent model, which its runtime alone cannot
            run, or a file that differs from Keras by more than 1e-5.
        TypeError: if `model` is no Keras model.
        FileExistsError: if something is at `path` and `overwrite` is false.
        ImportError: if a package that the format needs is not installed.
    """
    checks.boolean("attention", attention)
    path = Path(path)
    kind = _format(path, format)
    _check_backend(kind)
    _check_model(model, attention)
    files.refuse_existing(path, overwrite=overwrite)
    if kind == "onnx":
        require("tf2onnx", extra="export")
    runs = importlib.util.find_spec(RUNTIMES[kind]) is not None if verify is None else verify
    named = _Named(model, attention)
    samples = _samples(model.inputs[0]) if x is None else np.asarray(x, model.inputs[0].dtype)
    expected = {name: keras.ops.convert_to_numpy(v) for name, v in named(samples).items()}
    tensor = model.inputs[0]
    signature = [keras.InputSpec(shape=tensor.shape, dtype=tensor.dtype, name="x")]
    new = files.new_folder if kind == "saved_model" else files.new_file
    with new(path, overwrite=overwrite) as scratch:
        with warnings.catch_warnings():
            # tf2onnx 1.17 and the TensorFlow converters warn of NumPy's and their own future
            warnings.simplefilter("ignore")
            named.export(
                str(scratch), format=FORMATS[kind][1], input_signature=signature, verbose=False
            )
        gap = _difference(expected, run(scratch, kind, samples)) if runs else None
        if gap is not None and not gap <= _ALLOWED:
            raise ValueError(
                f"The {kind} file differs from Keras by {gap:.2g}, more than {_ALLOWED:g}: "
                "it was not kept."
            )
    return Exported(path, kind, tuple(expected), gap, runs)


def _format(path: Path, name: str | None) -> str:
    if name is None:
        name = next((k for k, row in FORMATS.items() if row[0] == path.suffix.lower()), None)
        if name is None:
            raise ValueError(
                "`path` must end in .onnx or .tflite, or have no ending for a SavedModel, "
                f"unless `format` says it. Received: {str(path)!r}"
            )
    if name not in FORMATS:
        raise one_of("format", name, FORMATS)
    return name


def _check_backend(kind: str) -> None:
    backend, able = keras.backend.backend(), FORMATS[kind][2]
    if backend not in able:
        raise ValueError(
            f"The format {kind!r} cannot be written on the {backend} backend. Save the model with "
            f"model.save('model.keras') and export it under KERAS_BACKEND={able[0]}."
        )


def _check_model(model: Any, attention: bool) -> None:
    if attention or not isinstance(model, keras.Model):
        check_model(model)
    if not getattr(model, "inputs", None) or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            f"The model {model.name!r} must be functional or Sequential, built, and have one "
            "input and one output."
        )


def _samples(tensor: Any) -> np.ndarray:
    shape = (3, *(7 if size is None else size for size in tensor.shape[1:]))
    rng = np.random.default_rng(0)
    if "int" in str(tensor.dtype):
        return rng.integers(0, 2, shape).astype(tensor.dtype)
    return rng.normal(size=shape).astype(tensor.dtype)


def _difference(expected: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> float:
    if set(expected) != set(found):
        raise ValueError(f"The file has the outputs {sorted(found)}, not {sorted(expected)}.")
    gaps = [
        np.max(np.abs(found[name] - value) / np.maximum(1, np.abs(value)))
        for name, value in expected.items()
    ]
    return float(np.max(gaps))
