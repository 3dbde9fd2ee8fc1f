"""`attention-zoo train`: from a task or a file to a preset."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from attention_zoo.catalog import MODELS
from attention_zoo.cli.console import err, number, out, resumable, table, to_copy
from attention_zoo.core import checks, foreign, strict_json


def train(
    architecture: Annotated[
        str | None, typer.Argument(help="A model: see attention-zoo list models.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="Remake a pretrained model (attention-zoo list recipes), or a .json."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="A synthetic task to train on.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Your own .npz (arrays x, y and optionally mask) or .csv; all of it."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column of the .csv to predict.")] = None,
    validation_data: Annotated[
        Path | None, typer.Option(help="A file like --data, to validate on in each epoch.")
    ] = None,
    validation_split: Annotated[
        float, typer.Option(help="The share of --data that validates and does not train.")
    ] = 0.0,
    test_data: Annotated[
        Path | None, typer.Option(help="A file like --data, to measure the trained model on.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="binary, multiclass or regression, if y misleads.")
    ] = None,
    ordered: Annotated[
        bool,
        typer.Option("--ordered", help="Samples are in the order of time: the last validate."),
    ] = False,
    length: Annotated[
        int | None, typer.Option(help="Windows of a .csv of series: steps of the past in each.")
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Of windows: steps to forecast.")] = None,
    stride: Annotated[int, typer.Option(help="Of windows: steps from one to the next.")] = 1,
    time: Annotated[str | None, typer.Option(help="Of windows: the column of times.")] = None,
    group: Annotated[str | None, typer.Option(help="Of windows: which series a row is of.")] = None,
    past: Annotated[
        list[str] | None, typer.Option(help="Of windows: an input column. Repeatable.")
    ] = None,
    known: Annotated[
        list[str] | None, typer.Option(help="Of windows: an input known ahead. Repeatable.")
    ] = None,
    calendar: Annotated[
        list[str] | None, typer.Option(help="Of windows: hour, weekday, month, ... Repeatable.")
    ] = None,
    out_: Annotated[Path | None, typer.Option("--out", help="The folder to write.")] = None,
    attention: Annotated[str | None, typer.Option(help="An attention layer by name.")] = None,
    normalizer: Annotated[
        str | None, typer.Option(help="softmax, sparsemax, entmax15, ...")
    ] = None,
    units: Annotated[int | None, typer.Option(help="The width of the hidden layers.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another argument of the model, as depth=2. Repeatable."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs, in one phase.")] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after so many epochs without improvement, at the best one."),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Training samples of a task.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam.")] = None,
    class_weight: Annotated[
        list[str] | None, typer.Option(help="How much a class counts, as yes=2. Repeatable.")
    ] = None,
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
    """Train a model, measure it on what is held out, and write it as a preset."""
    counts = {
        "epochs": epochs, "patience": patience, "samples": samples, "batch_size": batch_size
    }  # fmt: skip
    for name, value in counts.items():
        checks.positive_int(name, value, none=True)
    if (architecture is None) == (recipe is None):
        raise ValueError("Give an ARCHITECTURE or --recipe NAME, one of the two.")
    if recipe is None and (task is None) == (data is None):
        raise ValueError("Give --task, --data or --recipe, one of the three.")
    need_data(ordered, data)
    if out_ is None:
        raise ValueError("Give --out FOLDER, where the trained model goes.")
    if architecture is not None:
        MODELS.get(architecture)
    files = {"x": data, "validation_data": validation_data, "test_data": test_data}
    for path in filter(None, files.values()):
        need_target(path, target)
    from attention_zoo import training  # Keras, only for the commands that need it
    from attention_zoo.cli.progress import EpochBar

    given: dict[str, Any]
    columns = {"time": time, "group": group, "past": past, "known": known, "calendar": calendar}
    if length is not None or horizon is not None or any(columns.values()):
        sizes = {"length": length, "horizon": horizon, "stride": stride}
        given = _windows(data, target, validation_split, **sizes, **columns)
        validation_split = 0.0
    else:
        given = {
            name: None if path is None else training.read(path, target=target, kind=kind)
            for name, path in files.items()
        }
    given |= {"attention": attention, "units": units, **_values(option)}
    given = {name: value for name, value in given.items() if value is not None}
    # Of several processes that train together one speaks
    first = not distribute or training.is_first()
    bar = EpochBar(architecture or str(recipe), shown=first)
    state = Path(f"{out_.expanduser()}.training")  # where training.train keeps it
    with resumable(state, state.is_dir), bar:
        result = training.train(
            architecture, recipe=recipe, task=task, validation_split=validation_split, **counts,
            learning_rate=learning_rate, class_weight=_weights(class_weight, given.get("x")),
            ordered=ordered, seed=seed, normalizer=normalizer, out=out_, seeds=seeds,
            resume=resume, overwrite=overwrite, distribute=distribute, callbacks=bar.callbacks,
            report=err.print, **given,
        )  # fmt: skip
    if not first:
        return
    _print_score(result)
    here = out_ if out_.is_absolute() else f"./{out_}"
    if length is not None:
        out.print(f"\nWritten to {here}.", soft_wrap=True)
        return
    again = [] if data is None else ["--data", data, *(["--target", target] if target else [])]
    command = to_copy("attention-zoo", "explain", here, *again)
    out.print(f"\nWritten to {here}. See where it looks: {command}", soft_wrap=True)


def _windows(data: Any, target: str | None, share: float, **options: Any) -> dict[str, Any]:
    """The windows of a file, the last share of the time to validate on."""
    if data is None or options["length"] is None or options["horizon"] is None:
        raise ValueError("Windows need --data FILE.csv, --length and --horizon.")
    from attention_zoo.data.windowing import windows

    found = windows(data, target, **options)
    if not share:
        return {"x": found}
    x, validation = found.split(validation=share)
    return {"x": x, "validation_data": validation}


def _print_score(result: Any) -> None:
    """The metrics beside those of the baseline, and a warning where they are worse."""
    if result.score is None:
        out.print("Not measured: give --test-data, --validation-data or --validation-split.")
        return
    other = result.baseline.score
    rows = [
        [key.replace("_", " "), number(value), number(other.get(key))]
        for key, value in result.score.items()
    ]
    title = f"On {len(result.held_out)} {result.scored_on} samples"
    table(title, ["", "model", f"baseline: {result.baseline.name}"], rows, {1, 2})
    if result.worse_than_baseline:
        out.print("The model is worse than the baseline.")


def _pairs(option: str, given: list[str] | None, example: str) -> dict[str, str]:
    for one in given or []:
        if "=" not in one:
            raise ValueError(f"`{option}` must be NAME=VALUE, such as {example}. Received: {one!r}")
    return {name: value for name, _, value in (one.partition("=") for one in given or [])}


def _values(given: list[str] | None) -> dict[str, Any]:
    """The arguments of --set, whose values are JSON or else text."""
    found: dict[str, Any] = {}
    for name, value in _pairs("--set", given, "depth=2").items():
        try:
            found[name] = strict_json.parse(value.encode())
        except ValueError:
            found[name] = value
    return found


def _weights(given: list[str] | None, data: Any) -> dict[Any, float] | None:
    """The weights of --class-weight, by the labels of the data."""
    labels = {str(label): label for label in (getattr(data, "classes", None) or [])}
    found = {}
    for label, weight in _pairs("--class-weight", given, "yes=2").items():
        try:
            found[labels.get(label, label)] = float(weight)
        except ValueError:
            raise ValueError(
                f"`--class-weight` must be LABEL=NUMBER. Received: {label}={weight}"
            ) from None
    return found or None


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
