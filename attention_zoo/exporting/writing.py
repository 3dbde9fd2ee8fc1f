"""From a Keras model to a file that another runtime reads."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo.capture import with_scores
from attention_zoo.capture.inputs import check_built, check_inputs, check_model
from attention_zoo.core import checks, files
from attention_zoo.core.optional import require
from attention_zoo.core.registry import one_of
from attention_zoo.exporting.formats import FORMATS, quiet, run
from attention_zoo.exporting.writers import Job, as_input, dtype, writer
from attention_zoo.layers.score_model import ScoreModel, name_predictions, plain
from attention_zoo.layers.traversal import all_layers

#: The largest difference from Keras that is allowed.
_ALLOWED = 1e-5


@dataclasses.dataclass(frozen=True)
class Exported:
    """The result of `export`.

    Attributes:
        path: the file, or the folder of a SavedModel; OpenVINO's has its weights beside it.
        format: `"onnx"`, `"saved_model"`, `"litert"` or `"openvino"`.
        inputs: the names of the inputs.
        outputs: the names of the outputs: the predictions first, then those with attention.
        attention: which of them are the scores of a layer, `{layer name: output name}`.
        difference: the largest from Keras's outputs, relative where those exceed 1; None if the
            file was not run.
    """

    path: Path
    format: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attention: dict[str, str]
    difference: float | None


def export(
    model: keras.Model,
    path: str | Path,
    *,
    attention: bool = True,
    format: str | None = None,
    overwrite: bool = False,
    verify: bool = True,
    x: Any = None,
) -> Exported:
    """Write a model for ONNX Runtime, TensorFlow, LiteRT or OpenVINO, attention included.

    ```
    .onnx       ONNX             written by TensorFlow and torch
    a folder    a SavedModel     written by TensorFlow and JAX
    .tflite     LiteRT           written by TensorFlow
    .xml        OpenVINO         written by TensorFlow and torch, with a .bin beside it
    ```

    The outputs are `predictions` (or `predictions_1`, ..., or the keys of a dictionary, in its
    order), and then, for each attention layer, `attention_<layer name>`. The batch has any size,
    and so has the time axis where the model's input leaves it open, on torch not with recurrent
    layers. Before it takes its place at `path`, what is written is run in its own runtime, on two
    batches of other sizes, and compared with Keras.

    Args:
        model: a built functional or Sequential model, trained or loaded.
        path: what to write: `.onnx`, `.tflite`, `.xml`, or a folder for a SavedModel.
        attention: whether the attention scores are outputs too.
        format: `"onnx"`, `"saved_model"`, `"litert"` or `"openvino"`; None is by the path's
            ending.
        overwrite: whether something at `path` may be replaced.
        verify: whether to run what is written and compare.
        x: samples to compare on; None draws some.

    Returns:
        An `Exported`: what was written, and its difference from Keras.

    Raises:
        ValueError: on a backend that does not write the format, for an unknown format, a model
            without attention where it is wanted, a LiteRT file of a recurrent model, which its
            runtime alone cannot run, and for a file that differs by more than 1e-5: none is kept.
        TypeError: if `model` is no Keras model.
        FileExistsError: if something is at `path` and `overwrite` is false.
        ImportError: if a package that the format needs is not installed.

    Example:

    >>> import keras
    >>> if keras.backend.backend() != "jax":  # which writes folders only
    ...     exported = az.export(az.load("dense"), "dense.onnx")
    """
    checks.boolean("attention", attention)
    checks.boolean("verify", verify)
    path = files.local_path("path", path)
    kind = _format(path, format)
    _check(model, attention)
    backend = writer(kind, model)
    for ending in (path.suffix, *FORMATS[kind].beside):
        files.refuse_existing(path.with_suffix(ending), overwrite=overwrite)
    if FORMATS[kind].suffix == "" and path.is_dir() and not _replaceable(path):
        raise FileExistsError(f"{path} holds other things than a SavedModel, and is kept.")
    for module in backend.modules:
        require(module, extra=backend.extra)
    batches = _samples(model) if x is None else [_batch(model, x)]
    names = _input_names(model)
    named, attended = _named(model, attention)
    expected = [_predictions(named, batch) for batch in batches]
    with _place(path, kind, overwrite) as scratch:
        try:
            with quiet():
                backend.write(Job(named, names, list(expected[0]), batches[0]), scratch)
        except (RuntimeError, AttributeError, TypeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ValueError(f"The model cannot be converted to {kind!r}: {first}") from error
        gap = None
        if verify:
            inputs = [dict(zip(names, batch, strict=True)) for batch in batches]
            outputs = [run(scratch, batch, kind) for batch in inputs]
            gap = max(map(_difference, expected, outputs))
            if not gap <= _ALLOWED:
                raise ValueError(
                    f"The {kind} file differs from Keras by {gap:.2g}, more than {_ALLOWED:g}: "
                    "it was not kept."
                )
    return Exported(path, kind, tuple(names), tuple(expected[0]), attended, gap)


def _replaceable(folder: Path) -> bool:
    return (folder / "saved_model.pb").is_file() or not any(folder.iterdir())


@contextlib.contextmanager
def _place(path: Path, kind: str, overwrite: bool) -> Iterator[Path]:
    """Yield where to write; at the end it takes its place at `path`, with the files beside it."""
    new = files.new_folder if FORMATS[kind].suffix == "" else files.new_file
    with new(path, overwrite=overwrite) as scratch:
        beside = [(scratch.with_suffix(e), path.with_suffix(e)) for e in FORMATS[kind].beside]
        try:
            yield scratch
            for there, place in beside:
                there.replace(place)
        finally:
            for there, _ in beside:
                there.unlink(missing_ok=True)


def _format(path: Path, name: str | None) -> str:
    if name is None:
        endings = {row.suffix: known for known, row in FORMATS.items()}
        name = endings.get(path.suffix.lower())
        if name is None:
            raise ValueError(
                "`path` must end in .onnx, .tflite or .xml, or have no ending for a SavedModel, "
                f"unless `format` says it. Received: {str(path)!r}"
            )
    if name not in FORMATS:
        raise one_of("format", name, FORMATS)
    if FORMATS[name].beside and path.suffix.lower() != FORMATS[name].suffix:
        raise ValueError(
            f"`path` must end in {FORMATS[name].suffix} for format={name!r}, whose weights lie "
            f"beside it in a file of that name. Received: {str(path)!r}"
        )
    return name


def _check(model: Any, attention: bool) -> None:
    (check_model if attention else check_built)(model)
    if not getattr(model, "inputs", None):
        raise ValueError(f"The model {model.name!r} must be functional or Sequential, and built.")
    dtypes = {str(getattr(layer, "compute_dtype", "")) for layer in all_layers(model)}
    half = dtypes & {"float16", "bfloat16"}
    if half:
        raise ValueError(
            f"Only float32 can be exported. Received: layers that compute in {sorted(half)}. "
            "Build the model under the policy 'float32' and set its weights."
        )


def _batch(model: keras.Model, x: Any) -> list[np.ndarray]:
    arrays = keras.tree.flatten(check_inputs(model, x))
    return [a.astype(dtype(t)) for a, t in zip(arrays, model.inputs, strict=True)]


def _named(model: keras.Model, attention: bool) -> tuple[keras.Model, dict[str, str]]:
    """Return the model as the converters take it, with a list of inputs and a flat dictionary of
    outputs; and the names of the outputs with scores, by layer name."""
    if not attention:
        outputs = model.outputs if isinstance(model, keras.Sequential) else model.output
        return keras.Model(as_input(model.inputs), name_predictions(outputs, outputs)), {}
    scored = with_scores(model)
    names = next(layer.score_names for layer in scored.layers if isinstance(layer, ScoreModel))
    return keras.Model(as_input(scored.inputs), scored.output), dict(names)


def _predictions(named: keras.Model, batch: list[np.ndarray]) -> dict[str, np.ndarray]:
    outputs = named(as_input(batch), training=False)
    return {name: keras.ops.convert_to_numpy(outputs[name]) for name in named.output}


def _input_names(model: keras.Model) -> list[str]:
    """Return the names of the inputs, each different."""
    inputs = None if isinstance(model, keras.Sequential) else model.input
    if isinstance(inputs, Mapping) and not any(map(keras.tree.is_nested, inputs.values())):
        names = [plain(str(key)) for key in sorted(inputs)]  # as Keras has them in `model.inputs`
    else:
        names = [plain(tensor.name) for tensor in model.inputs]
    if len(set(names)) == len(names):
        return names
    return [f"{name}_{i}" for i, name in enumerate(names, start=1)]


def _samples(model: keras.Model) -> list[list[np.ndarray]]:
    """Return two batches of different sizes and, where it is open, lengths."""
    rng = np.random.default_rng(0)
    batches = []
    for count, length in ((3, 7), (2, 11)):
        batch = []
        for tensor in model.inputs:
            shape = (count, *(length if n is None else n for n in tensor.shape[1:]))
            values = rng.integers(0, 2, shape) if "int" in dtype(tensor) else rng.normal(size=shape)
            batch.append(values.astype(dtype(tensor)))
        batches.append(batch)
    return batches


def _difference(expected: dict[str, np.ndarray], outputs: dict[str, np.ndarray]) -> float:
    if set(expected) != set(outputs):
        raise ValueError(f"The file has the outputs {sorted(outputs)}, not {sorted(expected)}.")
    gaps = []
    for name, value in expected.items():
        output = outputs[name]
        if output.shape != value.shape:
            raise ValueError(
                f"The file's output {name!r} has the shape {output.shape}, not {value.shape}: "
                "it was not kept."
            )
        size = np.maximum(1, np.abs(value))
        gaps.append(np.max(np.abs(output - value) / size, initial=0.0))
    return float(np.max(gaps))
