"""Run the races, A B A B, and write what came out.

    python -m benchmarks                    everything: about an hour on two cores
    python -m benchmarks additive band      the cases whose names begin so
    python -m benchmarks --report           the table and the pictures anew, from the stored JSON

An interrupted run goes on where it was: a case that is in the JSON is not run again, unless
`--again` is given.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.cases import AXES, BACKENDS, CASES, GROWTH, Side
from benchmarks.environments import ROOT, interpreter, variables

RESULTS = ROOT / "benchmarks" / "results.json"


def measure(side: Side, folder: Path) -> dict[str, Any]:
    """One process of one side."""
    command = [str(interpreter(side.environment, folder)), "-W", "ignore", "-m", "benchmarks.work",
               side.work, json.dumps(side.arguments), repr(time.time())]  # fmt: skip
    done = subprocess.run(
        command, env=variables(side.environment), capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [str(done.returncode)])[-1][:300]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median and the spread over all runs of a side."""
    errors = [run["error"] for run in runs if "error" in run]
    if errors:
        return {"error": errors[0]}
    times = [seconds for run in runs for seconds in run["times"]]
    found = {"seconds": statistics.median(times), "least": min(times), "most": max(times)}
    if "memory" in runs[0]:
        found["memory"] = statistics.median(run["memory"] for run in runs)
    return found | {k: v for k, v in runs[0].items() if k in ("accuracy", "samples")}


def race(sides: dict[str, Side], rounds: int, folder: Path) -> dict[str, Any]:
    """Both sides in turn, `rounds` times."""
    runs: dict[str, list] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            runs[name].append(measure(side, folder))
    return {name: summary(found) for name, found in runs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="the first letters of cases; all by default")
    parser.add_argument("--rounds", type=int, default=2, help="processes of each side")
    parser.add_argument("--again", action="store_true", help="also what was measured before")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--environments", type=Path, default=ROOT / "build" / "benchmarks",
                        help="where the environments are made")  # fmt: skip
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results.setdefault("cases", {})

    def keep() -> None:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")

    if not options.report:
        if options.again or "machine" not in results:
            results["machine"] = report.machine()
            results["limits"] = {
                backend: measure(Side("limits", backend), options.environments)
                for backend in BACKENDS
            }
            keep()
        for name, sides, rounds in races(options.rounds):
            wanted = not options.names or any(name.startswith(start) for start in options.names)
            if wanted and (options.again or name not in results["cases"]):
                results["cases"][name] = race(sides, rounds, options.environments)
                print(name, json.dumps(results["cases"][name]), flush=True)
                keep()
    report.write(results)


def races(rounds: int) -> list[tuple[str, dict[str, Side], int]]:
    """Everything there is to run: the cases, then how cost grows."""
    found = []
    for case in CASES.values():
        sides = {"ours": case.ours}
        if case.peer is not None:
            sides["peer"] = case.peer
        if case.floor is not None:
            sides["floor"] = case.floor
        found.append((case.name, sides, rounds))
    for name, axis in AXES.items():
        for kind, backend, value in itertools.product(axis.kinds, BACKENDS, axis.values):
            if f"{kind}-{value}-{backend}" in CASES and value == axis.values[-1]:
                continue  # the same as that case
            subjects = GROWTH[kind]
            arguments = {**axis.fixed, name: value, "steps": 2}
            sides = {"ours": Side("step", backend, {"subject": subjects["ours"], **arguments})}
            if arguments["length"] <= subjects["most"]:
                sides["peer"] = Side("step", backend, {"subject": subjects["peer"], **arguments})
            found.append((f"growth-{name}-{kind}-{backend}-{value}", sides, 1))
    return found


if __name__ == "__main__":
    main()
