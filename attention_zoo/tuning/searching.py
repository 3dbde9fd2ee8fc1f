"""`tune`: plan a search, run it, and save what it found."""

from __future__ import annotations

import contextlib
import os
import tempfile
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_zoo.core import checks, files
from attention_zoo.data.dataset import Dataset
from attention_zoo.training.memory import many_models
from attention_zoo.training.run import save_run
from attention_zoo.training.seeding import draws_kept
from attention_zoo.training.study import score_model
from attention_zoo.tuning.folder import BEST, TuningError, claim, locked, read_trials, read_weights
from attention_zoo.tuning.loop import SearchCallback, SearchLoop
from attention_zoo.tuning.objectives import signed
from attention_zoo.tuning.plan import Plan, make_plan
from attention_zoo.tuning.results import Search, best_of, write_tables
from attention_zoo.tuning.trials import best_recipe, model_of, train_on_all
from attention_zoo.tuning.workers import check_workers, open_workers


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
    keep_best: int = 1,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    overwrite: bool = False,
    workers: int | None = None,
    scheduler: Any = None,
    callback: SearchCallback | None = None,
) -> Search:
    """Search for the attention, the model around it and its training that do best.

    The first trial is the plain model, so that what the search gained is known. Points are chosen
    by their metrics on validation data; the best is measured on test data that no trial saw.

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
        tuner: KerasTuner's `"random"`, `"bayesian"` (a Gaussian process, slow in many dimensions,
            needs the extra `sklearn`), `"hyperband"` (many points for a few epochs, the best of
            which go on) or `"grid"`, every point; or Optuna's `"tpe"`, `"gp"` (a Gaussian process,
            needs PyTorch) or `"nsga2"` (breeds the trade-offs between several objectives), with
            the extra `optuna`. A space with no more points than trials is searched whole by all
            but Hyperband.
        objective: the metric to search for, see `tuning.OBJECTIVES`, by default `"log_loss"` or
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
        keep_best: of so many trials the weights stay in the folder; of folds none do.
        out: the folder of the search, which gets `trials.csv`, `epochs.csv`, `trials.json`, and
            the best model as the preset `best`; None to keep nothing.
        resume: go on with the search in the folder, after whatever ended it.
        overwrite: whether a search in the folder may be replaced.
        workers: run the trials in so many further processes of this machine; None for this one.
        scheduler: run them on a Dask cluster that exists: the address of its scheduler, such as
            `"tcp://host:8786"`, or a `distributed.Client`. See docs/distributing.md.
        callback: is told how it goes on.

    Returns:
        A `Search`. With several workers `"random"` and `"grid"` try the same points as with one;
        what the others try depends on what has ended by then.

    Raises:
        ValueError: before the first trial, for unknown names (the nearest is suggested), values
            that do not fit, or a folder that holds another search.
        TypeError: for data that are no `Dataset`, such as (x, y).
        FileExistsError: if the folder holds something and may not be replaced.
        ImportError: if a package is missing, with the extra that has it.
        tuning.TuningError: if every trial fails, with the first one's error; if another search
            uses the folder; if its state cannot be read; if the scheduler is gone.

    Example:

    >>> search = az.tune("dense", "planted_feature", max_trials=2, epochs=1, samples=200,
    ...                  space={"dense/units": [4, 8]})
    >>> len(search.trials), search.default.values["attention"]
    (2, 'feature')
    """
    asked = types.SimpleNamespace(**locals())
    checks.boolean("resume", resume)
    checks.boolean("overwrite", overwrite)
    check_workers(workers, scheduler)
    plan = make_plan(asked)
    if resume and out is None:
        raise ValueError("`resume` needs `out`, the folder of the search that goes on.")
    callback = callback or SearchCallback()
    with _folder(plan) as folder, tempfile.TemporaryDirectory() as temporary:
        loop = SearchLoop(plan, folder, callback, keep_best, temporary)
        if not loop.is_over():
            with open_workers(workers, scheduler, plan.data, callback.on_epoch_end) as pool:
                callback.on_search_begin(plan.data.objectives, (*plan.notes, *pool.notes))
                loop.run(pool)
        return _finish(plan, folder)


@contextlib.contextmanager
def _folder(plan: Plan) -> Iterator[Path]:
    """The search's folder, held by this process; a temporary one where none is wanted."""
    asked = plan.asked
    with contextlib.ExitStack() as stack:
        if asked.out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "search"
        else:
            folder = Path(os.path.abspath(files.local_path("out", asked.out)))
        claim(folder, plan.identity(), resume=asked.resume, overwrite=asked.overwrite)
        stack.enter_context(locked(folder))
        yield folder


def _finish(plan: Plan, folder: Path) -> Search:
    """Read the trials, measure the best on the test data, and write what is to be kept."""
    trials = read_trials(folder)
    completed = [one for one in trials if one.status == "COMPLETED"]
    if not completed:
        raise TuningError(_all_failed(trials))
    name = plan.data.objectives[0]
    best = best_of(completed, name)
    with many_models():
        if plan.data.whole is None:
            record = max(best.executions, key=lambda one: signed(name, one["metrics"][name]))
            recipe = best_recipe([record])
            model = model_of(recipe, plan.data, read_weights(folder, best.trial))
        else:
            recipe = best_recipe(best.executions)
            model = train_on_all(recipe, plan.data)
        scores = score_model(model, recipe, plan.test)
    kept = plan.asked.out is not None
    search = Search(
        plan.data.objectives, trials, model, scores, plan.notes, folder if kept else None
    )
    if kept:
        from attention_zoo.tuning.pictures import write_pictures  # Matplotlib only when needed

        write_tables(trials, folder)
        save_run(folder / BEST, model, recipe, plan.test, scores, overwrite=True)
        write_pictures(search, folder)
    return search


def _all_failed(trials: Sequence[Any]) -> str:
    if not trials:
        return "No trial was run."
    first = trials[0]
    values = ", ".join(f"{name}={value!r}" for name, value in first.values.items())
    return (
        f"All {len(trials)} trials failed. The error of the first was: {first.error} "
        f"Its values: {values}"
    )
