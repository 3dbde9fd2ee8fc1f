"""`attention-zoo migrate`: a model of Keras 2 for Keras 3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attention_zoo.cli.console import out
from attention_zoo.cli.options import Overwrite


def migrate(
    old: Annotated[Path, typer.Argument(help="An .h5 or .keras file that Keras 2 saved.")],
    new: Annotated[Path, typer.Argument(help="The .keras file to write.")],
    reference: Annotated[
        Path | None, typer.Option("--reference", help="An .npz file of x and the old outputs y.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert a model with the old packages' attention; no code from it runs."""
    from attention_zoo import compat

    out.print(compat.migrate(old, new, reference=reference, overwrite=overwrite).report)
