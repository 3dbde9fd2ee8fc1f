"""`attention-zoo doctor`: what is there, what is missing, and whether it works."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from typing import Annotated, Any

import typer
from packaging.requirements import Requirement

from attention_zoo.cli.console import out, table
from attention_zoo.core.registry import one_of
from attention_zoo.version import __version__

_NAME = "attention-zoo"
_BACKENDS = ("tensorflow", "jax", "torch")
#: Extras that only those need who work on the package itself.
_OURS = ("docs", "real-data", "test")
#: The preset that is loaded and compared with the answers that it was saved with.
_PRESET = "lstm_after"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which backends, extras and devices are there, and what is missing. Status 1 where
    attention_zoo cannot work."""
    found = examine()
    if as_json:
        out.print_json(json.dumps(found))
    else:
        _print(found)
    if found["problems"]:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Return everything that is printed, as plain values."""
    asked = asked_for(_NAME)
    needed = asked.pop("", [])
    # The backends are printed with their devices
    hidden = (*_BACKENDS, *_OURS)
    extras = {extra: packages for extra, packages in asked.items() if extra not in hidden}
    chosen, devices, error = _try()
    unused = {name for name in _BACKENDS if name != chosen}
    problems = [_wrong(one) for one in needed if not one["fits"] and one["name"] not in unused]
    if error:
        problems.append(error)
    return {
        "attention_zoo": __version__, "python": platform.python_version(), "needed": needed,
        "backends": {name: installed(name) for name in _BACKENDS}, "backend": chosen,
        "devices": devices, "extras": extras, "problems": problems,
    }  # fmt: skip


def installed(name: str) -> str | None:
    """Return the version of a package that is installed, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def asked_for(distribution: str) -> dict[str, list[dict[str, Any]]]:
    """Return what a distribution asks for, by extra, and under `""` what it always needs.

    Each package has its `name`, the versions `wanted`, the version `found`, and whether it `fits`.
    Nothing is known of a distribution that is not installed, as when it runs from a checkout.
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
        package = {
            "name": needed.name, "wanted": str(needed.specifier), "found": found, "fits": fits,
        }  # fmt: skip
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
    except Exception as error:  # whatever it is, it is what the user came to learn
        if missing := missing_backend(error):
            return chosen, [], missing
        reason = " ".join(str(error).split()) or type(error).__name__
        return chosen, [], f"The preset {_PRESET!r} could not be used on {chosen}: {reason}"


def missing_backend(error: BaseException) -> str:
    """Return what to do about an error that is Keras's for a backend that is not installed."""
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


def _print(found: dict[str, Any]) -> None:
    out.print(f"attention_zoo {found['attention_zoo']}, Python {found['python']}\n")
    if found["needed"]:
        rows = [
            [one["name"], one["wanted"], one["found"] or "missing", "" if one["fits"] else "unfit"]
            for one in found["needed"]
        ]
        table("Needed", ["package", "wanted", "installed", ""], rows)
    else:
        out.print("attention-zoo was not installed by pip, so that what it asks for is not known.")
    out.print()
    rows = []
    for name, version in found["backends"].items():
        used = f"in use, on {', '.join(found['devices'])}" if name == found["backend"] else ""
        rows.append([name, version or "missing", used if version else _how(name)])
    table("Backends: KERAS_BACKEND chooses", ["backend", "installed", ""], rows)
    if found["extras"]:
        out.print()
        rows = []
        for extra, packages in found["extras"].items():
            lacking = [one["name"] for one in packages if not one["fits"]]
            rows.append([extra, ", ".join(lacking) or "nothing", _how(extra) if lacking else ""])
        table("Extras", ["extra", "missing", ""], rows)
    out.print()
    for problem in found["problems"]:
        out.print(f"Problem: {problem}")
    if not found["problems"]:
        out.print(f"All is well: the preset {_PRESET!r} answers as when it was saved.")


def _how(extra: str) -> str:
    return f"pip install '{_NAME}[{extra}]'"
