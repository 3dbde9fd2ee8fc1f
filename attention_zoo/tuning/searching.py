"""From a question to an answer: the whole of a search."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_zoo.core import checks, files
from attention_zoo.data.dataset import Dataset
from attention_zoo.training.memory import many_models
from attention_zoo.training.run import save_run
from attention_zoo.training.seeding import draws_kept
from attention_zoo.training.study import score_model
from attention_zoo.tuning.assignment import assign, mark_ended
from attention_zoo.tuning.chief import lead, welcome
from attention_zoo.tuning.engine import Engine, unwrapped
from attention_zoo.tuning.folder import BEST, TRIALS, TuningError, alone, claim
from attention_zoo.tuning.place import Place, check_workers, find_place
from attention_zoo.tuning.plan import Plan, make_plan, recipe_of
from attention_zoo.tuning.results import (
    Search,
    TrialResult,
    best_of,
    read_trials,
    signed,
    trial_folder,
    write_tables,
)
from attention_zoo.tuning.trials import Spectator
from attention_zoo.tuning.working import join


@draws_kept()
def tune(
    architecture: str | Sequence[str] | None = None,
    task: str | None = None,
    *,
    data: Dataset | None = None,
    attention: str | Sequence[str] | None = None,
    space: Mapping[str, Any] | None = None,
    initial: Sequence[Mapping[str, Any]] | None = None,
    tuner: str = "random",
    objective: str | Sequence[str] | None = None,
    max_trials: int | None = None,
    max_minutes: float | None = None,
    epochs: int = 20,
    samples: int = 2000,
    executions: int = 1,
    folds: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    keep: int = 1,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    overwrite: bool = False,
    workers: int | None = None,
    role: str | None = None,
    address: str | None = None,
    wait: float = 60.0,
    spectator: Spectator | None = None,
) -> Search:
    """Search for the attention, the model around it and its training that do best.

    The first trial is the plain model, so that what the search gained is known. Points are chosen
    by their figures on validation data; the best is measured on test data that no trial saw.

    Args:
        architecture: a factory's name, or several to search among; by default all that fit.
        task: a task's name, or None for your own data.
        data: your own data, from `training.from_arrays` or `training.read`.
        attention: the attention layers to search among, by name, `"none"` for a model without;
            by default all that fit the architecture.
        space: by full name, such as `"attention/luong/units"`, what replaces a hyperparameter's
            values: one value, a list, a range `(low, high)`, or a KerasTuner hyperparameter.
        initial: points to try right after the default, as dictionaries by full name, such as
            `[search.best.values]` of an earlier search; what they leave out has its default.
        tuner: `"random"`; `"bayesian"` (a Gaussian process, needs the extra `bayesian`);
            `"hyperband"` (many points for a few epochs, the best of which go on); `"grid"`, every
            point; `"nsga2"` (Optuna's, breeds the trade-offs between several objectives, needs the
            extra `pareto`). A space with no more points than trials is searched whole by all but
            Hyperband.
        objective: the figure to search for, see `tuning.OBJECTIVES`, by default `"log_loss"` or
            for a regression `"mse"`; or several, of which the first decides which model is
            returned and, but for `"nsga2"`, what is tried; `Search.pareto` has the trade-offs.
        max_trials: how many points, 20 where no time is given either. A resumed search may be
            given more.
        max_minutes: no trial but the first begins later than this, over all sessions.
        epochs: of each execution, at most.
        samples: training samples of a task; a quarter as many validate.
        executions: how often each point is trained, with another seed each.
        folds: cross-validate data of your own: train each point on all of so many folds but one,
            measure it on that one, for each in turn, and compare the means; the model returned is
            then trained on all of them, for the median of their best epochs. Each fold of ordered
            data follows on what was trained on. None to hold out one part for validation.
        patience: an execution ends after so many epochs without a lower validation loss; by
            default none does. Either way its weights are those of its best epoch.
        seed: of the data, the first execution's weights and the choice of points.
        keep: how many of the best trials' weights stay in the folder; of folds none do.
        out: the folder of the search, which gets `trials.csv`, `epochs.csv`, `trials.json`, and
            the best model as the preset `best`; None to keep nothing.
        resume: go on with the search in the folder, after whatever ended it.
        overwrite: whether a search in the folder may be replaced.
        workers: run the trials in so many further processes of this machine; None for this one.
        role: on many machines, `"chief"` for the process that decides what is tried and returns
            when the search ends, `"worker"` for those that try it, called with the same arguments
            (or see `tuning.work`). By default what KerasTuner's variables `KERASTUNER_TUNER_ID`,
            `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` say, if they are set.
        address: the chief's `"HOST:PORT"`.
        wait: seconds that a chief and its workers wait for each other.
        spectator: is told how it goes on.

    Returns:
        A `Search`, the same however many processes there were, but that what the Bayesian and the
        Hyperband tuner try depends on what has ended by then.

    Raises:
        ValueError: before the first trial, for unknown names (the nearest is suggested), values
            that do not fit, or a folder that holds another search.
        TypeError: for data that are no `Dataset`, such as (x, y).
        FileExistsError: if the folder holds something and may not be replaced.
        tuning.TuningError: if every trial fails, with the first one's error; if another search
            uses the folder; if its state cannot be read.

    Example:

    >>> search = az.tune("dense", "planted_feature", max_trials=2, epochs=1, samples=200,
    ...                  space={"dense/units": [4, 8]})
    >>> len(search.trials), search.default.values["attention"]
    (2, 'feature')
    """
    arguments: dict[str, Any] = {
        "architecture": architecture, "task": task, "data": data, "attention": attention,
        "space": space, "initial": initial, "tuner": tuner, "objective": objective,
        "max_trials": max_trials, "max_minutes": max_minutes, "epochs": epochs, "samples": samples,
        "executions": executions, "folds": folds, "patience": patience, "seed": seed,
    }  # fmt: skip
    checks.boolean("resume", resume)
    checks.boolean("overwrite", overwrite)
    place = _place(workers, role, address, wait, out)
    plan = make_plan(**arguments)
    checks.positive_int("keep", keep)
    if resume and out is None:
        raise ValueError("`resume` needs `out`, the folder of the search that goes on.")
    spectator = spectator or Spectator()
    if place is not None and place.role == "worker":
        folder = Path(os.path.abspath(files.local_path("out", out)))
        join(folder, place, wait, spectator, plan)
        return finish(plan, folder, kept=False)
    with _folder(plan, out, resume=resume, overwrite=overwrite) as folder:
        notes = plan.notes if place is None else (*plan.notes, welcome(place, folder))
        spectator.search_begins(notes)
        engine = Engine(plan.oracle(), plan.trainer, folder / TRIALS, spectator, keep)
        with unwrapped():
            if workers is None and place is None:
                engine.search()
            elif not engine.oracle.spent:
                token = assign(folder, arguments)
                lead(engine, folder, token, spectator, workers=workers, place=place, wait=wait)
                mark_ended(folder)
        return finish(plan, folder, kept=out is not None)


def _place(
    workers: int | None, role: str | None, address: str | None, wait: float,
    out: str | os.PathLike | None,
) -> Place | None:  # fmt: skip
    """Where in a search on many machines this process is; None for a search on this one."""
    checks.positive("wait", wait)
    if workers is not None:
        check_workers(workers)
        if role is not None or address is not None:
            raise ValueError(
                "`workers` starts a chief and workers here; `role` and `address` are for one of "
                "them on each machine. Give one or the other."
            )
        return None
    place = find_place(role, address)
    if place is not None and out is None:
        raise ValueError(f"A {place.role} needs `out`, the folder that all of them share.")
    return place


@contextlib.contextmanager
def _folder(
    plan: Plan, out: str | os.PathLike | None, *, resume: bool, overwrite: bool
) -> Iterator[Path]:
    """The search's folder, held by this process; a passing one where none is wanted."""
    if out is None:
        with tempfile.TemporaryDirectory() as passing:
            claim(Path(passing) / "search", plan.identity(), resume=False, overwrite=False)
            yield Path(passing) / "search"
        return
    folder = Path(os.path.abspath(files.local_path("out", out)))
    claim(folder, plan.identity(), resume=resume, overwrite=overwrite)
    with alone(folder):
        yield folder


