"""What a written file answers, by its own runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attention_zoo.core.optional import require

#: The module that runs each format.
RUNTIMES = {"onnx": "onnxruntime", "saved_model": "tensorflow", "litert": "tensorflow"}


def run(path: Path, kind: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of the file at `path` on `x`, by name."""
    runtime = require(RUNTIMES[kind], extra="export")
    if kind == "onnx":
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {session.get_inputs()[0].name: x}), strict=True))
    if kind == "saved_model":
        # Named, since its variables live only as long as it does
        loaded = runtime.saved_model.load(str(path))
        return {name: value.numpy() for name, value in loaded.serve(x).items()}
    try:
        runner = runtime.lite.Interpreter(str(path)).get_signature_runner()
        return dict(runner(**{next(iter(runner.get_input_details())): x}))
    except RuntimeError as error:
        if "Select TensorFlow op" not in str(error):
            raise
        raise ValueError(
            "The model needs TensorFlow's own operations in LiteRT (Flex), as a recurrent layer "
            "does, and they are not linked here, so the file was not run or kept. With "
            "verify=False it is written unchecked; the formats 'onnx' and 'saved_model' need none."
        ) from None
