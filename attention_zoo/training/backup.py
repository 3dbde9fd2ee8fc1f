"""The state of a training run on disk, from which it goes on after any interruption."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras

from attention_zoo.core import files, foreign
from attention_zoo.data.dataset import Dataset
from attention_zoo.presets.weights import load_weights_bytes, weights_bytes
from attention_zoo.training.recipe import Recipe

#: What to do about a state that cannot be read.
CURE = "Begin again with --overwrite (overwrite=True)."
#: Steps between two backups of a process that writes none.
_NEVER = 2**62


class _KeepHistory(keras.callbacks.Callback):
    """Writes the epochs' metrics beside the weights, so that a resumed run knows them all."""

    # Keras's CSVLogger appends to its file: a kill leaves half a row, or an epoch twice

    def __init__(self, path: Path, writes: bool):
        super().__init__()
        self.path, self.writes = path, writes
        self.rows = _rows(path)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.rows = [*self.rows[:epoch], {k: float(v) for k, v in (logs or {}).items()}]
        if self.writes:
            with files.new_file(self.path, overwrite=True) as scratch:
                scratch.write_text(json.dumps(self.rows), "utf-8")


class Backup:
    """A folder with a run's recipe, its finished phases and the last epoch of the running one.

    Args:
        folder: where to keep it, or None to keep the history in memory alone.
        recipe, data: what is trained on what; a folder of another run raises ValueError, which
            names the difference.
        writes: whether it is this process that writes; one that does not must see the files of
            the one that does.
    """

    def __init__(self, folder: Path | None, recipe: Recipe, data: Dataset, *, writes: bool = True):
        self.folder, self.writes = folder, writes
        self._kept: _KeepHistory | None = None
        self._temporary: tempfile.TemporaryDirectory | None = None
        if folder is None:
            return
        state = {"recipe": recipe.model_dump(), "data": data.fingerprint()}
        state["backend"] = keras.backend.backend()
        path = folder / "run.json"
        foreign.plain_folder(folder)
        if path.exists():
            old = foreign.records(path, kind=dict, hint=CURE)
            refuse_other(old, json.loads(json.dumps(state)), folder)
            if writes:
                _heal(folder)
            return
        if not writes:
            raise ValueError(
                f"This process does not see {path}, which the first one wrote: `out` must be in a "
                "folder that all processes share."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with files.new_file(path) as scratch:
            scratch.write_text(json.dumps(state), "utf-8")

    def callbacks(self, phase: int) -> list[keras.callbacks.Callback]:
        """What keeps the state of a phase while it runs."""
        if self.folder is None:
            return []
        # Keras's own callback restores weights, optimizer and epoch; its second copy survives a
        # kill in the middle of writing the first
        restore = _Restore(
            str(self.folder / f"phase_{phase}"),
            save_freq="epoch" if self.writes else _NEVER,
            double_checkpoint=True,
            delete_checkpoint=False,
        )
        # First the metrics: they may be of an epoch more than the weights, not of one less
        self._kept = _KeepHistory(self.folder / f"phase_{phase}.json", self.writes)
        if self.writes:
            return [self._kept, restore]
        # TensorFlow adds up metrics over all processes as they are saved, so that each must save
        aside = keras.callbacks.BackupAndRestore(str(self._aside() / f"phase_{phase}"))
        return [self._kept, restore, aside]

    def rows(self, phase: int) -> list[dict[str, float]]:
        """The metrics of a phase's epochs before the interruption."""
        return [] if self.folder is None else _rows(self.folder / f"phase_{phase}.json")

    def keep_best(self, phase: int, epoch: int, before: int | None, model: keras.Model) -> None:
        """Keep the weights of the best epoch; those of the best `before` it stay until there is
        another, since the run may be interrupted before this epoch counts."""
        if self.folder is None:
            return
        folder = self.folder if self.writes else self._aside()
        write_weights(model, folder / _best(phase, epoch))
        for path in folder.glob(_best(phase, "*")):
            if path.name not in (_best(phase, epoch), _best(phase, before)):
                path.unlink()

    def load_best(self, phase: int, epoch: int, model: keras.Model) -> None:
        """Load what `keep_best` kept before the interruption."""
        if self.folder is not None:
            read_weights(model, self.folder / _best(phase, epoch))

    def _aside(self) -> Path:
        """A temporary folder for what this process need not keep."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory()
        return Path(self._temporary.name)

    def finished_phase(self, phase: int, model: keras.Model) -> dict[str, list[float]] | None:
        """The history of a phase that ended before the interruption, its weights loaded."""
        if self.folder is None or not (self.folder / f"phase_{phase}.weights.h5").exists():
            return None
        read_weights(model, self.folder / f"phase_{phase}.weights.h5")
        return _columns(self.rows(phase))

    def finish_phase(self, phase: int, model: keras.Model) -> dict[str, list[float]]:
        """Mark a phase as ended, and give its history."""
        if self.folder is None or self._kept is None:
            return {k: [float(v) for v in values] for k, values in model.history.history.items()}
        folder = self.folder if self.writes else self._aside()
        write_weights(model, folder / f"phase_{phase}.weights.h5")
        if self.writes:
            shutil.rmtree(self.folder / f"phase_{phase}", ignore_errors=True)
            for path in self.folder.glob(_best(phase, "*")):
                path.unlink()
        return _columns(self._kept.rows)


class _Restore(keras.callbacks.BackupAndRestore):
    """Keras's, whose errors say what to do."""

    def on_train_begin(self, logs: Any = None) -> None:
        with foreign.parsing(self.backup_dir, what="backup of this training", hint=CURE):
            super().on_train_begin(logs)


#: What Keras's callback writes after each epoch, the second after the first; of both it keeps the
#: ones before, under names that end in .bkp.
_WEIGHTS, _EPOCH = "latest.weights.h5", "training_metadata.json"


def _heal(folder: Path) -> None:
    """Where a full disk or a kill tore a phase's last backup, go back to the one before it; where
    there is none, to the beginning of the phase."""
    for state in (path for path in folder.glob("phase_*/") if path.name[6:].isdecimal()):
        last, before = (
            [state / f"{name}{end}" for name in (_WEIGHTS, _EPOCH)] for end in ("", ".bkp")
        )
        earlier = _whole(*before, ordered=True)
        if _whole(*last, ordered=earlier):
            continue
        if earlier:
            for old, new in zip(before, last, strict=True):
                old.replace(new)
            continue
        shutil.rmtree(state)
        for path in (folder / f"{state.name}.json", *folder.glob(f"{state.name}.best_*")):
            path.unlink(missing_ok=True)


def _whole(weights: Path, epoch: Path, *, ordered: bool) -> bool:
    """Whether a backup can be read, and if it is to be `ordered`, whether its second file was
    written after the first."""
    try:
        with foreign.opened(weights, what="HDF5 file") as file, h5py.File(file, "r") as read:
            read.visititems(lambda name, item: None)
        done = foreign.read_json(epoch, kind=dict).get("epoch")
    except (foreign.Refused, FileNotFoundError):
        return False
    late = epoch.stat().st_mtime_ns >= weights.stat().st_mtime_ns
    return isinstance(done, int) and (late or not ordered)


def _rows(path: Path) -> list[dict[str, float]]:
    if not os.path.lexists(path):
        return []
    rows = foreign.records(path, kind=list, hint=CURE)
    for row in rows:
        if not isinstance(row, dict) or not all(isinstance(v, float) for v in row.values()):
            raise foreign.Refused(f"{path} does not hold the metrics of epochs. {CURE}")
    return rows


def _best(phase: int, epoch: int | str | None) -> str:
    return f"phase_{phase}.best_{epoch}.weights.h5"


def _columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def write_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights to a `.weights.h5`, whole or not at all, in place of older ones."""
    data = weights_bytes(model)
    with files.new_file(path, overwrite=True) as scratch:
        scratch.write_bytes(data)


def read_weights(
    model: keras.Model, path: Path, *, error: type[Exception] = foreign.Refused, cure: str = CURE
) -> None:
    """Load what `write_weights` wrote, all of it; `error` with the cure where that is not so."""
    with (
        foreign.opened(path, what="file of this model's weights", error=error, hint=cure) as file,
        warnings.catch_warnings(),
    ):
        # Keras warns and leaves random weights where a file lacks a layer
        warnings.simplefilter("error", UserWarning)
        load_weights_bytes(model, file.read())


def refuse_other(
    old: dict[str, Any],
    new: dict[str, Any],
    folder: Path,
    what: str = "run",
    cure: str = "Start again without --resume, or go on with the same.",
) -> None:
    """ValueError, with the first difference, if what a folder holds is not what is asked for."""
    flat_old, flat_new = _flat(old), _flat(new)
    # What was asked for first, since it decides the data
    for key in sorted({*flat_old, *flat_new}, key=lambda key: (key == "data", key)):
        if flat_old.get(key) != flat_new.get(key):
            raise ValueError(
                f"{folder} holds another {what}: its {key} is {flat_old.get(key)!r}, this one's is "
                f"{flat_new.get(key)!r}. {cure}"
            )


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            k: v for key, item in value.items() for k, v in _flat(item, f"{prefix}{key}.").items()
        }
    return {prefix.rstrip("."): value}
