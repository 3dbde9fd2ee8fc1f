"""The public face as text: `python -m tests.public_api` writes public_api.txt anew.

A line each: names with their arguments and defaults, the names in the registries, what saved
models call the layers, and the options of the shell.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import typer

import attention_zoo as az
from attention_zoo.catalog import LAYERS
from attention_zoo.cli.app import app

LISTED = Path(__file__).with_suffix(".txt")
ROOMS = (
    "capture", "compat", "estimators", "explaining", "exporting", "layers", "metrics", "models",
    "plots", "presets", "tasks", "training", "trusting", "tuning",
)  # fmt: skip


def current() -> str:
    """The public face of the code as it is."""
    lines = [line for name in az.__all__ for line in _entry("attention_zoo", name)]
    for room in ROOMS:
        home = f"attention_zoo.{room}"
        module = importlib.import_module(home)
        names = {*vars(module), *getattr(module, "_HOMES", {})}
        for name in names:
            value = getattr(module, name)
            ours = (getattr(value, "__module__", None) or "").startswith("attention_zoo")
            if not name.startswith("_") and ours and callable(value):
                lines += _entry(home, name)
    for name in az.list_layers():
        lines.append(f"layer {name}: {keras.saving.get_registered_name(LAYERS.get(name))}")
    lines += [f"model {name}" for name in az.list_models()]
    lines += [f"preset {name}" for name in az.list_presets()]
    lines += [f"task {name}" for name in az.tasks.list_tasks()]
    lines += _commands(typer.main.get_command(app), "attention-zoo")
    return "\n".join(sorted(set(lines))) + "\n"


def _entry(home: str, name: str) -> Iterator[str]:
    value = getattr(importlib.import_module(home), name)
    if isinstance(value, ModuleType) or not callable(value):
        yield f"{home}.{name}"
        return
    yield f"{home}.{name}{_arguments(value.__init__ if inspect.isclass(value) else value)}"
    if not inspect.isclass(value):
        return
    ours = [one for one in value.__mro__ if one.__module__.startswith("attention_zoo")]
    for method, found in {k: v for one in reversed(ours) for k, v in vars(one).items()}.items():
        if not method.startswith("_") and (callable(found) or isinstance(found, property)):
            shown = "" if isinstance(found, property) else _arguments(found)
            yield f"{home}.{name}.{method}{shown}"


def _arguments(function: Any) -> str:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    plain = [
        parameter.replace(annotation=parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    text = str(signature.replace(parameters=plain, return_annotation=signature.empty))
    # A default that is a function: without the place where it happens to be
    return re.sub(r"<function (\S+) at 0x\w+>", r"\1", text)


def _commands(command: Any, path: str) -> Iterator[str]:
    options = [option for one in command.params for option in (one.opts or [one.name])]
    yield f"{path} {' '.join(sorted(options))}"
    for name, under in getattr(command, "commands", {}).items():
        yield from _commands(under, f"{path} {name}")


if __name__ == "__main__":
    LISTED.write_text(current(), "utf-8")
