"""What a search finds, by each way to choose points, beside the plain model: equal trials for all.

    python -m benchmarks.searches               everything; what is in the JSON is not run again
    python -m benchmarks.searches breast        the subjects whose names begin so
    python -m benchmarks.searches --report      the page alone

Writes benchmarks/searches.json and docs/searches.md.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import statistics
import time
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.workers import RESULTS as WORKERS
from benchmarks.workers import summary

#: What the page has of a backend's runs with workers, in its columns' order.
_WORKERS = (
    "two workers over one process", "two workers over fit", "search over fit, seconds",
    "cores of one process", "cores of two workers",
)  # fmt: skip

RESULTS, PAGE = ROOT / "benchmarks" / "searches.json", ROOT / "docs" / "searches.md"

TUNERS = ("random", "bayesian", "hyperband", "tpe")
SEEDS = (0, 1, 2)
#: Trials of each search, the default among them, and epochs of a trial at most.
TRIALS, EPOCHS = 8, 8
#: What is searched: the arguments of `az.tune`, and the figure that is compared on test samples.
SUBJECTS: dict[str, tuple[dict[str, Any], str]] = {
    "planted_step, lstm_after": (
        {
            "architecture": "lstm_after",
            "task": "planted_step",
            "samples": 500,
            # Those that take several times longer are left out
            "space": {
                "lstm_after/units": [32, 16],
                "lstm_after/depth": 1,
                "lstm_after/bidirectional": False,
            },
        },
        "log_loss",
    ),
    "breast cancer, dense": ({"architecture": "dense"}, "log_loss"),
    "JapaneseVowels": ({"architecture": ["lstm_after", "gru"]}, "log_loss"),
    "ArrowHead": ({"architecture": ["lstm_after", "gru"]}, "log_loss"),
}


def data_of(subject: str) -> Any:
    """The training samples of a subject that is no task."""
    import numpy as np
    from sklearn.datasets import load_breast_cancer

    import attention_zoo as az

    if subject.startswith("breast"):
        x, y = load_breast_cancer(return_X_y=True)
        return az.training.from_arrays(np.float32(x), y)
    from benchmarks.real_sets import SETS

    return SETS[subject].load()[0]


def arguments_of(subject: str, seed: int) -> dict[str, Any]:
    """The arguments of `az.tune` that all searches of a subject have."""
    known = SUBJECTS[subject][0]
    data = {} if "task" in known else {"data": data_of(subject)}
    return {**known, **data, "epochs": EPOCHS, "seed": seed}


@functools.cache
def default(subject: str, seed: int) -> Any:
    """A search of the default alone."""
    import attention_zoo as az

    return az.tune(**arguments_of(subject, seed), max_trials=1)


def search(subject: str, tuner: str, seed: int) -> dict[str, Any]:
    """One search: its trials, and its best beside its default, on validation and on test, and what
    the best one has that the default has not."""
    import keras

    import attention_zoo as az

    figure, plain = SUBJECTS[subject][1], default(subject, seed)
    begun = time.perf_counter()
    found = az.tune(**arguments_of(subject, seed), tuner=tuner, max_trials=TRIALS)
    return {
        "backend": keras.backend.backend(),
        "seconds": time.perf_counter() - begun,
        "epochs": sum(len(e["history"]["loss"]) for one in found.trials for e in one.executions),
        "trials": len(found.trials),
        "failed": len(found.trials) - len(found.completed),
        "default, validation": plain.best.metrics[figure],
        "best, validation": found.best.metrics[figure],
        "default, test": plain.scores[figure],
        "best, test": found.scores[figure],
        "changed": {
            name: value
            for name, value in found.best.values.items()
            if not name.startswith("tuner/") and plain.best.values.get(name) != value
        },
    }


def page(results: dict[str, Any]) -> str:
    """The page of the results."""
    backends = sorted({run["backend"] for run in results.values()})
    lines = [
        "# What a search finds",
        "",
        "<!-- Written by `python -m benchmarks.searches`. -->",
        "",
        f"Each search has {TRIALS} trials of {EPOCHS} epochs at most, and is run with as many of "
        f"the seeds {', '.join(map(str, SEEDS))} as the last column says ({', '.join(backends)}, "
        "one process, one thread, on a busy machine, so that only the log losses compare); the "
        "default model is its first trial, trained for as many epochs. On planted_step the LSTM "
        "has one layer of 16 or 32 units. Hyperband spends most of its trials on a few epochs "
        "each. Log loss, mean ± standard deviation over the seeds: less is better. A subject or "
        "tuner that is not in the table was not measured again since the space changed. The best "
        "was chosen on the validation samples, so that only the test column "
        "compares fairly. `python -m benchmarks.searches` makes this page.",
        "",
        "| subject | tuner | epochs | seconds | failed | default, validation | best, validation | "
        "default, test | best, test | better on test |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for subject, tuner in itertools.product(SUBJECTS, TUNERS):
        runs = [results[key] for s in SEEDS if (key := f"{subject}/{tuner}/{s}") in results]
        if not runs:
            continue
        figures = [
            _spread([run[f"{which}, {part}"] for run in runs])
            for part in ("validation", "test")
            for which in ("default", "best")
        ]
        spent = (
            " to ".join(f"{f([run[name] for run in runs]):.0f}" for f in (min, max))
            for name in ("epochs", "seconds")
        )
        failed = str(sum(run["failed"] for run in runs))
        won = sum(run["best, test"] < run["default, test"] for run in runs)
        cells = [subject, tuner, *spent, failed, *figures, f"{won} of {len(runs)} seeds"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *_found(results)]
    if WORKERS.exists():
        lines += ["", *_workers(json.loads(WORKERS.read_text("utf-8")))]
    return "\n".join([*lines, ""])


def _found(results: dict[str, Any]) -> list[str]:
    """What the best points have that the default has not, a row a search."""
    lines = [
        "## What was found",
        "",
        "The best point of each search, as far as it differs from the default model.",
        "",
        "| subject | tuner | seed | best, test | differs from the default |",
        "|---|---|---|---|---|",
    ]
    for subject, tuner, seed in itertools.product(SUBJECTS, TUNERS, SEEDS):
        run = results.get(f"{subject}/{tuner}/{seed}")
        if run is None:
            continue
        knobs = ", ".join(f"`{k}` {_short(v)}" for k, v in run["changed"].items())
        lines.append(
            f"| {subject} | {tuner} | {seed} | {run['best, test']:.4f} | {knobs or 'nothing'} |"
        )
    return lines


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def stored() -> dict[str, Any]:
    """The results so far."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def _workers(found: dict[str, Any]) -> list[str]:
    rows = []
    for backend, runs in sorted(found["runs"].items()):
        said = summary(runs)
        cells = [backend, str(runs[0]["trials"]), *(f"{said[name]:.2f}" for name in _WORKERS)]
        rows.append(f"| {' | '.join(cells)} |")
    return [
        "## Two workers, and the overhead of a search",
        "",
        "The same trials by one process, by two workers, and by plain `fit` calls, from the first "
        f"one's begin to the last one's end, on {found['cores']} cores. One process computes on "
        "more than one core by itself, which leaves less to win: the number of cores over those it "
        "keeps busy, but for PyTorch, whose second thread gains little in a small model while two "
        "workers have one each. JAX compiles each model once more to measure it. "
        "`python -m benchmarks.workers --trials 20 --rounds 1` measures it, for each backend.",
        "",
        "| backend | trials | two workers over one process, trials a minute | two workers over "
        "fit calls | a search over fit calls, seconds | cores of one process | cores of two "
        "workers |",
        f"|{'---|' * 7}",
        *rows,
        *_memory(found.get("memory", {})),
    ]


