"""From the stored results to the page and the pictures of the docs."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.cases import AXES, BACKENDS, CASES, Case

DOCS = Path(__file__).resolve().parent.parent / "docs"
_COLOURS = {"tensorflow": "#E69F00", "jax": "#0072B2", "torch": "#009E73"}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version()}


def write(results: dict[str, Any]) -> None:
    """docs/benchmarks.md and its pictures."""
    (DOCS / "benchmarks.md").write_text(page(results))
    if not _grown(results["cases"]):
        return
    for what, label in (("seconds", "seconds of a training step"),
                        ("memory", "GB above the process's base")):  # fmt: skip
        picture(results, what, label).savefig(DOCS / "images" / f"growth_{what}.png", dpi=110)


def page(results: dict[str, Any]) -> str:
    """The tables, each figure with the command that makes it."""
    machine, cases = results["machine"], results["cases"]
    lines = [
        "# Benchmarks",
        "",
        "<!-- Written by `python -m benchmarks --report`. -->",
        "",
        f"Ours beside its peers, each pair in one run, processes in turn (A B A B), on "
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}. What "
        "counts is the ratio, not the time. Times are medians over all steps of all processes, "
        "with their range; memory is the peak of the process above what it had before the first "
        "step. Peers run as their users would write them; the limit is the arithmetic of the case "
        "at this machine's measured rates of matrix products, tanh and exp.",
        "",
        "`python -m benchmarks` makes everything on this page, `python -m benchmarks NAME` one "
        "line of it.",
        "",
    ]
    groups: dict[str, list[Case]] = {}
    for case in CASES.values():
        if case.name in cases:
            groups.setdefault(case.group, []).append(case)
    heads = ("work", "case", "ours", "peer", "ours is faster by", "goal", "memory, ours / peer",
             "goal", "limit")  # fmt: skip
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for group, members in groups.items():
        for case in members:
            lines.append(_row(group, case, cases[case.name], results["limits"]))
            group = ""
    lines += ["", *_missed(cases), "## How memory and time grow", "", _growth(cases), ""]
    if _grown(cases):
        lines += [
            "Ours and Keras's against the number of time steps, the batch and the heads, as far as "
            "Keras's fit (`python -m benchmarks growth`):",
            "",
            "![Time against length](images/growth_seconds.png)",
            "",
            "![Memory against length](images/growth_memory.png)",
            "",
        ]
    return "\n".join(lines)


def _row(group: str, case: Case, found: dict[str, Any], limits: dict[str, Any]) -> str:
    ours, peer = found["ours"], found.get("peer", {})
    cells = [group, f"`{case.name}`", _time(ours), _time(peer)]
    ratio = memory = ""
    if "seconds" in ours and "seconds" in peer:
        ratio = f"{peer['seconds'] / ours['seconds']:.2f}x"
        if case.faster is not None and peer["seconds"] / ours["seconds"] < case.faster:
            ratio += " (missed)"
    if "memory" in ours:
        memory = f"{ours['memory']:.2f} GB"
        if "memory" in peer:
            memory += f" / {peer['memory']:.2f} GB"
            if case.memory is not None and ours["memory"] > case.memory * peer["memory"]:
                memory += " (missed)"
        if case.gigabytes is not None and ours["memory"] > case.gigabytes:
            memory += " (missed)"
    goal = "" if case.faster is None else f"{case.faster:.2f}x"
    most = "" if case.gigabytes is None else f"{case.gigabytes:g} GB"
    most = most if case.memory is None else f"1/{1 / case.memory:.0f}"
    return "| " + " | ".join([*cells, ratio, goal, memory, most, _limit(case, limits)]) + " |"


def _missed(cases: dict[str, Any]) -> list[str]:
    """Why goals were missed, with how far they could be reached at all where that is measured."""
    rows = []
    for case in CASES.values():
        found = cases.get(case.name, {})
        ours, peer, floor = (found.get(k, {}).get("seconds") for k in ("ours", "peer", "floor"))
        if not case.why or ours is None or peer is None or peer / ours >= (case.faster or 0):
            continue
        most = "" if floor is None else f"{peer / floor:.2f}x"
        rows.append(
            f"| `{case.name}` | {peer / ours:.2f}x | {case.faster:.2f}x | {most} | {case.why} |"
        )
    if not rows:
        return []
    return [
        "## Where a goal for time is missed, and why",
        "",
        "The most that could be reached is the peer's time over that of the same case with nothing "
        "in the place of our own part: the same LSTM before a mean, or the imports alone.",
        "",
        "| case | reached | goal | at most | why |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _time(side: dict[str, Any]) -> str:
    if "error" in side:
        return f"failed: {side['error'][:60]}"
    if not side:
        return ""
    return f"{_seconds(side['seconds'])} ({_seconds(side['least'])} to {_seconds(side['most'])})"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _limit(case: Case, limits: dict[str, Any]) -> str:
    rates = limits.get(case.ours.environment, {})
    if not case.limit or not rates or "error" in rates:
        return ""
    seconds = sum(case.limit.get(kind, 0.0) / rates[kind] for kind in ("flops", "tanh", "exp"))
    return f"{_seconds(seconds)}, {case.limit['floats'] * 4 / 1e6:.1f} MB"


def _grown(cases: dict[str, Any]) -> bool:
    return any(name.startswith("growth") for name in cases)


def _growth(cases: dict[str, Any]) -> str:
    lines = ["Memory of multi-head attention above the base, B=4, and how much doubling T adds:",
             "", "| backend | 2048 | 4096 | 8192 | largest ratio (goal 2.3) |",
             "|---|---|---|---|---|"]  # fmt: skip
    for backend in BACKENDS:
        sizes = [cases.get(f"multi_head-{n}-{backend}", {}).get("ours", {}).get("memory")
                 for n in (2048, 4096, 8192)]  # fmt: skip
        if None not in sizes:
            # Below 10 MB the process's own noise is larger
            found = [b / a for a, b in zip(sizes, sizes[1:], strict=False) if a > 0.01]
            ratio = max(found, default=math.nan)
            shown = " | ".join(f"{size:.3f} GB" for size in sizes)
            lines.append(f"| {backend} | {shown} | {ratio:.2f} |")
    return "\n".join(lines)


def picture(results: dict[str, Any], what: str, label: str) -> Any:
    """Ours (solid) and Keras's (dashed) against time steps, batch and heads."""
    from matplotlib.figure import Figure

    panels = [(name, axis, kind) for name, axis in AXES.items() for kind in axis.kinds]
    figure = Figure(figsize=(4 * len(panels), 3.8), layout="constrained")
    for axes, (name, axis, kind) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for backend in BACKENDS:
            for side, style in (("ours", "o-"), ("peer", "s--")):
                points = []
                for value in axis.values:
                    same = results["cases"].get(f"{kind}-{value}-{backend}", {})
                    found = results["cases"].get(f"growth-{name}-{kind}-{backend}-{value}", same)
                    point = found.get(side, {}).get(what, math.nan)
                    points.append(point if point > 0 else math.nan)
                owner = f"{backend}, {'ours' if side == 'ours' else 'Keras'}"
                axes.plot(axis.values, points, style, color=_COLOURS[backend], label=owner, ms=4)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel({"length": "time steps"}.get(name, name))
        held = ", ".join(f"{k} {v}" for k, v in axis.fixed.items())
        axes.set_title(f"{kind}, {held}", loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel(label)
    figure.axes[0].legend(frameon=False, fontsize=7)
    return figure
