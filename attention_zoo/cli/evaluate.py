"""`attention-zoo evaluate`: a preset on samples that were not used in training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from attention_zoo.cli.console import number, out, table
from attention_zoo.cli.options import Json, Preset, Target
from attention_zoo.cli.train import need_target
from attention_zoo.presets.folder import read_card


def evaluate(
    name: Preset,
    data: Annotated[
        Path | None, typer.Option(help="Your own .npz or .csv, in place of its task.")
    ] = None,
    target: Target = None,
    samples: Annotated[int, typer.Option(help="How many samples to draw of its task.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The seed of the draw.")] = 1000,
    as_json: Json = False,
) -> None:
    """Measure a preset on fresh samples of its task, or on your own data, beside its card."""
    quantity = read_card(name).kind == "regression"
    if data is not None:
        need_target(data, target)
    from attention_zoo import training  # Keras, only for the commands that need it

    dataset = None
    if data is not None:
        # Integers would be taken for classes
        dataset = training.read(data, target=target, kind="regression" if quantity else None)
    result = training.evaluate(name, data=dataset, samples=samples, seed=seed)
    if as_json:
        out.print_json(json.dumps(result._asdict()))
        return
    rows = [
        [key.replace("_", " "), number(result.card.get(key)), number(value)]
        for key, value in result.measured.items()
    ]
    # The user's own samples may be those that it was trained on
    which = "fresh samples" if data is None else f"samples of {data}"
    the = "" if data is None else "the "
    table(f"{name} on {the}{result.samples} {which}", ["", "card", "now"], rows, {1, 2})
