"""The environments of the benchmarks: ours with each backend, and the old packages' own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ["keras>=3.12", "numpy", "h5py", "pydantic", "typer", "rich", "matplotlib"]
PACKAGES = {
    "tensorflow": [*OURS, "tensorflow"],
    "jax": [*OURS, "jax"],
    "torch": [*OURS, "torch==2.13.0"],
    "tf_keras": ["tf-keras", "attention==5.0.0", "keras-self-attention==0.51.0", "setuptools<81"],
}


def interpreter(name: str, folder: Path) -> Path:
    """The Python of an environment under `folder`, made on its first use."""
    python = folder / name / "bin" / "python"
    if not (folder / name / "complete").exists():
        print(f"making the environment {name} ...", file=sys.stderr)
        venv.create(folder / name, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", *PACKAGES[name]], check=True, stdout=sys.stderr
        )
        (folder / name / "complete").touch()
    return python


def variables(name: str) -> dict[str, str]:
    """What a process of that environment is told."""
    backend = "tensorflow" if name == "tf_keras" else name
    return {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_USE_LEGACY_KERAS": "1" if name == "tf_keras" else "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
