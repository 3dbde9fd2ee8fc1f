"""What a run writes: its state while it lasts, and its preset at the end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import keras

from attention_zoo.core import files, foreign
from attention_zoo.data.dataset import Dataset
from attention_zoo.presets.save import save
from attention_zoo.training.recipe import Recipe

#: What the folder of an interrupted run holds.
_STATE = {"run", "study"}


def state_folder(out: Path | None, resume: bool, overwrite: bool, *, writes: bool) -> Path | None:
    """The folder beside `out` for the state of a run, made by the process that writes.

    Raises:
        FileExistsError: for a preset or a state that is there and may not be replaced, and for
            anything else.
    """
    if out is None:
        return None
    out = Path(os.path.abspath(out))
    state = out.with_name(f"{out.name}.training")
    if not writes:
        return state
    files.refuse_existing(out, overwrite=overwrite)
    if state.is_symlink() or (state.exists() and not state.is_dir()):
        raise FileExistsError(f"{state} is no folder, and is kept as it is.")
    foreign.plain_folder(state)
    if state.exists() and not {path.name for path in state.iterdir()} <= _STATE:
        raise FileExistsError(f"{state} holds other files than a run's, and is kept as it is.")
    if state.exists() and not resume:
        if not overwrite:
            raise FileExistsError(
                f"{state} holds an interrupted run. Go on with it (--resume, resume=True), or "
                "replace it (--overwrite, overwrite=True)."
            )
        shutil.rmtree(state)
    state.mkdir(parents=True, exist_ok=True)
    return state


def save_run(
    out: Path,
    model: keras.Model,
    recipe: Recipe,
    examples: Dataset,
    score: dict[str, float],
    study: dict[str, Any] | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a trained model as a preset, with what its card says of recipe, data and score."""
    about: dict[str, Any] = {
        "recipe": recipe.model_dump(),
        "kind": None if examples.heads else recipe.kind,
        "scores": score,
        "study": study,
        "classes": None if examples.heads else examples.classes,
        "names": examples.names,
        "published": recipe.published,
        "limits": recipe.limits,
    }
    if recipe.task is None:
        about["provenance"] = "trained by attention-zoo on the owner's data"
    else:
        about["license"] = "Apache-2.0"
        about["provenance"] = (
            f"trained by attention-zoo on draws of its synthetic task {recipe.task!r}; "
            "no other data"
        )
    return Path(save(model, out, examples=examples.x, about=about, overwrite=overwrite))
