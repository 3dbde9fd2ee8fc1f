"""What the Bayesian tuner proposes, beside KerasTuner's own proposals and random ones.

    python -m benchmarks.proposals              everything; what is in the JSON is not run again
    python -m benchmarks.proposals --summary    the table alone, of what is in the JSON

Functions whose least value is 0 take the place of training, so that nothing but the choice of
points differs: a bowl in four dimensions, Hartmann's function of six, a bowl in ten, and one over
eight entries of the table of knobs, whose choices and conditions a bowl does not have. KerasTuner's
proposals go through the same oracle as ours: the same first points, and a random one for one tried
before. Seconds are the processor's, the median over the proposals that are not random: set
OMP_NUM_THREADS=1, else they count threads that wait. KerasTuner's take half an hour in all.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner
import numpy as np

from attention_zoo.tuning.assembling import make_space
from attention_zoo.tuning.knobs import Entry, Knob
from attention_zoo.tuning.oracles import Steady, make_oracle
from attention_zoo.tuning.space import SearchSpace
from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "proposals.json"

TRIALS = 25

#: Of as many searches of each kind.
SEEDS = range(0, 8000, 1000)
TUNERS = ("ours", "KerasTuner", "random")


class KerasTuners(Steady, keras_tuner.oracles.BayesianOptimizationOracle):
    """KerasTuner's way to the best point of its process."""


def cube(dimensions: int) -> SearchSpace:
    """Numbers between 0 and 1, whose defaults are no good."""
    own = keras_tuner.engine.hyperparameters.Float
    entries = {
        name: Entry(name, Knob(name, 0.05), own=own(name, 0.0, 1.0, default=0.05))
        for name in (f"x{number}" for number in range(dimensions))
    }
    return SearchSpace((), entries, {})


def bowl(values: Mapping[str, Any]) -> float:
    """The squared distance from a place that is no corner."""
    places = np.array(list(values.values()))
    return float(np.sum((places - np.linspace(0.2, 0.8, len(places))) ** 2))


def hartmann(values: Mapping[str, Any]) -> float:
    """Hartmann's function of six dimensions, which has six local minima, from its least value."""
    heights = np.array([1.0, 1.2, 3.0, 3.2])
    widths = np.array([
        [10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14],
    ])  # fmt: skip
    places = 1e-4 * np.array([
        [1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381],
    ])  # fmt: skip
    x = np.array(list(values.values()))
    return float(3.32237 - heights @ np.exp(-np.sum(widths * (x - places) ** 2, axis=1)))


def table() -> SearchSpace:
    """Part of the table of knobs: what is not listed has its default."""
    kinds = ["temporal", "pooling", "none"]
    free = ("attention", "attention/normalizer", "attention/pooling/score",
            "attention/pooling/hops", "attention/pooling/units", "dense_after/units",
            "dense_after/dropout", "learning_rate")  # fmt: skip
    entries = make_space(["dense_after"], kinds).entries
    fixed = {name: entry.default for name, entry in entries.items() if name not in free}
    return make_space(["dense_after"], kinds, fixed)


def knobs(values: Mapping[str, Any]) -> float:
    """One over that part: a kind of attention, some of its own knobs, and the rest."""
    found = abs(np.log10(values["learning_rate"] / 3e-3)) + abs(values["dense_after/dropout"] - 0.2)
    found += abs(np.log2(values["dense_after/units"] / 32)) / 4
    found += {"sparsemax": 0.0, "entmax15": 0.1}.get(str(values.get("attention/normalizer")), 0.3)
    if values["attention"] == "pooling":
        return float(found + abs(values["attention/pooling/hops"] - 2) / 4)
    return float(found + 0.3 + 0.2 * (values["attention"] == "temporal"))


FUNCTIONS: dict[str, tuple[SearchSpace, Callable[[Mapping[str, Any]], float]]] = {
    "bowl, 4": (cube(4), bowl),
    "Hartmann, 6": (cube(6), hartmann),
    "bowl, 10": (cube(10), bowl),
    "table of knobs": (table(), knobs),
}


def oracle(tuner: str, space: SearchSpace, seed: int) -> Steady:
    """What proposes."""
    kind = {"ours": "bayesian", "random": "random"}.get(tuner)
    if kind is not None:
        return make_oracle(
            kind, space, ["log_loss"], max_trials=TRIALS, max_seconds=None, epochs=1, seed=seed
        )
    found = KerasTuners(
        keras_tuner.Objective("log_loss", "min"), max_trials=TRIALS,
        num_initial_points=max(3, TRIALS // 3), seed=seed + 1,
    )  # fmt: skip
    found.searched = space
    return found


def search(name: str, tuner: str, seed: int) -> dict[str, Any]:
    """The value of every trial of a search, and the median of the seconds of a proposal."""
    space, function = FUNCTIONS[name]
    asked = oracle(tuner, space, seed)
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    asked.update_space(hp)
    values, seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        asked._set_project_dir(folder, "search")
        for number in range(TRIALS):
            begun = time.process_time()
            trial = asked.create_trial("tuner0")
            if number >= max(3, TRIALS // 3):
                seconds.append(time.process_time() - begun)
            values.append(function(trial.hyperparameters.values))
            asked.update_trial(trial.trial_id, {"log_loss": values[-1]})
            trial.status = "COMPLETED"
            asked.end_trial(trial)
    return {"best": min(values), "seconds": statistics.median(seconds), "values": values}


def table_of(results: Mapping[str, Any]) -> list[str]:
    """The lines of a table with a row for each function and tuner."""
    lines = [
        "| function | proposals | best found, mean ± sd | least and most | seconds each |",
        "|---|---|---|---|---|",
    ]
    for name, tuner in itertools.product(FUNCTIONS, TUNERS):
        runs = [results[key] for s in SEEDS if (key := f"{name}/{tuner}/{s}") in results]
        if len(runs) > 1:
            best = [run["best"] for run in runs]
            cells = [
                name, tuner, f"{statistics.mean(best):.3f} ± {statistics.stdev(best):.3f}",
                f"{min(best):.3f} to {max(best):.3f}",
                f"{statistics.median(run['seconds'] for run in runs):.2g}",
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def section() -> list[str]:
    """What the page of searches says of the Bayesian tuner's proposals; nothing before a run."""
    if not RESULTS.exists():
        return []
    return [
        "## The Bayesian tuner's proposals",
        "",
        f"`python -m benchmarks.proposals`: {TRIALS} trials of functions whose least value is 0, "
        f"over {len(SEEDS)} seeds, by our proposals, by KerasTuner's own of the same process, and "
        "at random. Seconds are the processor's.",
        "",
        *table_of(json.loads(RESULTS.read_text("utf-8"))),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.proposals", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--summary", action="store_true", help="measure nothing")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    if not options.summary:
        for seed, name, tuner in itertools.product(SEEDS, FUNCTIONS, TUNERS):
            key = f"{name}/{tuner}/{seed}"
            if key not in results:
                results[key] = search(name, tuner, seed)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print("\n".join(table_of(results)))


if __name__ == "__main__":
    main()
