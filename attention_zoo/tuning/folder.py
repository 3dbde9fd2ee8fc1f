"""The folder of a search: whose it is, and that one search at a time writes to it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attention_zoo.core import files, foreign
from attention_zoo.training.backup import refuse_other

#: The version of the folder's layout.
FORMAT = 1

MANIFEST, LOCK, TRIALS, BEST = "search.json", "search.lock", "trials", "best"


class TuningError(RuntimeError):
    """A search that cannot go on: the message says why and what to do."""


def claim(folder: Path, search: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
    """Make a folder that of a search, or see that it is already.

    Args:
        folder: the folder of the search.
        search: what the search is, as plain values: what decides its trials.
        resume: go on where there is a search; it must be the same.
        overwrite: replace a search that is there; another folder is never replaced.

    Raises:
        FileExistsError: if there is a search and neither is allowed, or other files.
        ValueError: if the search that is there is another; the difference is named.
        TuningError: if its state cannot be read, or another process uses it.
    """
    wanted = _plain(search)
    path = folder / MANIFEST
    if os.path.lexists(folder / LOCK):
        with alone(folder):  # a search that runs is not replaced
            pass
    if path.exists() and resume:
        refuse_other(read_state(path), wanted, folder, "search")
        check_state(folder)
        return
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{folder} holds a search. Go on with it (--resume, resume=True), or replace it "
            "(--overwrite, overwrite=True)."
        )
    if folder.exists() and not path.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds other files, not a search: it is kept as it is.")
    with files.new_folder(folder, overwrite=True) as scratch:
        (scratch / MANIFEST).write_text(json.dumps(wanted, indent=1) + "\n", "utf-8")


def same_search(folder: Path, search: dict[str, Any]) -> None:
    """ValueError, with the difference, if a worker would search for something else than the
    folder's chief."""
    cure = "Give a worker what its chief was given."
    refuse_other(read_state(folder / MANIFEST), _plain(search), folder, "search", cure)


def _plain(search: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({"format": FORMAT, **search}))


def check_state(folder: Path) -> None:
    """TuningError, with the cure, for a state file that is empty or torn, and for anything in the
    folder that is neither a file nor a folder."""
    foreign.plain_folder(folder, error=TuningError)
    trials = folder / TRIALS
    for path in [trials / "oracle.json", *sorted(trials.glob("trial_*/*.json"))]:
        if path.exists():
            read_state(path)


def read_state(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a search; TuningError, with the cure, where there is none."""
    return foreign.records(path, kind=dict, error=TuningError, cure=cure_of(path))


def cure_of(path: Path) -> str:
    """What to do about a broken file of a search."""
    if path.name == "trial.json":
        return f"Remove the folder {path.parent}: the search goes on without that trial."
    if path.parent.name.startswith("trial_"):
        return "Remove it: what it held is done again."
    return "Bring it back from a copy, or begin again with overwrite."


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds the folder for this process; TuningError if another one has it.

    The lock is the system's, so that it is gone with the process, however that ends.
    """
    with foreign.open_for_writing(folder / LOCK, error=TuningError) as file:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TuningError(
                f"{folder} is in use by another search. Wait until it ends, or choose another "
                "folder."
            ) from None
        yield
