"""What each attack on each input gets, in how much memory and time.

The attacks are the rows of `tests/untrusted_input.py`.

    python -m benchmarks.untrusted_input            every row: some minutes
    python -m benchmarks.untrusted_input --report   the page, from the stored JSON

Rows are run in another process, which is started again after a row that ends it. Memory is
what the process took at most above what it had before the row; a row that takes more than ten
seconds is stopped. `python -m benchmarks.kills` measures what the page says of killed processes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.kills import RESULTS as KILLS

RESULTS = ROOT / "benchmarks" / "untrusted_input.json"
PAGE = ROOT / "docs" / "untrusted_input.md"
#: What an error's class is called in Python's own words.
_SAID = {"Refused": "ValueError"}


def child(first: int) -> None:
    """Run the rows from one on, and print what each got as a line of JSON."""
    from tests import untrusted_input

    rows = untrusted_input.rows()
    # What is read for the first time is no row's own
    with tempfile.TemporaryDirectory() as folder:
        untrusted_input.run(rows[-1], Path(folder))
    for row in rows[first:]:
        print(json.dumps({"source": row.source, "attack": row.attack}), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                got = untrusted_input.run(row, Path(folder))
            except untrusted_input.Hung:
                print(json.dumps({"got": "nothing in 10 s", "expected": False}), flush=True)
                continue
            said = str(got.error).replace(folder, "").strip()
        print(json.dumps({
            "got": type(got.error).__name__, "expected": got.fits(row), "words": said[:300],
            "MB": round(max(0, got.memory) / 1e6, 1), "seconds": round(got.seconds, 3),
        }), flush=True)  # fmt: skip


def measure() -> list[dict]:
    """What every row got."""
    found: list[dict] = []
    while True:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.untrusted_input", "--from", str(len(found))],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        begun: dict | None = None
        for line in process.stdout or ():
            values = json.loads(line)
            if "source" in values:
                begun = values
            elif begun is not None:
                found.append({**begun, **values})
                begun = None
        if process.wait() == 0:
            return found
        if begun is None:
            raise SystemExit(f"the process ended with status {process.returncode}, in no row")
        found.append({**begun, "got": "the end of the process", "expected": False})


def page(found: list[dict], kills: dict) -> str:
    """The page: a summary, what was killed, a row for each input, and all rows."""
    wrong = [one for one in found if not one["expected"]]
    most = max(one.get("MB", 0) for one in found)
    longest = max(one.get("seconds", 0) for one in found)
    lines = [
        "# Untrusted input", "",
        "Made by `python -m benchmarks.untrusted_input` from the rows of",
        "`tests/untrusted_input.py`, each of which is also a test",
        "(`tests/test_untrusted_input.py`): what a reader of files of others is given, what it",
        "answers, and how much memory and time that takes at most. What is promised is in",
        "[the page on security](security.md).", "",
        f"{len(found)} attacks on {len({one['source'] for one in found})} inputs. "
        f"{len(found) - len(wrong)} get the error that is promised, with its words; {len(wrong)} "
        "get another or none.",
        f"The most memory that one takes is {most:,.1f} MB, the most time {longest:.2f} s.", "",
        "| input | attacks | what they get | most MB | most s |", "|---|---:|---|---:|---:|",
    ]  # fmt: skip
    for source in dict.fromkeys(one["source"] for one in found):
        rows = [one for one in found if one["source"] == source]
        got = Counter(_name(one) for one in rows)
        lines.append(
            f"| {source} | {len(rows)} | {', '.join(f'{k} {n}' for k, n in got.most_common())} "
            f"| {max(one.get('MB', 0) for one in rows):.1f} "
            f"| {max(one.get('seconds', 0) for one in rows):.2f} |"
        )
    lines += ["", "## Killed processes", "", *_killed(kills)]
    lines += ["", "## All rows", "", "| input | attack | what it gets | MB | s |",
              "|---|---|---|---:|---:|"]  # fmt: skip
    lines += [
        f"| {one['source']} | {_cell(one['attack'])} | {_name(one)} | {one.get('MB', 0):.1f} "
        f"| {one.get('seconds', 0):.2f} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def _killed(kills: dict) -> list[str]:
    lines = [
        "`python -m benchmarks.kills` ends saves, trainings and searches by SIGKILL at random",
        "moments, and starts them again. A save leaves the old model or the new one, whole, and",
        "the next one clears what was left. A training or search that goes on ends with the same",
        "weights, or the same trials and scores, as one that nothing ended. A run that ended",
        "before its kill is not counted. Moments were drawn from the whole time of a run at first,",
        "later from its last 70 %, in which something is written.", "",
        "| what | killed | had begun to write | equal in the end | left beside it |",
        "|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for kind, runs in kills.items():
        killed = [run for run in runs if run["killed"]]
        lines.append(
            f"| {kind} | {len(killed)} | {sum(run['something was there'] for run in killed)} "
            f"| {sum(run['equal'] for run in killed)} "
            f"| {sum(bool(run['left behind']) for run in killed)} |"
        )
    return lines


def _name(one: dict) -> str:
    return _SAID.get(one["got"], one["got"]) + ("" if one["expected"] else " (not promised)")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.untrusted_input", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--from", type=int, dest="first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first is not None:
        child(options.first)
        return
    if not options.report:
        RESULTS.write_text(json.dumps(measure(), indent=1) + "\n")
    kills = json.loads(KILLS.read_text()) if KILLS.exists() else {}
    PAGE.write_text(page(json.loads(RESULTS.read_text()), kills), "utf-8")


if __name__ == "__main__":
    main()