def finish(plan: Plan, folder: Path, *, kept: bool) -> Search:
    """Read the trials, measure the best on the test data, and write what is to be kept."""
    trials = read_trials(folder)
    completed = [one for one in trials if one.status == "COMPLETED"]
    if not completed:
        raise TuningError(_all_failed(trials))
    name = plan.trainer.objectives[0]
    best = best_of(completed, name)
    with many_models():
        if plan.trainer.whole is None:
            record = max(best.executions, key=lambda one: signed(name, one["figures"][name]))
            model = plan.trainer.model(best.values, trial_folder(folder, best.trial))
            recipe = recipe_of([record])
        else:
            recipe = recipe_of(best.executions)
            model = plan.trainer.trained_on_all(recipe)
        scores = score_model(model, recipe, plan.test)
    search = Search(
        plan.trainer.objectives, trials, model, scores, plan.notes, folder if kept else None
    )
    if kept:
        from attention_zoo.tuning.pictures import write_pictures  # Matplotlib only when needed

        write_tables(trials, folder)
        save_run(folder / BEST, model, recipe, plan.test, scores, overwrite=True)
        write_pictures(search, folder)
    return search


def _all_failed(trials: Sequence[TrialResult]) -> str:
    if not trials:
        return "No trial was run."
    first = trials[0]
    values = ", ".join(f"{name}={value!r}" for name, value in first.values.items())
    return (
        f"All {len(trials)} trials failed. The error of the first was: {first.error} "
        f"Its values: {values}"
    )
