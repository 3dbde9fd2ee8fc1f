"""How the shell command prints."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from attention_zoo.core.parsing import printable


class _Safe(Console):
    """A console that escapes all text: names of files, columns and layers come from anywhere."""

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        """Escape every string that Rich renders."""
        return super().render_str(printable(text), **options)

    def print_json(self, json: str | None = None, **options: Any) -> None:  # type: ignore[override]
        """Print JSON, whose own escapes are kept."""
        super().print_json(json, **{**options, "ensure_ascii": True})


out = _Safe(highlight=False, markup=False, emoji=False)
err = _Safe(stderr=True, highlight=False, markup=False, emoji=False)

#: On a narrower terminal a whole name would leave no room for the other columns.
_NARROW = 70


def complain(message: str) -> None:
    """Write one line to the error stream."""
    sys.stderr.write(f"attention-zoo: {printable(' '.join(message.split()))}\n")


class Interrupted(Exception):
    """Ctrl-C; the message says what was saved."""


@contextlib.contextmanager
def resumable(folder: Path, begun: Callable[[], bool]) -> Iterator[None]:
    """Say after Ctrl-C that the command can be resumed from the folder, if it has begun there."""
    try:
        yield
    except KeyboardInterrupt:
        if not begun():
            raise
        raise Interrupted(
            f"Interrupted. The progress is saved in {folder}: go on with the same command and "
            "--resume."
        ) from None


def to_copy(*words: object) -> str:
    """Return the words as a line for the shell, quoted where they need it."""
    texts = [str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)


def table(
    title: str, columns: list[str], rows: list[list[str]], right: Collection[int] = ()
) -> None:
    """Print a plain table."""
    # Not the table's own title, which is broken at the table's width
    out.print(Text(printable(title), style="bold"))
    grid = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        grid.add_column(
            printable(column),
            justify="right" if number in right else "left",
            overflow="fold",
            # A name that is cut in two can be neither copied nor searched for
            no_wrap=number == 0 and out.width >= _NARROW,
        )
    for row in rows:
        grid.add_row(*[Text(printable(cell)) for cell in row])
    out.print(grid)


def number(value: float | None) -> str:
    """Return a number with the digits that mean something."""
    return "" if value is None else f"{value:.4g}"
