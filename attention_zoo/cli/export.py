"""`attention-zoo export`: a model for another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attention_zoo.cli.console import out
from attention_zoo.cli.options import Model, Overwrite


def export(
    model: Model,
    file: Annotated[Path, typer.Argument(help="A .onnx, .tflite or .xml file, or a new folder.")],
    format_: Annotated[
        str | None, typer.Option("--format", help="onnx, saved_model, litert or openvino.")
    ] = None,
    attention: Annotated[
        bool, typer.Option("--attention/--no-attention", help="Scores as outputs.")
    ] = True,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Run and compare.")] = True,
    overwrite: Overwrite = False,
) -> None:
    """Write a model for ONNX Runtime, TensorFlow, LiteRT or OpenVINO, attention included."""
    import attention_zoo as az

    options = {"attention": attention, "verify": verify, "overwrite": overwrite}
    exported = az.export(az.load(model), file, format=format_, **options)
    out.print(f"{exported.path}: {exported.format}")
    out.print(f"inputs: {', '.join(exported.inputs)}")
    out.print(f"outputs: {', '.join(exported.outputs)}")
    if exported.difference is not None:
        out.print(f"largest difference from Keras: {exported.difference:.2g}")
