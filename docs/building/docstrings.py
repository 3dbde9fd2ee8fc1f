"""Docstrings and signatures as they are written here, for Sphinx."""

from __future__ import annotations

import inspect
from typing import Any

import keras
from sphinx.util.inspect import signature, stringify_signature


def process(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Before napoleon: blocks between ``` marks, and indented formulas, are literal."""
    lines[:] = literal(lines)


def process_signature(
    app: Any, what: str, name: str, obj: Any, options: Any, args: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Of a Keras class that of `__init__`, which its metaclass hides; none of a mere result."""
    if inspect.isclass(obj) and issubclass(obj, (keras.layers.Layer, keras.callbacks.Callback)):
        bare = signature(obj.__init__, bound_method=True)
        return stringify_signature(bare, unqualified_typehints=True), returns
    if args and "<factory>" in args:
        return "", returns
    return args, returns


def literal(lines: list[str]) -> list[str]:
    """The lines with each fenced or indented block as a literal one."""
    found: list[str] = []
    fenced = False
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare.startswith("```"):
            fenced = not fenced
            indent = line[: len(line) - len(line.lstrip())]
            found += ["", f"{indent}.. code-block:: text", ""] if fenced else [""]
        elif fenced:
            found.append(f"    {line}" if bare else "")
        else:
            if _begins_formula(lines, number):
                found += ["::", ""]
            found.append(line)
    return found


def _begins_formula(lines: list[str], number: int) -> bool:
    """Whether a line is the first of an indented block that follows a paragraph at the margin."""
    if not lines[number].startswith("    ") or number < 2 or lines[number - 1].strip():
        return False
    above = next((line for line in reversed(lines[:number]) if line.strip()), "")
    return not above.startswith(" ") and not above.startswith("::")
