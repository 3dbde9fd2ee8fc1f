"""Every attention layer in every format: `python -m benchmarks.export_matrix` (TensorFlow, with
the extra `export`). Writes benchmarks/export_matrix.json and docs/deploying.md."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "export_matrix.json"
PAGE = ROOT / "docs" / "deploying.md"
ENDINGS = {"onnx": ".onnx", "saved_model": "", "litert": ".tflite"}


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


def measure() -> dict[str, dict[str, Any]]:
    """The largest difference of each model in each format, or why there is none."""
    import attention_zoo as az

    results: dict[str, dict[str, Any]] = {}
    for name, model in models():
        results[name] = {}
        for kind, ending in ENDINGS.items():
            with tempfile.TemporaryDirectory() as folder:
                try:
                    done = az.export(model, Path(folder) / f"model{ending}")
                    results[name][kind] = done.difference
                except Exception as error:  # noqa: BLE001 - any failure is the result
                    results[name][kind] = f"{type(error).__name__}: {error}"[:300]
        print(name, json.dumps(results[name]), flush=True)
    return results


def page(results: dict[str, dict[str, Any]]) -> str:
    """The page on deploying, with the matrix."""
    lines = [
        "# Deploying",
        "",
        "<!-- Written by `python -m benchmarks.export_matrix`. -->",
        "",
        "`az.export(model, path)` and `attention-zoo export MODEL FILE` write a model for another",
        "runtime, with the attention scores of each layer as outputs of their own. What is",
        "written is run in that runtime and compared with Keras, predictions and attention, before",
        "it takes its place. It needs the extra `export` (`pip install 'attention-zoo[export]'`).",
        "",
        "```text",
        'az.export(model, "model.onnx")     ONNX: ONNX Runtime, and what reads ONNX, as OpenVINO',
        'az.export(model, "folder")         a SavedModel: TensorFlow, TensorFlow Serving',
        'az.export(model, "model.tflite")   LiteRT, without recurrent layers (see below)',
        "```",
        "",
        "The files are written by TensorFlow. A model that was trained on JAX or torch is saved as",
        "`.keras` and exported with `KERAS_BACKEND=tensorflow attention-zoo export model.keras",
        "model.onnx`. The batch has any size, and so has the time axis where the model's input",
        "leaves it open. Only models that compute in float32 are exported.",
        "",
        "The largest difference from Keras, predictions and attention, relative where they exceed",
        "1, on two random batches of other sizes (and lengths, where they are open):",
        "",
        "| model | ONNX | SavedModel | LiteRT |",
        "|---|---|---|---|",
    ]
    notes: list[str] = []
    for name, row in results.items():
        cells = []
        for kind in ENDINGS:
            value = row[kind]
            if isinstance(value, str):
                reason = "needs Flex operations" if "Flex" in value else value
                if reason not in notes:
                    notes.append(reason)
                cells.append(f"no ({notes.index(reason) + 1})")
            else:
                cells.append(f"{value:.1e}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", *(f"{i}. {note}" for i, note in enumerate(notes, start=1)), ""]
    return "\n".join(lines)


def main() -> None:
    results = measure()
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(results))


if __name__ == "__main__":
    main()
