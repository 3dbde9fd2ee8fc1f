"""`attention-zoo train`: from a task or a file to a preset."""

from __future__ import annotations

import contextlib
import csv
import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from attention_zoo.catalog import MODELS
from attention_zoo.cli.console import err, number, out, resumable, table, to_copy
from attention_zoo.core import checks, foreign


def train(
    architecture: Annotated[
        str | None, typer.Argument(help="A model: see attention-zoo list models.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Remake a pretrained model: see attention-zoo list recipes.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="A synthetic task to train on.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Your own .npz (arrays x, y and optionally mask) or .csv."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column of the .csv to predict.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="binary, multiclass or regression, if y misleads.")
    ] = None,
    ordered: Annotated[
        bool, typer.Option("--ordered", help="Samples are in the order of time: test on the last.")
    ] = False,
    out_: Annotated[Path | None, typer.Option("--out", help="The folder to write.")] = None,
    attention: Annotated[str | None, typer.Option(help="An attention layer by name.")] = None,
    normalizer: Annotated[
        str | None, typer.Option(help="softmax, sparsemax, entmax15, ...")
    ] = None,
    units: Annotated[int | None, typer.Option(help="The width of the hidden layers.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs, in one phase.")] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after so many epochs without improvement, at the best one."),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Training samples of a task.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of data and weights.")] = None,
    seeds: Annotated[
        int, typer.Option(help="Also train this many seeds, with controls, for the card.")
    ] = 0,
    distribute: Annotated[
        bool, typer.Option("--distribute", help="Share each batch among all devices.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Train a model, measure it on held-out samples, and write it as a preset."""
    counts = {
        "epochs": epochs, "patience": patience, "samples": samples, "batch_size": batch_size
    }  # fmt: skip
    for name, value in counts.items():
        checks.positive_int(name, value, none=True)
    if (architecture is None) == (recipe is None):
        raise ValueError("Give an ARCHITECTURE or --recipe NAME, one of the two.")
    if [task, data, recipe].count(None) != 2:
        raise ValueError("Give --task, --data or --recipe, one of the three.")
    need_data(ordered, data)
    if out_ is None:
        raise ValueError("Give --out FOLDER, where the trained model goes.")
    from attention_zoo import training  # Keras, only for the commands that need it
    from attention_zoo.cli.progress import EpochBar

    dataset = None
    if recipe is not None:
        plan = training.load_recipe(recipe)
    else:
        MODELS.get(str(architecture))
        if data is not None:
            dataset = read_data(training, data, target, kind, str(architecture), ordered=ordered)
        known = (dataset.kind, len(dataset.x)) if dataset else ()
        plan = training.default_recipe(str(architecture), task, *known)
    plan = _changed(plan, attention, normalizer, units, epochs, samples, batch_size, seed)
    # Of several processes that train together one speaks
    first = not distribute or training.is_first()
    bar = EpochBar(plan, shown=first)
    state = Path(f"{out_.expanduser()}.training")  # where training.train keeps it
    with resumable(state, state.is_dir), bar:
        run = training.train(
            plan, data=dataset, out=out_, seeds=seeds, patience=patience, resume=resume,
            overwrite=overwrite, distribute=distribute, callbacks=bar.callbacks, report=err.print,
        )  # fmt: skip
    if not first:
        return
    rows = [[key.replace("_", " "), number(value)] for key, value in run.scores.items()]
    table(f"On {len(run.test.x)} held-out samples", ["", ""], rows, {1})
    here = out_ if out_.is_absolute() else f"./{out_}"
    again = [] if data is None else ["--data", data, *(["--target", target] if target else [])]
    command = to_copy("attention-zoo", "explain", here, *again)
    out.print(f"\nWritten to {here}. See where it looks: {command}", soft_wrap=True)


def need_data(ordered: bool, data: Path | None) -> None:
    """ValueError for --ordered without --data."""
    if ordered and data is None:
        raise ValueError("--ordered is for --data: the samples of a task have no order.")


def read_data(
    training: Any, data: Path, target: str | None, kind: str | None, architecture: str, *,
    ordered: bool,
) -> Any:  # fmt: skip
    """The user's file as an architecture takes it: a table's rows are series of one feature to
    those that are not for tables."""
    need_target(data, target)
    dataset = training.read(data, target=target, kind=kind, ordered=ordered)
    if architecture != "dense" and dataset.x.ndim == 2:
        if data.suffix.lower() != ".csv":
            raise ValueError(
                f"{architecture!r} needs x of shape (samples, time, features). "
                f"Received: {dataset.x.shape}"
            )
        return dataset.as_series()
    return dataset


def need_target(data: Path, target: str | None) -> None:
    """ValueError for a .csv without --target, with its columns where they can be read."""
    if data.suffix.lower() != ".csv" or target is not None:
        return
    columns = ""
    unreadable = contextlib.suppress(OSError, ValueError)
    with unreadable, foreign.opened(data, what="CSV file", links=True) as file:
        header = next(csv.reader([file.readline(foreign.JSON_LIMIT).decode("utf-8-sig")]), [])
        columns = f" Its columns: {foreign.shown(', '.join(header[:30]), most=1000)}"
    raise ValueError(f"A .csv needs --target COLUMN, the column to predict.{columns}")


def _changed(
    recipe: Any, attention: str | None, normalizer: str | None, units: int | None,
    epochs: int | None, samples: int | None, batch_size: int | None, seed: int | None,
) -> Any:  # fmt: skip
    """The recipe with what was asked for on the command line."""
    config = dict(recipe.config)
    if units is not None:
        config["units"] = units
    if attention is not None:
        config["attention"] = {"class_name": attention, "config": {}}
    if normalizer is not None:
        factory = inspect.signature(MODELS.get(recipe.architecture))
        chosen = config.get("attention") or factory.parameters["attention"].default
        chosen = {"class_name": chosen} if isinstance(chosen, str) else chosen
        arguments = {**(chosen.get("config") or {}), "normalizer": normalizer}
        config["attention"] = {"class_name": chosen["class_name"], "config": arguments}
    values: dict[str, Any] = {"config": config}
    if epochs is not None:
        values["phases"] = [{**recipe.phases[0].model_dump(), "epochs": epochs}]
    elif attention is not None:
        values["phases"] = [{**phase.model_dump(), "attention": {}} for phase in recipe.phases]
    wanted = {"samples": samples, "batch_size": batch_size, "seed": seed}
    values.update({name: value for name, value in wanted.items() if value is not None})
    return recipe.changed(**values)