def _memory(found: dict[str, list[float]]) -> list[str]:
    if not found:
        return []
    parts = [(n + 1, n + 10) for n in range(0, min(map(len, found.values())), 10)]
    return [
        "",
        "## Memory",
        "",
        "The resident memory of a search's process in MB, the most after any of these trials "
        f"(`python -m benchmarks.workers --memory {parts[-1][1]}`, for each backend). It holds the "
        "last two models for further trainings of the same shape, which differ in size from trial "
        "to trial; what JAX compiled is let go after every fifth trial.",
        "",
        f"| backend | {' | '.join(f'{first} to {last}' for first, last in parts)} |",
        f"|---|{'---|' * len(parts)}",
        *(
            f"| {name} | "
            + " | ".join(f"{max(megabytes[first - 1 : last]):.0f}" for first, last in parts)
            + " |"
            for name, megabytes in sorted(found.items())
        ),
    ]


def _spread(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.searches", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("subject", nargs="*", help=f"some of: {'; '.join(SUBJECTS)}")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    wanted = [s for s in SUBJECTS if s.startswith(tuple(options.subject) or "")]
    for seed, subject, tuner in itertools.product(SEEDS, wanted, TUNERS):
        key = f"{subject}/{tuner}/{seed}"
        if options.report or key in stored():
            continue
        found = search(subject, tuner, seed)
        print(key, found, flush=True)
        # Another process may be at another subject
        RESULTS.write_text(json.dumps(stored() | {key: found}, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(stored()), "utf-8")


if __name__ == "__main__":
    main()
