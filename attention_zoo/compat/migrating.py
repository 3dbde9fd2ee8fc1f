"""A saved model of Keras 2 as one of Keras 3."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from attention_zoo.compat import old_archive, old_model
from attention_zoo.compat.rebuilding import rebuild
from attention_zoo.core import files, foreign, memory, npz

_TOLERANCE = 1e-4
#: A reference may take one of so many parts of the machine's memory.
_PARTS = 4


@dataclass(frozen=True)
class Migrated:
    """What `migrate` did.

    Attributes:
        path: the new file.
        layers: for each layer with weights, its name and its class now.
        parameters: how many numbers were copied.
        difference: the largest difference from the reference's outputs; None without one.
    """

    path: Path
    layers: tuple[tuple[str, str], ...]
    parameters: int
    difference: float | None

    @property
    def report(self) -> str:
        """Return the same as lines of text."""
        lines = [f"{self.path}: {self.parameters} parameters"]
        lines += [f"{name}: {kind}" for name, kind in self.layers]
        if self.difference is None:
            lines.append("outputs: not compared; give a reference to compare them")
        else:
            lines.append(f"outputs: largest difference from the reference {self.difference:.2g}")
        return "\n".join(lines)


def migrate(
    old: str | os.PathLike,
    new: str | os.PathLike,
    *,
    reference: str | os.PathLike | None = None,
    overwrite: bool = False,
) -> Migrated:
    """Write a model saved by Keras 2 (tf-keras) as a `.keras` file of Keras 3.

    The old file is read as data: its layers are rebuilt from their descriptions, and no code from
    it runs. It may hold, in a Sequential or functional model, the layers of the packages
    `attention` 5.0.0, keras-self-attention 0.51 and keras-multi-head 0.29, and the usual ones of
    Keras around them: Dense, LSTM, GRU, Bidirectional, Embedding, Masking, Conv1D and so on.
    Weights go over by name, each of the right shape. The optimizer's state, and whatever else is
    in the file, is not opened: compile the new model.

    Masking: what follows a Masking or an Embedding with `mask_zero=True` sees the mask as our
    layers do; see `SeqSelfAttention`, whose outputs differ then, on purpose.

    Args:
        old: an .h5 or .keras file that `model.save` of Keras 2 wrote.
        new: the .keras file to write.
        reference: an .npz file that `np.savez(file, x=x, y=old_model.predict(x))` wrote in the old
            environment. If the new model's outputs are not within 1e-4 of `y` (of its largest
            magnitude, where that is above 1), nothing is written.
        overwrite: whether a file that is there may be replaced.

    Returns:
        A `Migrated`, whose `report` says it in words.

    Raises:
        FileNotFoundError: if there is no old file or no reference.
        IsADirectoryError: if the old one is a folder.
        FileExistsError: if something is at `new` and `overwrite` is false.
        ValueError: for a layer, an argument or a weight that has no counterpart, which is named;
            for outputs that differ from the reference's.
        PresetError: for a file that holds anything but numbers and a description, or names a
            class that is not Keras's.

    Example:

    >>> import h5py, json
    >>> from attention_zoo.compat import migrate
    >>> layer = {"name": "y", "units": 1, "batch_input_shape": [None, 3]}
    >>> layers = {"layers": [{"class_name": "Dense", "config": layer}]}
    >>> with h5py.File("old.h5", "w") as old:  # what model.save of Keras 2 writes
    ...     old.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
    ...     old["model_weights/y/kernel"], old["model_weights/y/bias"] = [[1.0]] * 3, [0.0]
    ...     old["model_weights"].attrs["layer_names"] = ["y"]
    ...     old["model_weights/y"].attrs["weight_names"] = ["kernel", "bias"]
    >>> print(migrate("old.h5", "new.keras").report)
    new.keras: 4 parameters
    y: Dense
    outputs: not compared; give a reference to compare them
    """
    path, target = files.local_path("old", old), files.local_path("new", new)
    if target.suffix != ".keras":
        raise ValueError(f"`new` must be a .keras file. Received: new={str(new)!r}")
    files.refuse_existing(target, overwrite=overwrite)
    if path.is_dir():
        raise IsADirectoryError(
            f"{path} is a folder, as a SavedModel is. Load it in the old environment and save it "
            "with model.save('old.h5')."
        )
    with foreign.opened(path, what="file of Keras 2", links=True) as file:
        reader = old_archive if zipfile.is_zipfile(file) else old_model
        described = reader.read(file, path)
    model = rebuild(described)
    difference = (
        None if reference is None else _compare(model, files.local_path("reference", reference))
    )
    with files.new_file(target, overwrite=overwrite) as scratch:
        model.save(scratch)
    kinds = tuple((layer.name, type(layer).__name__) for layer in model.layers if layer.weights)
    return Migrated(target, kinds, model.count_params(), difference)


def _compare(model: keras.Model, path: Path) -> float:
    what = "reference, as np.savez writes it"
    with foreign.opened(path, what=what, links=True) as file:
        arrays = npz.read(file, limit=memory.share(_PARTS), packed=False)
    if set(arrays) != {"x", "y"} or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            "`reference` must hold x and y, for a model of one input and one output. Received: "
            f"{sorted(arrays)} for {len(model.inputs)} inputs and {len(model.outputs)} outputs"
        )
    expected, x = arrays["y"], arrays["x"]
    wanted = model.inputs[0].shape
    filled = tuple(m if n is None else n for n, m in zip(wanted, x.shape, strict=False))
    if x.ndim != len(wanted) or filled != x.shape:
        raise ValueError(f"{path}: x has the shape {x.shape}, the model's input {wanted}.")
    outputs = model.predict(x, verbose=0)
    if outputs.shape != expected.shape or not outputs.size:
        raise ValueError(
            f"{path}: y has the shape {expected.shape}, the model's outputs {outputs.shape}."
        )
    difference = float(np.max(np.abs(outputs - expected)))
    # Written so that NaN is refused
    if not difference <= _TOLERANCE * max(1.0, float(np.max(np.abs(expected)))):
        raise ValueError(
            f"The migrated model's outputs differ from those in {path} by up to {difference:.3g}: "
            "nothing was written. Padding that is masked changes SeqSelfAttention on purpose; to "
            "migrate all the same, leave the reference out."
        )
    return difference
