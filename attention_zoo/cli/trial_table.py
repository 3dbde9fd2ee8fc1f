"""The live table of a search's trials; importing it imports no search."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.table import Table
from rich.text import Text

from attention_zoo.cli.console import err, number
from attention_zoo.core import foreign
from attention_zoo.core.parsing import printable
from attention_zoo.tuning.trials import Spectator

#: The last trials that a screen has room for.
_SHOWN = 15


def unlike(values: dict[str, Any], default: dict[str, Any]) -> str:
    """The values that differ from the default trial's, by the last part of their names where that
    says enough."""
    last = [name.rpartition("/")[2] for name in {**default, **values}]
    changed = {k: v for k, v in values.items() if default.get(k) != v and "tuner/" not in k}
    return ", ".join(
        f"{_shortest(name, last)} "
        f"{number(value) if isinstance(value, float) else value}"
        for name, value in changed.items()
    ) or "the default"  # fmt: skip


def _shortest(name: str, last: list[str]) -> str:
    own = name.rpartition("/")[2]
    return own if last.count(own) == 1 else name


class TrialLines(Spectator):
    """A line for each trial that a worker runs; how it ended is for its chief to say."""

    def __init__(self) -> None:
        self.begun = 0.0

    def trial_begins(self, trial: str, values: dict[str, Any]) -> None:
        """Take the time."""
        self.begun = time.monotonic()

    def trial_ends(self, trial: str) -> None:
        """Print it."""
        err.print(f"trial {int(trial)}: {time.monotonic() - self.begun:.1f} s")


class TrialTable(Spectator):
    """A row for each of the last trials, and the epoch of the running one; a line for each where
    nobody looks on."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows: dict[str, list[str]] = {}
        self.default: dict[str, Any] = {}
        self.begun: dict[str, float] = {}
        self.live = Live(console=err, refresh_per_second=4, transient=True)

    def __enter__(self) -> TrialTable:
        if err.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.live.stop()

    def search_begins(self, notes: Sequence[str]) -> None:
        """Print what was decided for the user."""
        for note in notes:
            err.print(note)

    def trial_begins(self, trial: str, values: dict[str, Any]) -> None:
        """Begin a row."""
        self.default = self.default or values
        self.begun[trial] = time.monotonic()
        # KerasTuner pads it to the digits of the budget
        self.rows[trial] = [str(int(trial)), "", "", unlike(values, self.default)]
        self._draw()

    def epoch_ends(self, trial: str, execution: int, epoch: int, logs: dict[str, float]) -> None:
        """Show how far the running trial is."""
        figure = f"val_loss {logs['val_loss']:.4f}" if "val_loss" in logs else ""
        again = f"run {execution + 1}, " if execution else ""
        self.rows[trial][1:3] = [f"{again}epoch {epoch + 1}", figure]
        self._draw()

    def trial_ends(self, trial: str) -> None:
        """Put the trial's result in its row."""
        path = next(self.folder.glob(f"trials/trial_{trial}/trial.json"))
        state = foreign.records(path)
        seconds = time.monotonic() - self.begun[trial]
        result = number(state["score"]) if state["status"] == "COMPLETED" else "failed"
        self.rows[trial][1:3] = [f"{seconds:.1f} s", result]
        if not err.is_terminal:
            what = state["message"] or self.rows[trial][3]
            err.print(f"trial {int(trial)}: {result} ({seconds:.1f} s) {' '.join(what.split())}")
        self._draw()

    def _draw(self) -> None:
        if not err.is_terminal:
            return
        grid = Table(box=None, pad_edge=False)
        for name in ("trial", "time", "figure", "unlike the default"):
            grid.add_column(name, no_wrap=True, overflow="ellipsis")
        for row in list(self.rows.values())[-_SHOWN:]:
            grid.add_row(*[Text(printable(cell)) for cell in row])
        self.live.update(grid)
