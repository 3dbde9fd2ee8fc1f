"""The public face as text: `python -m tests.public_api` writes public_api.txt and undocumented.txt.

A line each: what the reference documents with its arguments and defaults, the names in the
registries, what saved models call the layers, and the options of the shell.
"""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import typer

import attention_zoo as az
from attention_zoo.catalog import LAYERS
from attention_zoo.cli.app import app

#: What the reference documents is public: `docs/building/api.py` says what that is.
documented = runpy.run_path(str(Path(__file__).parents[1] / "docs/building/api.py"))["documented"]

LISTED = Path(__file__).with_suffix(".txt")
#: What lacks which sections of its docstring; it may only shrink.
UNDOCUMENTED = LISTED.with_name("undocumented.txt")


def current() -> str:
    """The public face of the code as it is."""
    public = documented()
    lines = [line for name, value in public.items() for line in _entry(name, value, public)]
    lines += [
        f"attention_zoo.{name}" for name in az.__all__ if f"attention_zoo.{name}" not in public
    ]
    for name in az.list_layers():
        lines.append(f"layer {name}: {keras.saving.get_registered_name(LAYERS.get(name))}")
    lines += [f"model {name}" for name in az.list_models()]
    lines += [f"preset {name}" for name in az.list_presets()]
    lines += [f"task {name}" for name in az.tasks.list_tasks()]
    lines += _commands(typer.main.get_command(app), "attention-zoo")
    return "\n".join(sorted(set(lines))) + "\n"


def _entry(name: str, value: Any, public: dict[str, Any]) -> Iterator[str]:
    yield f"{name}{_arguments(_made_by(value))}"
    for method, found in methods(value, public).items():
        yield f"{name}.{method}{'' if isinstance(found, property) else _arguments(found)}"


def _made_by(value: Any) -> Any:
    """What takes the arguments: a function itself, of a class `__init__` or `__new__`."""
    if not inspect.isclass(value):
        return value
    return value.__new__ if issubclass(value, tuple) else value.__init__


def methods(value: Any, public: dict[str, Any]) -> dict[str, Any]:
    """The public methods and properties of a class that no public base of it has.

    Those by which Keras calls a layer or callback are Keras's interface, but for `call`.
    """
    if not inspect.isclass(value):
        return {}
    bases = [one for one in value.__mro__[1:] if one in public.values()]
    ours = [one for one in value.__mro__ if one.__module__.startswith("attention_zoo")]
    others = [one for one in value.__mro__ if one.__module__.startswith("keras")]
    found = {k: v for one in reversed(ours) if one not in bases for k, v in vars(one).items()}
    return {
        name: member for name, member in found.items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
        and (name == "call" or not any(hasattr(one, name) for one in others))
    }  # fmt: skip


def _arguments(function: Any) -> str:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    plain = [
        parameter.replace(annotation=parameter.empty)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "_cls")
    ]
    text = str(signature.replace(parameters=plain, return_annotation=signature.empty))
    # A default that is a function: without the place where it happens to be
    return re.sub(r"<function (\S+) at 0x\w+>", r"\1", text)


def _commands(command: Any, path: str) -> Iterator[str]:
    options = [option for one in command.params for option in (one.opts or [one.name])]
    yield f"{path} {' '.join(sorted(options))}"
    for name, under in getattr(command, "commands", {}).items():
        yield from _commands(under, f"{path} {name}")


def undocumented() -> dict[str, str]:
    """By name, the sections that a public docstring lacks, as text."""
    public = documented()
    found = {}
    for name, value in public.items():
        if lacks := missing(value):
            found[name] = ", ".join(lacks)
        for method, member in methods(value, public).items():
            # That of a layer's `call` is in the docstring of its class, as Keras has it
            if method != "call" and not inspect.getdoc(member):
                found[f"{name}.{method}"] = "a docstring"
    return found


def missing(value: Any) -> list[str]:
    """The sections that the docstring of a class or function should have and has not.

    `Args` where it takes arguments (the `Attributes` of a result do), `Returns` where it returns
    something, `Raises` where it raises or checks by itself, and an example, but for exceptions
    and results, which nobody makes by hand.
    """
    text = vars(value).get("__doc__") if inspect.isclass(value) else inspect.getdoc(value)
    if not text:
        return ["a docstring"]
    kind = inspect.isclass(value)
    if kind and issubclass(value, Exception):
        return []
    result = kind and "Attributes:" in text
    function = inspect.unwrap(_made_by(value))
    parameters = [
        one for one in inspect.signature(function).parameters.values()
        if one.name not in ("self", "_cls")
        and not (kind and one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD))
    ]  # fmt: skip
    wanted = []
    if kind and "call" in vars(value):
        wanted.append("Call arguments")
    if parameters and not result:
        wanted.append("Args")
    if not kind and inspect.signature(function).return_annotation not in (None, "None"):
        wanted.append("Returns")
    if _raises(function):
        wanted.append("Raises")
    if not result:
        wanted.append("Example")
    return [one for one in wanted if f"{one}:" not in text]


def _raises(function: Any) -> bool:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, IndentationError):  # made by dataclasses
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("checks."):
            return True
    return False


def write() -> None:
    """Write what is public, and drop the rows of what is documented by now."""
    LISTED.write_text(current(), "utf-8")
    allowed = dict(row.split(": ", 1) for row in UNDOCUMENTED.read_text("utf-8").splitlines())
    kept = {}
    for name, lacks in undocumented().items():
        left = [one for one in lacks.split(", ") if one in allowed.get(name, "").split(", ")]
        if left:
            kept[name] = ", ".join(left)
    rows = [f"{name}: {lacks}\n" for name, lacks in sorted(kept.items())]
    UNDOCUMENTED.write_text("".join(rows), "utf-8")


if __name__ == "__main__":
    write()
