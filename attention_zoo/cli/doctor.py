"""`attention-zoo doctor`: what is there, what is missing, and whether it works."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from typing import Any

import typer
from packaging.requirements import Requirement

from attention_zoo.cli.console import out, table
from attention_zoo.cli.options import Json
from attention_zoo.core.registry import one_of
from attention_zoo.version import __version__

_NAME = "attention-zoo"
_BACKENDS = ("tensorflow", "jax", "torch")
#: Extras for the development of the package.
_DEVELOPMENT = ("docs", "real-data", "test")
#: The preset that is loaded and compared with its golden output.
_PRESET = "lstm_after"


def doctor(
    as_json: Json = False,
) -> None:
    """Say which backends, extras and devices are there, and what is missing. The exit status is 1
    if attention_zoo cannot work."""
    report = examine()
    if as_json:
        out.print_json(json.dumps(report))
    else:
        _print(report)
    if report["problems"]:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Return everything that is printed, as plain values."""
    asked = asked_for(_NAME)
    needed = asked.pop("", [])
    # The backends are printed with their devices
    hidden = (*_BACKENDS, *_DEVELOPMENT)
    extras = {extra: packages for extra, packages in asked.items() if extra not in hidden}
    chosen, devices, error = _try()
    unused = {name for name in _BACKENDS if name != chosen}
    problems = [_wrong(one) for one in needed if not one["fits"] and one["name"] not in unused]
    if error:
        problems.append(error)
    return {
        "attention_zoo": __version__,
        "python": platform.python_version(),
        "needed": needed,
        "backends": {name: installed(name) for name in _BACKENDS},
        "backend": chosen,
        "devices": devices,
        "extras": extras,
        "problems": problems,
    }


def installed(name: str) -> str | None:
    """Return the version of a package that is installed, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def asked_for(distribution: str) -> dict[str, list[dict[str, Any]]]:
    """Return what a distribution requires, by extra, and under `""` what it always requires.

    Each package has its `name`, the versions `wanted`, the version `found`, and whether it `fits`.
    A distribution that is not installed, as when it runs from a checkout, requires nothing.
    """
    if installed(distribution) is None:
        return {}
    extras = sorted(importlib.metadata.metadata(distribution).get_all("Provides-Extra") or [])
    asked: dict[str, list[dict[str, Any]]] = {extra: [] for extra in ("", *extras)}
    for line in importlib.metadata.requires(distribution) or []:
        needed = Requirement(line)
        marker = needed.marker
        users = [""] if marker is None else [e for e in extras if marker.evaluate({"extra": e})]
        found = installed(needed.name)
        fits = found is not None and needed.specifier.contains(found, prereleases=True)
        wanted = str(needed.specifier)
        package = {"name": needed.name, "wanted": wanted, "found": found, "fits": fits}
        for extra in users:
            asked[extra].append(package)
    return asked


def _try() -> tuple[str | None, list[str], str]:
    """Return the backend, its devices, and what went wrong with a preset, if anything did."""
    chosen = os.environ.get("KERAS_BACKEND")
    if chosen and chosen not in _BACKENDS:
        return chosen, [], str(one_of("Keras backend", chosen, _BACKENDS))
    try:
        import keras

        import attention_zoo as az

        chosen = keras.backend.backend()
        az.load(_PRESET, verify=True)
        return chosen, _devices(chosen), ""
    except Exception as error:  # any error is reported
        if missing := missing_backend(error):
            return chosen, [], missing
        reason = " ".join(str(error).split()) or type(error).__name__
        return chosen, [], f"The preset {_PRESET!r} could not be used on {chosen}: {reason}"


def missing_backend(error: BaseException) -> str:
    """Return what to do about Keras's error for a backend that is not installed."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name not in _BACKENDS:
        return ""
    there = [other for other in _BACKENDS if other != name and installed(other)]
    instead = "choose another with KERAS_BACKEND" + (f" ({' or '.join(there)})" if there else "")
    return (
        f"The Keras backend {name!r} is not installed. Install it with: {_how(name)}, or {instead}."
    )


def _devices(backend: str) -> list[str]:
    if backend == "torch":
        import torch

        return ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    import keras

    return list(keras.distribution.list_devices()) or ["cpu"]  # some name no CPU


def _wrong(one: dict[str, Any]) -> str:
    there = f"{one['found']} is installed" if one["found"] else "is not installed"
    return f"{one['name']} {one['wanted']} is needed, {there}: pip install -U {_NAME}"


def _print(report: dict[str, Any]) -> None:
    out.print(f"attention_zoo {report['attention_zoo']}, Python {report['python']}\n")
    if report["needed"]:
        rows = [
            [one["name"], one["wanted"], one["found"] or "missing", "" if one["fits"] else "unfit"]
            for one in report["needed"]
        ]
        table("Needed", ["package", "wanted", "installed", ""], rows)
    else:
        out.print("attention-zoo was not installed by pip, so its requirements are not known.")
    out.print()
    rows = []
    for name, version in report["backends"].items():
        used = f"in use, on {', '.join(report['devices'])}" if name == report["backend"] else ""
        rows.append([name, version or "missing", used if version else _how(name)])
    table("Backends: KERAS_BACKEND chooses", ["backend", "installed", ""], rows)
    if report["extras"]:
        out.print()
        rows = []
        for extra, packages in report["extras"].items():
            lacking = [one["name"] for one in packages if not one["fits"]]
            rows.append([extra, ", ".join(lacking) or "nothing", _how(extra) if lacking else ""])
        table("Extras", ["extra", "missing", ""], rows)
    out.print()
    for problem in report["problems"]:
        out.print(f"Problem: {problem}")
    if not report["problems"]:
        out.print(f"All is well: the preset {_PRESET!r} predicts as when it was saved.")


def _how(extra: str) -> str:
    return f"pip install '{_NAME}[{extra}]'"
