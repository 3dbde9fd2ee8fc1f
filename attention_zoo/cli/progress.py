"""Progress bars; importing them imports no Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from attention_zoo.cli.console import err
from attention_zoo.core.parsing import printable


def _columns() -> list[ProgressColumn]:
    return [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]


class EpochBar(Progress):
    """One bar for each phase of a training, with the validation metrics of the last epoch."""

    def __init__(self, name: str, *, shown: bool = True):
        columns = [TimeRemainingColumn(), TextColumn("{task.fields[metrics]}")]
        hidden = not (shown and err.is_terminal)
        super().__init__(*_columns(), *columns, console=err, transient=True, disable=hidden)
        self.bar = self.add_task(f"training {name}", total=None, metrics="")

    def callbacks(self, phase: int) -> Sequence[Any]:
        """Return the callback that moves the bar in a phase."""
        import keras

        def moved(epoch: int, logs: Any) -> None:
            shown = {k: v for k, v in (logs or {}).items() if k.startswith("val_")}
            metrics = " ".join(f"{k[4:]} {v:.4f}" for k, v in shown.items())
            total = callback.params.get("epochs")
            self.update(self.bar, completed=epoch + 1, total=total, metrics=metrics)

        callback = keras.callbacks.LambdaCallback(on_epoch_end=moved)
        return [callback]


@contextlib.contextmanager
def steps(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar over named steps: call it with a name, how many are done, of how many."""
    hidden = not err.is_terminal
    with Progress(*_columns(), console=err, transient=True, disable=hidden) as progress:
        bar = progress.add_task(what)

        def moved(name: str, done: int, total: int) -> None:
            progress.update(
                bar, description=escape(printable(f"{what} {name}")), completed=done, total=total
            )

        yield moved
