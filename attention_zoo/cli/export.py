"""`attention-zoo export`: a model for another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attention_zoo.cli.console import out


def export(
    model: Annotated[str, typer.Argument(help="A preset's name or folder, or a .keras file.")],
    file: Annotated[Path, typer.Argument(help="A .onnx, .tflite or .xml file, or a new folder.")],
    format_: Annotated[
        str | None, typer.Option("--format", help="onnx, saved_model, litert or openvino.")
    ] = None,
    attention: Annotated[
        bool, typer.Option("--attention/--no-attention", help="Scores as outputs.")
    ] = True,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Run and compare.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Write a model for ONNX Runtime, TensorFlow, LiteRT or OpenVINO, attention included."""
    import attention_zoo as az

    done = az.export(
        az.load(model), file, format=format_, attention=attention, verify=verify,
        overwrite=overwrite,
    )  # fmt: skip
    out.print(f"{done.path}: {done.format}")
    out.print(f"inputs: {', '.join(done.inputs)}")
    out.print(f"outputs: {', '.join(done.outputs)}")
    if done.difference is not None:
        out.print(f"largest difference from Keras: {done.difference:.2g}")
