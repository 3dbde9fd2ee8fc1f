"""The live table of a search's trials."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from rich.live import Live
from rich.table import Table
from rich.text import Text

from attention_zoo.cli.console import err, number
from attention_zoo.core.parsing import printable
from attention_zoo.tuning import SearchCallback, TrialResult

#: The last trials that a screen has room for.
_SHOWN = 15

_COLUMNS = ("trial", "time", "metric", "differs from the default")


def differing(values: dict[str, Any], default: dict[str, Any]) -> str:
    """The values that differ from the default trial's, by the last part of their names where that
    is unique."""
    last = [name.rpartition("/")[2] for name in {**default, **values}]
    changed = {k: v for k, v in values.items() if default.get(k) != v and "tuner/" not in k}
    return (
        ", ".join(
            f"{_shortest(name, last)} {number(value) if isinstance(value, float) else value}"
            for name, value in changed.items()
        )
        or "the default"
    )


def _shortest(name: str, last: list[str]) -> str:
    own = name.rpartition("/")[2]
    return own if last.count(own) == 1 else name


class TrialTable(SearchCallback):
    """A row for each of the last trials, and the epoch of the running one; a line for each trial
    where the output is no terminal. An interruption leaves all trials that ended on the screen."""

    def __init__(self) -> None:
        self.objective = ""
        self.rows: dict[int, list[str]] = {}
        self.ended: set[int] = set()
        self.default: dict[str, Any] = {}
        self.begun: dict[int, float] = {}
        self.live = Live(console=err, refresh_per_second=4, transient=True)

    def __enter__(self) -> TrialTable:
        if err.is_terminal:
            self.live.start()
        return self

    def __exit__(self, kind: type | None, *error: Any) -> None:
        self.live.stop()
        if kind is not None and err.is_terminal and self.ended:
            err.print(self._grid(row for trial, row in self.rows.items() if trial in self.ended))

    def on_search_begin(self, objectives: Sequence[str], notes: Sequence[str]) -> None:
        """Print what was decided for the user."""
        self.objective = objectives[0]
        for note in notes:
            err.print(note)

    def on_trial_begin(self, trial: int, values: dict[str, Any]) -> None:
        """Begin a row."""
        self.default = self.default or values
        self.begun[trial] = time.monotonic()
        self.rows[trial] = [str(trial), "", "", differing(values, self.default)]
        self._draw()

    def on_epoch_end(self, trial: int, execution: int, epoch: int, logs: dict[str, float]) -> None:
        """Show how far the running trial is."""
        metric = f"val_loss {logs['val_loss']:.4f}" if "val_loss" in logs else ""
        again = f"run {execution + 1}, " if execution else ""
        self.rows[trial][1:3] = [f"{again}epoch {epoch + 1}", metric]
        self._draw()

    def on_trial_end(self, result: TrialResult) -> None:
        """Put the trial's result in its row."""
        trial, seconds = result.trial, time.monotonic() - self.begun[result.trial]
        shown = "failed"
        if result.status == "COMPLETED":
            shown = number(result.metrics[self.objective])
        self.rows[trial][1:3] = [f"{seconds:.1f} s", shown]
        self.ended.add(trial)
        if not err.is_terminal:
            what = result.error or self.rows[trial][3]
            err.print(f"trial {trial}: {shown} ({seconds:.1f} s) {' '.join(what.split())}")
        self._draw()

    def _draw(self) -> None:
        if err.is_terminal:
            self.live.update(self._grid(list(self.rows.values())[-_SHOWN:]))

    def _grid(self, rows: Iterable[list[str]]) -> Table:
        cells = [[printable(cell) for cell in row] for row in rows]
        widths = [max(len(row[n]) for row in [*cells, [*_COLUMNS]]) for n in range(3)]
        grid = Table(box=None, pad_edge=False)
        for name, width in zip(_COLUMNS, [*widths, None], strict=True):
            grid.add_column(name, no_wrap=True, min_width=width, overflow="ellipsis")
        # Only what is last may be cut, never a metric
        room = max(1, err.width - sum(widths) - 3)
        for row in cells:
            last = Text(row[3])
            last.truncate(room, overflow="ellipsis")
            grid.add_row(*map(Text, row[:3]), last)
        return grid
