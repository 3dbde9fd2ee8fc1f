"""`attention-zoo tune`: a search for the attention and the model that do best."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Annotated, Any

import typer

from attention_zoo.catalog import MODELS
from attention_zoo.cli.console import number, out, resumable, table, to_copy
from attention_zoo.cli.train import need_data, read_data


def tune(
    architecture: Annotated[
        list[str] | None,
        typer.Argument(help="Models to search among, see attention-zoo list models; default all."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="A synthetic task.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Your own .npz (arrays x, y, optionally mask) or .csv.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column of the .csv to predict.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="binary, multiclass or regression, if y misleads.")
    ] = None,
    attention: Annotated[
        list[str] | None, typer.Option(help="An attention layer to try, or none; repeatable.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="NAME=VALUE, NAME=[A, B] or NAME=(LOW, HIGH) for a hyperparameter."
        ),
    ] = None,
    initial: Annotated[
        list[Path] | None,
        typer.Option(help="The folder of an earlier search: try its best point early; repeatable."),
    ] = None,
    tuner: Annotated[
        str, typer.Option(help="random, bayesian, hyperband, grid, tpe, gp or nsga2.")
    ] = "random",
    objective: Annotated[
        list[str] | None, typer.Option(help="The metric to search for; repeatable.")
    ] = None,
    max_trials: Annotated[int | None, typer.Option(help="How many trials; 20 by default.")] = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="No trial begins later than this.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of each training, at most.")] = 20,
    samples: Annotated[int, typer.Option(help="Training samples of a task.")] = 2000,
    executions: Annotated[int, typer.Option(help="How often each point is trained.")] = 1,
    folds: Annotated[
        int | None, typer.Option(help="Cross-validate your own data with so many folds.")
    ] = None,
    ordered: Annotated[
        bool, typer.Option("--ordered", help="Samples are in the order of time: test on the last.")
    ] = False,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without improvement.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of data, weights and choices.")] = 0,
    keep_best: Annotated[
        int, typer.Option(help="The weights of so many of the best trials stay on disk.")
    ] = 1,
    out_: Annotated[Path | None, typer.Option("--out", help="The folder to write.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Run trials in so many processes of this machine.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="The address of a Dask scheduler, tcp://HOST:PORT.")
    ] = None,
) -> None:
    """Search among models, attention layers and their hyperparameters, and keep the best."""
    if out_ is None:
        raise ValueError("Give --out FOLDER, where the search and its best model go.")
    if [task, data].count(None) != 1:
        raise ValueError("Give --task or --data, one of the two.")
    need_data(ordered, data)
    for name in architecture or ():
        MODELS.get(name)
    space = dict(_assigned(text) for text in set_ or ())
    import attention_zoo as az  # Keras, only for the commands that need it
    from attention_zoo import training
    from attention_zoo.cli.trial_table import TrialTable

    dataset = None
    if data is not None:
        # A table's rows become series where every architecture is for those
        dataset = read_data(training, data, target, kind, _for_table(architecture), ordered=ordered)
    points = [az.tuning.best_values(folder) for folder in initial or ()]
    begun = (out_.expanduser() / "search.json").is_file
    with resumable(out_, begun), TrialTable() as callback:
        search = az.tune(
            architecture or None,
            task,
            data=dataset,
            attention=attention or None,
            space=space,
            initial=points,
            tuner=tuner,
            objective=objective or None,
            max_trials=max_trials,
            max_minutes=max_minutes,
            epochs=epochs,
            samples=samples,
            executions=executions,
            folds=folds,
            patience=patience,
            seed=seed,
            keep_best=keep_best,
            out=out_,
            resume=resume,
            overwrite=overwrite,
            workers=workers,
            scheduler=scheduler,
            callback=callback,
        )
    _report(search, out_)


def _for_table(architecture: list[str] | None) -> str:
    """The architecture that decides how a table is read."""
    return "dense" if not architecture or "dense" in architecture else architecture[0]


def _assigned(text: str) -> tuple[str, Any]:
    """`name=value` as a name and a Python value; a bare word is text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--set must be NAME=VALUE, such as gru/units=[8,16]. Received: {text!r}")
    try:
        return name.strip(), ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        return name.strip(), _words(value.strip())


def _words(value: str) -> str | list[str]:
    """A word, or the words of a list that were not quoted: a shell takes the quotes away."""
    if value.startswith("[") and value.endswith("]"):
        return [word.strip() for word in value[1:-1].split(",")]
    return value


def _report(search: Any, folder: Path) -> None:
    from attention_zoo.cli.trial_table import differing

    name = search.objectives[0]
    failed = [one for one in search.trials if one.status == "FAILED"]
    rows = [
        [str(one.trial), number(one.metrics[name]), differing(one.values, search.default.values)]
        for one in sorted(search.completed, key=lambda one: one.trial)
    ]
    best = search.best
    table(f"{len(search.trials)} trials", ["trial", name, "differs from the default"], rows, {0, 1})
    if failed:
        out.print(f"{len(failed)} failed, the first ({failed[0].trial}): {failed[0].error}")
    gain = ""
    if search.default.status == "COMPLETED":
        gain = f", the default's is {number(search.default.metrics[name])}"
    out.print(f"\nBest: trial {best.trial}, {name} {number(best.metrics[name])}{gain} (validation)")
    rows = [[key.replace("_", " "), number(value)] for key, value in search.scores.items()]
    table("The best model on test samples that no trial saw", ["", ""], rows, {1})
    here = folder if folder.is_absolute() else f"./{folder}"
    pictures = ", ".join(path.name for path in sorted(folder.glob("*.png")))
    out.print(f"\nWritten to {here}: trials.csv, epochs.csv, trials.json, {pictures}")
    command = to_copy("attention-zoo", "show", f"{here}/best")
    out.print(f"The best model is a preset: {command}", soft_wrap=True)
