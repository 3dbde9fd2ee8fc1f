"""The modules of a package import each other in one direction, for types as well."""

import ast
import graphlib
from pathlib import Path

import pytest

import attention_zoo

HOME = Path(attention_zoo.__file__).parent


def imports(path, modules):
    """The modules that a file names in its imports, wherever these stand."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                yield from {f"{node.module}.{one.name}"} & modules or {node.module} & modules


def graph(folder):
    files = {
        ".".join(("attention_zoo", *path.relative_to(HOME).with_suffix("").parts)): path
        for path in folder.rglob("*.py")
    }
    named = {name.removesuffix(".__init__"): path for name, path in files.items()}
    return {name: set(imports(path, set(named))) - {name} for name, path in named.items()}


@pytest.mark.parametrize("room", ["explaining", "trusting", "plots"])
def test_no_circle(room):
    found = graph(HOME / room)
    assert sum(map(len, found.values())) >= len(found) - 1
    list(graphlib.TopologicalSorter(found).static_order())


def test_a_circle_of_types_is_found(tmp_path):
    body = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {} import A\n"
    names = {"one": "two", "two": "one"}
    for name, other in names.items():
        (tmp_path / f"{name}.py").write_text(body.format(other))
    found = {name: set(imports(tmp_path / f"{name}.py", set(names))) for name in names}
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter(found).static_order())
