"""Every attention layer in every format from every backend: `python -m benchmarks.export_matrix`
(with the extras `export`, `openvino`, `jax` and `torch`). Writes benchmarks/export_matrix.json and
docs/deploying.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "export_matrix.json"
PAGE = ROOT / "docs" / "deploying.md"
#: What each backend writes, with the ending and the title of each format.
FORMATS = {"onnx": (".onnx", "ONNX"), "saved_model": ("", "SavedModel"),
           "litert": (".tflite", "LiteRT"), "openvino": (".xml", "OpenVINO")}  # fmt: skip
COLUMNS = {
    "tensorflow": ("TensorFlow", ("onnx", "saved_model", "litert", "openvino")),
    "jax": ("JAX", ("saved_model",)),
    "torch": ("torch", ("onnx", "openvino")),
}


def models() -> Iterator[tuple[str, Any]]:
    """A model around each layer, with padding where it takes some, and three presets."""
    import keras

    import attention_zoo as az

    keras.utils.set_random_seed(0)
    for name in az.list_layers():
        inputs = keras.Input((7, 4), name="x")
        memory = keras.Input((5, 4), name="memory")
        x = keras.layers.Masking()(inputs)
        if name == "cross_attention":
            model = keras.Model([inputs, memory], az.layers.get(name)(x, memory))
        elif name == "attention_decoder":
            decoder = az.layers.get(name, cell=keras.layers.GRUCell(3))
            model = keras.Model([inputs, memory], decoder(x, memory))
        else:
            window = {"window": 3} if name == "hierarchical" else {}
            layer = az.layers.get(name, normalizer="entmax15", **window)
            model = keras.Model(inputs, layer(x))
        yield f"`{name}`", model
    inputs = keras.Input((7, 4), name="x")
    heads = keras.layers.MultiHeadAttention(2, 3)
    yield "Keras's MultiHeadAttention", keras.Model(inputs, heads(inputs, inputs))
    words = keras.Input((None,), dtype="int32", name="words")
    states = keras.layers.Embedding(9, 4, mask_zero=True)(words)
    states = keras.layers.GRU(3, return_sequences=True)(states)
    pooled = az.layers.AttentionPooling()(states)
    yield "tokens of any length, GRU, pooling", keras.Model(words, pooled)
    for preset in ("dense", "lstm_after", "gru"):
        yield f"preset `{preset}`", az.load(preset)


def measure(backend: str) -> dict[str, dict[str, Any]]:
    """The largest difference of each model in each format of a backend, or why there is none."""
    import attention_zoo as az

    results: dict[str, dict[str, Any]] = {}
    for name, model in models():
        results[name] = {}
        for kind in COLUMNS[backend][1]:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    done = az.export(model, Path(folder) / f"model{FORMATS[kind][0]}")
                    results[name][kind] = done.difference
                except Exception as error:  # noqa: BLE001 - any failure is the result
                    results[name][kind] = f"{type(error).__name__}: {error}"[:300]
        print(backend, name, json.dumps(results[name]), file=sys.stderr, flush=True)
    return results


def cells(results: dict[str, dict[str, dict[str, Any]]]) -> tuple[list[str], list[str]]:
    """The rows of the table, and the notes that they refer to."""
    rows, notes = [], []
    for model in next(iter(results.values())):
        row = []
        for backend, (_, kinds) in COLUMNS.items():
            for value in (results[backend][model][kind] for kind in kinds):
                if not isinstance(value, str):
                    row.append(f"{value:.1e}")
                    continue
                reason = value
                if "Flex" in value:
                    reason = "LiteRT would need TensorFlow's own operations (Flex): use ONNX"
                elif "OpenVINO cannot convert" in value or "OpConversionFailure" in value:
                    reason = "OpenVINO takes no such loop of TensorFlow's: write it from torch"
                elif "written out step by step" in value:
                    reason = "torch writes out a recurrent loop for one length: give the input one"
                if reason not in notes:
                    notes.append(reason)
                row.append(f"no ({notes.index(reason) + 1})")
        rows.append(f"| {model} | {' | '.join(row)} |")
    return rows, [f"{i}. {note}" for i, note in enumerate(notes, start=1)]


def page(results: dict[str, dict[str, dict[str, Any]]]) -> str:
    """The page on deploying, with the matrix."""
    titles = [f"{title}: {FORMATS[k][1]}" for title, kinds in COLUMNS.values() for k in kinds]
    rows, notes = cells(results)
    matrix = [f"| model | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|", *rows]
    if notes:
        matrix += ["", *notes]
    return TEXT.replace("MATRIX", "\n".join(matrix))


TEXT = """# Deploying

