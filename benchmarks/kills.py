"""Saves, trainings and searches that SIGKILL ends at random moments, and that go on.

    python -m benchmarks.kills saves 50
    python -m benchmarks.kills trainings 30
    python -m benchmarks.kills searches 30

A save must leave the old model or the new one, each whole, and the next one must clear what was
left. A training or search that is started again must end with the results of one that nothing
ended: the same weights, or the same trials with the same scores. What was measured is added to the
stored JSON; `python -m benchmarks.untrusted_input --report` writes the page. In the first third of
the time models are built and nothing is written: the moments are drawn from the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attention_zoo as az
from attention_zoo.training import make_recipe, run_recipe
from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "kills.json"
_RECIPE = {
    "architecture": "gru", "task": "planted_step", "samples": 300, "validation": 100,
    "task_config": {"steps": 7, "index": 3}, "config": {"units": 5}, "batch_size": 20,
    "phases": [{"epochs": 8}, {"epochs": 8}],
}  # fmt: skip


def saves(out: Path) -> None:
    """Two models in turn, each in place of the other."""
    models = [az.build("dense", input_shape=(5,), units=units) for units in (3, 7)]
    for turn in range(6):
        az.save(models[turn % 2], out, overwrite=True)


def trainings(out: Path) -> None:
    """Two phases of a small model."""
    run_recipe(make_recipe(_RECIPE), out=out, resume=True)


def searches(out: Path) -> None:
    """Four points of a small space."""
    az.tune(
        "dense", "planted_feature", max_trials=4, epochs=2, samples=300, out=out, resume=True
    )  # fmt: skip


WORK: dict[str, Callable[[Path], None]] = {
    "saves": saves, "trainings": trainings, "searches": searches,
}  # fmt: skip


def loads(out: Path) -> None:
    """Whether a whole model is there, and answers as when it was saved."""
    az.load(out, verify=True)


def start(work: Callable[[Path], None], out: Path) -> int:
    """A process that does the work: its number. It has imported all, and computed nothing."""
    number = os.fork()
    if number:
        return number
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        work(out)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def done(work: Callable[[Path], None], out: Path) -> bool:
    """Whether a process that does the work ends well."""
    return os.waitpid(start(work, out), 0)[1] == 0


def result(kind: str, out: Path) -> Any:
    """What must be the same whether the work was ended in between or not."""
    if kind == "saves":
        return None
    if kind == "searches":
        trials = json.loads((out / "trials.json").read_text("utf-8"))
        return [[one["trial"], one["values"], one["status"], one["metrics"]] for one in trials]
    return hashlib.sha256((out / "model.weights.h5").read_bytes()).hexdigest()


def run(kind: str, seconds: float, expected: Any, seed: int) -> dict[str, Any]:
    """End the work at a random moment, and go on with it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "it"
        moment = random.Random(seed).uniform(0.3, 1) * seconds
        process = start(WORK[kind], out)
        time.sleep(moment)
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        there = any(Path(folder).iterdir())
        whole = kind != "saves" or not out.exists() or done(loads, out)
        equal = whole and done(WORK[kind], out) and result(kind, out) == expected
        if kind == "saves":
            equal = equal and done(loads, out)
        left = sorted(path.name for path in Path(folder).iterdir() if path != out)
        return {
            "killed": os.WIFSIGNALED(status), "at": round(moment, 2), "of": round(seconds, 2),
            "something was there": there, "equal": equal, "left behind": left,
        }  # fmt: skip


def stored() -> dict[str, list[dict[str, Any]]]:
    """What was measured before."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kills", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("kind", choices=WORK)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    kind = options.kind
    # Twice: the first time fills the caches of compilers and of the disk
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            if not done(WORK[kind], Path(folder) / "it"):
                sys.exit(f"{kind} do not end well even where nothing kills them")
            seconds = time.perf_counter() - begun
            expected = result(kind, Path(folder) / "it")
    while True:
        runs = stored().get(kind, [])
        # Some end by themselves before their moment comes, some before anything is written
        if sum(one["killed"] and one["something was there"] for one in runs) >= options.count:
            break
        found = run(kind, seconds, expected, seed=len(runs))
        print(kind, len(runs), found, flush=True)
        # Read again, since another kind may be measured meanwhile
        results = stored()
        results.setdefault(kind, []).append(found)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
