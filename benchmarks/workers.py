"""A search in one process, beside two workers, beside plain `fit` calls of the same trials.

    python -m benchmarks.workers                A B C A B C, each in a process of its own
    python -m benchmarks.workers --trials 20 --epochs 10 --rounds 3
    python -m benchmarks.workers --memory 30    what one process has after each of so many trials
    python -m benchmarks.workers --loop 2000    trials a second of the process that decides, while
                                                1,000 workers answer at once

Each under the backend that Keras has here, whose results replace those of an earlier run.

Trials a minute are counted from the first trial's begin to the last one's end; `whole` is with the
start of the processes and the measuring of the best. CPU seconds are those of a run with its
children, in which a busy machine shows less. Each run says how busy the machine was before it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "workers.json"
KINDS = ("fit", "one", "two")


def once(kind: str, trials: int, epochs: int, recipes: Path) -> dict[str, Any]:
    """One run, in this process."""
    import keras

    import attention_zoo as az
    from attention_zoo.training import fit as fitting
    from attention_zoo.training.study import datasets

    class Clock(az.tuning.SearchCallback):
        times: list[float] = []

        def on_trial_begin(self, trial, values):
            self.times.append(time.perf_counter())

        def on_trial_end(self, result):
            self.times.append(time.perf_counter())

    watching, begun, used = Clock(), time.perf_counter(), cpu()
    if kind == "fit":
        known = [az.training.make_recipe(one) for one in json.loads(recipes.read_text())]
        train, validation, _ = datasets(known[0])
        used = cpu()  # the search's data are drawn before its first trial as well
        for recipe in known:
            watching.on_trial_begin(0, {})
            fitting.fit(recipe, train, validation)
            keras.utils.clear_session()
            watching.on_trial_end(None)
        trained = cpu() - used
    else:
        found = az.tune(
            "gru", "planted_step", max_trials=trials, epochs=epochs, samples=1000,
            workers=2 if kind == "two" else None, callback=watching,
        )  # fmt: skip
        trained = cpu() - used
        if kind == "one":
            recipes.write_text(json.dumps([one.executions[0]["recipe"] for one in found.trials]))
    seconds = watching.times[-1] - watching.times[0]
    return {
        "kind": kind, "trials": trials, "epochs": epochs, "backend": keras.backend.backend(),
        "trials a minute": 60 * trials / seconds, "seconds": seconds,
        "whole": time.perf_counter() - begun, "CPU seconds": trained,
    }  # fmt: skip


def memory(trials: int) -> list[float]:
    """The resident memory of a search's process in MB, after each of its trials."""
    import attention_zoo as az

    found = []

    class Scale(az.tuning.SearchCallback):
        def on_trial_end(self, result):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            found.append(pages * resource.getpagesize() / 2**20)
            print(f"{len(found)}: {found[-1]:.0f} MB", flush=True)

    az.tune(
        "gru", "planted_step", max_trials=trials, epochs=2, samples=1000, callback=Scale(),
    )  # fmt: skip
    return found


class Instant:
    """1,000 workers whose trials take no time, with 50 kB of weights each."""

    capacity, notes = 1000, ()

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def submit(self, trial: Any, done: Any) -> None:
        self.waiting.append(trial)

    def events(self) -> Any:
        from attention_zoo.tuning.trials import Execution
        from attention_zoo.tuning.workers import Ended

        trial = self.waiting.pop(0)
        recipe = trial.recipes[0].model_dump()
        losses = [1 / (trial.number + n + 1) for n in range(20)]
        record = {
            "seed": 0, "recipe": recipe, "seconds": 1.0, "best_epochs": [1],
            "history": {"loss": losses, "val_loss": losses},
            "metrics": {"log_loss": (trial.number * 7919 % 1009) / 1009, "accuracy": 0.5},
        }  # fmt: skip
        yield trial.number, Execution(record, bytes(50_000))
        yield trial.number, Ended()


def loop(tuner: str, trials: int) -> dict[str, Any]:
    """Trials a second of the processor by the process of the search, and its seconds to go on."""
    import attention_zoo as az
    from attention_zoo.tuning.folder import claim
    from attention_zoo.tuning.loop import SearchCallback, SearchLoop
    from attention_zoo.tuning.plan import make_plan

    known = {name: one.default for name, one in inspect.signature(az.tune).parameters.items()}
    known |= {"architecture": "gru", "task": "planted_step", "samples": 100}
    plan = make_plan(types.SimpleNamespace(**known | {"tuner": tuner, "max_trials": trials}))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as passing:
        folder = Path(one) / "search"
        claim(folder, plan.identity(), resume=False, overwrite=False)
        begun = time.process_time()
        pool: Any = Instant()
        SearchLoop(plan, folder, SearchCallback(), 1, passing).run(pool)
        seconds = time.process_time() - begun
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as again:
            SearchLoop(plan, folder, SearchCallback(), 1, again)
        return {
            "tuner": tuner, "trials": trials, "trials a second": trials / seconds,
            "seconds to go on": time.process_time() - begun,
        }  # fmt: skip


def cpu() -> float:
    """The CPU seconds of this process and of its children that ended."""
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in each)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="TRIALS", help="measure memory alone")
    parser.add_argument("--loop", type=int, metavar="TRIALS", help="measure the loop alone")
    parser.add_argument("--once", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--recipes", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(json.dumps(once(options.once, options.trials, options.epochs, options.recipes)))
        return
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if options.loop:
        stored["loop"] = [loop(name, options.loop) for name in ("random", "hyperband", "tpe")]
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
        print(json.dumps(stored["loop"], indent=1))
        return
    if options.memory:
        import keras

        megabytes = memory(options.memory)
        stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        stored.setdefault("memory", {})[keras.backend.backend()] = megabytes
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
        return
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for kind in ("one", "two", "fit"):
                load = os.getloadavg()[0]
                command = [
                    sys.executable, "-m", "benchmarks.workers", "--once", kind,
                    "--trials", str(options.trials), "--epochs", str(options.epochs),
                    "--recipes", f"{folder}/recipes.json",
                ]  # fmt: skip
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                runs.append({**json.loads(done.stdout.splitlines()[-1]), "load before": load})
                print(runs[-1], flush=True)
    stored.setdefault("runs", {})[runs[0]["backend"]] = runs
    RESULTS.write_text(json.dumps({**stored, "cores": os.cpu_count()}, indent=1) + "\n")
    print(json.dumps(summary(runs), indent=1))


def summary(runs: list[dict[str, Any]]) -> dict[str, float]:
    """What the runs of a backend say, by their medians."""

    def median(kind: str, name: str) -> float:
        return statistics.median(run[name] for run in runs if run["kind"] == kind)

    def busy(kind: str) -> float:
        return statistics.median(
            run["CPU seconds"] / run["seconds"] for run in runs if run["kind"] == kind
        )

    return {
        "two workers over one process": median("two", "trials a minute")
        / median("one", "trials a minute"),
        "two workers over fit": median("two", "trials a minute") / median("fit", "trials a minute"),
        "search over fit, seconds": median("one", "seconds") / median("fit", "seconds"),
        "cores of one process": busy("one"),
        "cores of two workers": busy("two"),
        "load before, median": statistics.median(run["load before"] for run in runs),
    }


if __name__ == "__main__":
    main()
