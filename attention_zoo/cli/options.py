"""Arguments that several commands share."""

from typing import Annotated

import typer

Preset = Annotated[str, typer.Argument(help="A preset's name or folder.")]
Model = Annotated[str, typer.Argument(help="A preset's name or folder, or a .keras file.")]
Target = Annotated[str | None, typer.Option(help="The column of the .csv to predict.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
