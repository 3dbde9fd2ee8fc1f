"""`attention-zoo train`: from a task or a file to a preset."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from attention_zoo.catalog import MODELS
from attention_zoo.cli.console import err, number, out, resumable, table, to_copy
from attention_zoo.core import foreign, strict_json


def train(
    architecture: Annotated[
        str | None,
        typer.Argument(
            help="A model: see attention-zoo list models. None for the default that suits --data."
        ),
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
    epochs: Annotated[
        int | None, typer.Option(help="Epochs, which the phases of a recipe share.")
    ] = None,
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
    if architecture is not None and recipe is not None or task and architecture is None:
        raise ValueError("Give an ARCHITECTURE or --recipe NAME, one of the two.")
    if normalizer is not None and architecture is None and recipe is None:
        raise ValueError("--normalizer is for a model that is named: give an ARCHITECTURE.")
    if recipe is None and (task is None) == (data is None):
        raise ValueError("Give --task, --data or --recipe, one of the three.")
    need_data(ordered, data)
    of_data: dict[str, Any] = {"kind": kind, "validation_split": validation_split}
    of_data |= {"validation_data": validation_data, "test_data": test_data}
    if data is None:
        _refuse({**of_data, "class_weight": class_weight}, "--data: a task has its own draws")
    else:
        _refuse({"samples": samples, "seeds": seeds}, "the draws of a task")
    if out_ is None:
        raise ValueError("Give --out FOLDER, where the trained model goes.")
    if architecture is not None:
        MODELS.get(architecture)
    files = {"x": data, "validation_data": validation_data, "test_data": test_data}
    for path in filter(None, files.values()):
        need_target(path, target)
    from attention_zoo import training  # Keras, only for the commands that need it
    from attention_zoo.cli.progress import EpochBar
    from attention_zoo.training.overrides import Overrides, with_normalizer

    settings: dict[str, Any] = {"epochs": epochs, "patience": patience, "batch_size": batch_size}
    settings |= {"learning_rate": learning_rate, "seed": seed}
    config: dict[str, Any] = {"attention": attention, "units": units}
    config = {name: value for name, value in config.items() if value is not None}
    config |= _values(option)
    overrides = Overrides(**settings, samples=samples, normalizer=normalizer, config=config)
    if recipe is not None:
        overrides.refuse_beside_recipe()
    # Of several processes that train together one speaks
    first = not distribute or training.is_first()
    bar = EpochBar(architecture or str(recipe or "default"), shown=first)
    options: dict[str, Any] = {"out": out_, "resume": resume, "overwrite": overwrite, "verbose": 0}
    options |= {"distribute": distribute, "callbacks": bar.callbacks}
    state = Path(f"{out_.expanduser()}.training")  # where training keeps it
    with resumable(state, state.is_dir), bar:
        if data is None:
            chosen: Any = recipe
            if architecture is not None:
                chosen = overrides.apply(training.default_recipe(architecture, task))
            result = training.run_recipe(chosen, seeds=seeds, report=err.print, **options)
        else:
            if architecture is not None and normalizer is not None:
                config["attention"] = with_normalizer(architecture, config, normalizer)
            read: dict[str, Any] = {
                name: training.read(path, target=target, kind=kind)
                for name, path in files.items()
                if path is not None
            }
            result = training.train(
                architecture,
                recipe=recipe,
                validation_split=validation_split,
                class_weight=_weights(class_weight, read["x"]),
                ordered=ordered,
                **read,
                **settings,
                **config,
                **options,
            )
    if not first:
        return
    _print_score(result)
    here = out_ if out_.is_absolute() else f"./{out_}"
    again = [] if data is None else ["--data", data, *(["--target", target] if target else [])]
    command = to_copy("attention-zoo", "explain", here, *again)
    out.print(f"\nWritten to {here}. See where it attends: {command}", soft_wrap=True)


def _refuse(options: dict[str, Any], other: str) -> None:
    """ValueError for the first of these options that is there."""
    for name, value in options.items():
        if value:
            raise ValueError(f"--{name.replace('_', '-')} is for {other}. Leave it out.")


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


def _pairs(option: str, texts: list[str] | None, example: str) -> dict[str, str]:
    for one in texts or []:
        if "=" not in one:
            raise ValueError(f"`{option}` must be NAME=VALUE, such as {example}. Received: {one!r}")
    return {name: value for name, _, value in (one.partition("=") for one in texts or [])}


def _values(texts: list[str] | None) -> dict[str, Any]:
    """The arguments of --set, whose values are JSON or else text."""
    values: dict[str, Any] = {}
    for name, value in _pairs("--set", texts, "depth=2").items():
        try:
            values[name] = strict_json.parse(value.encode())
        except ValueError:
            values[name] = value
    return values


def _weights(texts: list[str] | None, data: Any) -> dict[Any, float] | None:
    """The weights of --class-weight, by the labels of the data."""
    labels = {str(label): label for label in (getattr(data, "classes", None) or [])}
    weights = {}
    for label, weight in _pairs("--class-weight", texts, "yes=2").items():
        try:
            weights[labels.get(label, label)] = float(weight)
        except ValueError:
            raise ValueError(
                f"`--class-weight` must be LABEL=NUMBER. Received: {label}={weight}"
            ) from None
    return weights or None


def need_data(ordered: bool, data: Path | None) -> None:
    """ValueError for --ordered without --data."""
    if ordered and data is None:
        raise ValueError("--ordered is for --data: the samples of a task have no order.")


def read_data(
    training: Any,
    data: Path,
    target: str | None,
    kind: str | None,
    architecture: str,
    ordered: bool,
) -> Any:
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
