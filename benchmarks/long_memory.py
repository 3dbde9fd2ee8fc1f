"""Adding and multiplication at many lengths, beside Raffel and Ellis, 2015 (arXiv:1512.08756).

    python -m benchmarks.long_memory            50 to 1,000 steps: some minutes on two cores
    python -m benchmarks.long_memory 10000      one length, kept beside the others
    python -m benchmarks.long_memory --report   the page anew, from the stored JSON

The recipe is that of the presets `dense_after.adding` and `dense_after.multiplication`: 1,000
updates with batches of 100, which is one epoch of theirs.
"""

from __future__ import annotations

import argparse
import json
import math
import time

import keras

from attention_zoo import tasks
from attention_zoo.training import from_task, load_recipe, measure
from attention_zoo.training.fit import fit
from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "long_memory.json"
PAGE = ROOT / "docs" / "long_memory.md"
LENGTHS = (50, 100, 500, 1000)
#: Their epochs of 1,000 updates until 1,000 test sequences are right: attention, and the mean.
PUBLISHED = {
    "adding": {50: ("1", "1"), 100: ("1", "1"), 500: ("1", "1"), 1000: ("1", "2"),
               5000: ("2", "8"), 10000: ("3", "17")},
    "multiplication": {50: ("1", "2"), 100: ("2", "2"), 500: ("4", "8"), 1000: ("2", "33"),
                       5000: ("15", "never"), 10000: ("6", "never")},
}  # fmt: skip


def run(name: str, steps: int) -> dict:
    """Train at one length and measure as they did, on 1,000 sequences."""
    recipe = load_recipe(f"dense_after.{name}").changed(task_config={"steps": steps})
    task = tasks.get(name, steps=steps)
    train = from_task(task, recipe.samples, recipe.seed, "train")
    validation = from_task(task, 100, recipe.seed, "validation")
    start = time.perf_counter()
    model, _ = fit(recipe, train, validation)
    seconds = time.perf_counter() - start
    figures = measure(model, from_task(task, 1000, recipe.seed, "test"))
    updates = sum(p.epochs for p in recipe.phases) * math.ceil(recipe.samples / recipe.batch_size)
    kept = ("accuracy", "mae", "relevance_mass_accuracy")
    return {k: figures[k] for k in kept} | {
        "updates": updates, "seconds": round(seconds), "parameters": model.count_params(),
        "backend": keras.backend.backend(),
    }  # fmt: skip


def page(results: dict) -> str:
    """The table of what was measured, beside what is published."""
    rows = [
        "| task | steps | updates | right to .04 | MAE | RMA | theirs, epochs of 1,000 updates "
        "| theirs, unweighted mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, lengths in results.items():
        for steps, found in sorted(lengths.items(), key=lambda item: int(item[0])):
            published = PUBLISHED[name][int(steps)]
            rows.append(
                f"| {name} | {int(steps):,} | {found['updates']:,} | {found['accuracy']:.4f} "
                f"| {found['mae']:.4f} | {found['relevance_mass_accuracy']:.4f} "
                f"| {published[0]} | {published[1]} |"
            )
    any_run = next(iter(next(iter(results.values())).values()))
    return (
        "# Two numbers in a long series\n\n"
        "Made by `python -m benchmarks.long_memory`, with seed 0: the recipe of\n"
        "`dense_after.adding` and `dense_after.multiplication` at each length, measured on\n"
        "1,000 "
        f"sequences. {any_run['parameters']:,} parameters; theirs has 10,602. RMA, the share of\n"
        "all attention on the two marked steps, they do not report.\n\n" + "\n".join(rows) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.long_memory", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("steps", nargs="*", type=int, default=list(LENGTHS))
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for steps in [] if options.report else options.steps:
        for name in PUBLISHED:
            found = run(name, steps)
            print(name, steps, found, flush=True)
            results.setdefault(name, {})[str(steps)] = found
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            keras.utils.clear_session()
    PAGE.write_text(page(results), "utf-8")


if __name__ == "__main__":
    main()