<!-- Written by `python -m benchmarks.export_matrix`. -->

`az.export(model, path)` and `attention-zoo export MODEL FILE` write a model for another runtime,
with the attention scores of each layer as outputs of their own. What is written is run in that
runtime and compared with Keras, predictions and attention, before it takes its place.

The predictions are the first outputs: `predictions`, or `predictions_1` and so on where the model
has a list of them, or the keys of its dictionary, in its order. The scores follow, `attention_` and
the layer's name each. In names, what is neither a letter nor a digit becomes `_`. ONNX, OpenVINO
and LiteRT files keep this order; a SavedModel has names alone, and so is read by them. Inputs have
the keys of the model's dictionary, or the names of its `Input`s.

| path | format | written by the backends | extra | for |
|---|---|---|---|---|
| `model.onnx` | ONNX | TensorFlow, torch | `export` | ONNX Runtime and what else reads ONNX |
| `folder` | SavedModel | TensorFlow, JAX | none | TensorFlow, TensorFlow Serving |
| `model.tflite` | LiteRT | TensorFlow | none | phones; no recurrent layers |
| `model.xml` | OpenVINO, with `model.bin` beside it | TensorFlow, torch | `openvino` | OpenVINO |

What a backend does not write, another does: a model that was trained on JAX or torch is saved as
`.keras` and exported with `KERAS_BACKEND=tensorflow attention-zoo export model.keras model.onnx`.
An error says so, before anything is written. Most recurrent models go to OpenVINO from torch alone,
with inputs of a fixed length.

`az.export` stands on `az.with_scores(model)`, a Keras model over the same weights with these
outputs. It is yours to save, to train (with losses of the predictions only) and to serve by Keras's
own `export`.

```python
import tempfile

import numpy as np

import attention_zoo as az

done = az.export(az.load("dense"), tempfile.mkdtemp() + "/model")  # a SavedModel
print(done.outputs, done.attention, done.difference)

from attention_zoo.exporting.formats import run

outputs = run(done.path, {done.inputs[0]: np.zeros((3, 32), "float32")}, done.format)
outputs["attention_attention"]  # (3, 32)

scored = az.with_scores(az.load("dense"))
scored.predict(np.zeros((3, 32)), verbose=0)["attention_attention"]  # (3, 32)
```

The batch has any size, and so has the time axis where the model's input leaves it open; on torch
not with a recurrent layer, whose loop is written out. Only models that compute in float32 are
exported. OpenVINO computes in bfloat16 on some processors unless it is compiled with
`{"INFERENCE_PRECISION_HINT": "f32"}`, as it is for the comparison.

The largest difference from Keras, predictions and attention, relative where they exceed 1, on two
random batches of other sizes (and lengths, where they are open):

MATRIX
"""


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1])))
        return
    results = {}
    for backend in COLUMNS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.export_matrix", backend],
            env={**os.environ, "KERAS_BACKEND": backend}, cwd=ROOT, stdout=subprocess.PIPE,
            text=True, check=True,
        )  # fmt: skip
        results[backend] = json.loads(done.stdout.splitlines()[-1])
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(results))


if __name__ == "__main__":
    main()
