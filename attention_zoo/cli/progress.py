"""Progress bars; importing them imports no Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from attention_zoo.cli.console import err
from attention_zoo.core.parsing import printable


class EpochBar(Progress):
    """One bar for all phases of a recipe, with the validation scores of the last epoch."""

    def __init__(self, recipe: Any, *, shown: bool = True):
        super().__init__(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[scores]}"), console=err,
            transient=True,
            disable=not (shown and err.is_terminal),
        )  # fmt: skip
        self.recipe = recipe
        total = sum(phase.epochs for phase in recipe.phases)
        self.bar = self.add_task(f"training {recipe.architecture}", total=total, scores="")

    def callbacks(self, phase: int) -> Sequence[Any]:
        """Return the callback that moves the bar in a phase."""
        import keras

        before = sum(p.epochs for p in self.recipe.phases[:phase])

        def moved(epoch: int, logs: Any) -> None:
            shown = {k: v for k, v in (logs or {}).items() if k.startswith("val_")}
            scores = " ".join(f"{k[4:]} {v:.4f}" for k, v in shown.items())
            self.update(self.bar, completed=before + epoch + 1, scores=scores)

        return [keras.callbacks.LambdaCallback(on_epoch_end=moved)]


@contextlib.contextmanager
def steps(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar over named steps: call it with a name, how many are done, of how many."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err,
        transient=True, disable=not err.is_terminal,
    ) as progress:  # fmt: skip
        bar = progress.add_task(what)

        def moved(name: str, done: int, total: int) -> None:
            progress.update(
                bar, description=escape(printable(f"{what} {name}")), completed=done, total=total
            )

        yield moved
