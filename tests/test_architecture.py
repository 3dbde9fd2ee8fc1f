"""The arrow: imports run one way, read from the source."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import attention_zoo

PACKAGE = Path(attention_zoo.__file__).parent
ROOT = Path(__file__).parents[1]

#: What each package or module may import; one that is not here is a mistake.
ARROW = {
    "core": set(),
    "catalog": {"core"},
    "version": set(),
    "ops": {"core"},
    "layers": {"core", "catalog", "ops"},
    "models": {"core", "catalog", "ops", "layers"},
    "tasks": {"core"},
    "capture": {"core", "layers", "models"},
    "metrics": {"core", "layers", "models", "capture"},
    "plots": {"core"},
    "explaining": {"core", "layers", "models", "capture", "metrics", "plots"},
    "trusting": {"core", "layers", "models", "capture", "metrics", "plots", "explaining"},
    "presets": {"core", "catalog", "layers", "models", "capture", "version"},
    "data": {"core", "layers", "tasks"},
    "training": {"core", "catalog", "data", "layers", "models", "tasks", "capture", "metrics",
                 "presets"},
    "tuning": {"core", "catalog", "data", "layers", "models", "tasks", "capture", "metrics",
               "plots", "explaining", "presets", "training", "version"},
    "compat": {"core", "ops", "layers", "models", "presets", "version"},
    "exporting": {"core", "layers", "capture", "presets", "version"},
    "estimators": {"core", "catalog", "data", "layers", "models", "capture", "explaining",
                   "training"},
    "cli": {"core", "catalog", "data", "layers", "models", "tasks", "capture", "metrics", "plots",
            "explaining", "trusting", "presets", "training", "tuning", "compat", "exporting",
            "version"},
}  # fmt: skip

#: What only imports others' work: `__init__` and the shell.
FRONT = ("__init__", "__main__")
#: The packages that know no backend.
PLAIN = ("core", "catalog", "tasks", "version")
BACKENDS = ("keras", "tensorflow", "jax", "torch", "keras_tuner")


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = [p for p in sorted(PACKAGE.rglob("*.py")) if part_of(p) not in FRONT]


def imported(source, package="attention_zoo"):
    """The full names that a module of `package` imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            origin = [*(above if node.level else []), *([node.module] if node.module else [])]
            yield from (".".join([*origin, alias.name]) for alias in node.names)


def forbidden(part, names):
    """Those of the imported names that the arrow does not let a package have."""
    allowed = {part, *ARROW[part]} | ({"the package itself"} if part == "cli" else set())
    for name in names:
        root, *rest = name.split(".")
        other = rest[0] if rest else "the package itself"
        if root == "attention_zoo" and other not in allowed or root in BACKENDS and part in PLAIN:
            yield name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_arrow(path):
    assert part_of(path) in ARROW, f"{part_of(path)} has no place in the arrow"
    package = ".".join(["attention_zoo", *path.relative_to(PACKAGE).parts[:-1]])
    names = imported(path.read_text("utf-8"), package)
    assert list(forbidden(part_of(path), names)) == []


@pytest.mark.parametrize("where", ["{}", "def later():\n    {}", "if TYPE_CHECKING:\n    {}"])
@pytest.mark.parametrize(
    ("part", "line", "name"),
    [
        ("core", "import keras", "keras"),
        ("core", "import keras.ops as ops", "keras.ops"),
        ("core", "from keras import ops", "keras.ops"),
        ("core", "from tensorflow.data import Dataset", "tensorflow.data.Dataset"),
        ("tasks", "from keras.utils import Sequence", "keras.utils.Sequence"),
        ("core", "import attention_zoo.layers", "attention_zoo.layers"),
        ("core", "from attention_zoo import layers", "attention_zoo.layers"),
        ("core", "from attention_zoo.ops.masks import both", "attention_zoo.ops.masks.both"),
        ("core", "from ..layers import base", "attention_zoo.layers.base"),
        ("core", "from .. import catalog", "attention_zoo.catalog"),
        ("core", "import attention_zoo", "attention_zoo"),
        ("layers", "import attention_zoo as az", "attention_zoo"),
        ("layers", "from attention_zoo.models import build", "attention_zoo.models.build"),
        ("layers", "from attention_zoo import build", "attention_zoo.build"),
        ("cli", "from attention_zoo.ops import masks", "attention_zoo.ops.masks"),
        ("ops", "from ..layers.shapes import shape_of", "attention_zoo.layers.shapes.shape_of"),
    ],
)  # fmt: skip
def test_what_the_arrow_forbids_is_found(part, line, name, where):
    found = imported(where.format(line), f"attention_zoo.{part}")
    assert list(forbidden(part, found)) == [name]


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("core", "from attention_zoo.core import checks"),
        ("core", "from . import checks"),
        ("core", "import numpy as np"),
        ("ops", "from keras import ops"),
        ("layers", "from attention_zoo.ops import masks"),
        ("cli", "import attention_zoo as az"),
    ],
)
def test_what_the_arrow_allows_is_not_found(part, line):
    assert list(forbidden(part, imported(line, f"attention_zoo.{part}"))) == []


def module_of(path):
    """The full name of a module, of a package for its `__init__`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(sources):
    """Which modules of `{module: (source, package)}` each of them imports, wherever it does."""
    graph = {}
    for module, (source, package) in sources.items():
        names = set(imported(source, package))
        found = {name if name in sources else name.rpartition(".")[0] for name in names}
        graph[module] = (found & set(sources)) - {module}
    return graph


def circles(graph):
    """The sets of modules from each of which imports lead to each other one, and back."""
    reached = {}
    for start in graph:
        seen, ahead = set(), list(graph[start])
        while ahead:
            one = ahead.pop()
            if one not in seen:
                seen.add(one)
                ahead += graph[one]
        reached[start] = seen
    groups = {frozenset(m for m in reached[one] if one in reached[m]) for one in graph}
    return [set(group) for group in groups if group]


def test_no_modules_import_each_other():
    sources = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        package = ".".join(path.relative_to(PACKAGE.parent).parts[:-1])
        sources[module_of(path)] = path.read_text("utf-8"), package
    found = [sorted(circle) for circle in circles(import_graph(sources))]
    assert found == []


@pytest.mark.parametrize("where", ["{}", "def later():\n    {}", "if TYPE_CHECKING:\n    {}"])
@pytest.mark.parametrize("line", ["from p.b import x", "from p import b", "import p.b"])
def test_modules_that_import_each_other_are_found(line, where):
    sources = {
        "p": ("", "p"),
        "p.a": (where.format(line), "p"),
        "p.b": ("from . import c", "p"),
        "p.c": ("from p.a import y", "p"),
        "p.d": ("from p.a import y", "p"),
    }
    assert circles(import_graph(sources)) == [{"p.a", "p.b", "p.c"}]


#: What opens or reads a file by itself, and why it may: all else goes through `core.foreign`.
OPENS = {
    "core/foreign.py": "the one place",
    "core/npz.py": "an open file",
    "core/memory.py": "the system's account",
    "core/files.py": "sums of what was just written",
    "core/scratch.py": "a folder of this process",
    "training/backup.py": "an open file",
    "training/recipe.py": "the package's own",
    "tuning/results.py": "written by new_file",
    "explaining/page/writing.py": "the package's own",
    "exporting/formats.py": "what was just written",
    "estimators/base.py": "what was just written",
    "presets/data_guard.py": "opened before",
    "presets/weights.py": "bytes in memory, and what was opened before",
    "compat/old_archive.py": "an open file",
    "compat/old_model.py": "an open file",
    "cli/list_.py": "the package's own",
    "cli/app.py": "the null device",
}
OPENERS = {"open", "read_text", "read_bytes", "File", "ZipFile", "load", "fromfile", "memmap"}


def opened(tree):
    """The calls in a module that open a file: `open`, and these methods of modules and paths."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "open":
            yield "open"
        elif isinstance(node.func, ast.Attribute) and node.func.attr in OPENERS:
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else None
            path = node.func.attr in ("read_text", "read_bytes")
            if path or owner in ("os", "io", "np", "h5py", "zipfile", "gzip", "json", "pickle"):
                yield node.func.attr


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_comes_from_outside_is_opened_in_one_place(path):
    found = sorted(set(opened(ast.parse(path.read_text("utf-8")))))
    if str(path.relative_to(PACKAGE)) not in OPENS:
        assert not found, f"{path.name} calls {found}: use core.foreign"


def test_compat_stands_apart():
    """Whoever needs no older package's names never imports them: the shell does for `migrate`."""
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if part_of(path) != "compat"
        and any(f"{name}.".startswith("attention_zoo.compat.")
                for name in imported(path.read_text("utf-8")))
    }  # fmt: skip
    assert users == {"cli/migrate.py"}


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_us_imports_no_keras_and_listing_neither():
    run(
        "import sys, attention_zoo as az; az.list_layers(); az.list_models(); az.list_presets();"
        "assert 'keras' not in sys.modules and 'tensorflow' not in sys.modules"
    )


# All other orders are in tests/test_import_order.py, with a stand-in for Keras
@pytest.mark.parametrize("order", [
    "import keras, attention_zoo", "import attention_zoo; find_spec('keras'); import keras",
])  # fmt: skip
def test_keras_knows_our_layers_whichever_is_imported_first(order):
    out = run(
        f"from importlib.util import find_spec; {order};"
        "print(keras.saving.get_registered_object('attention_zoo>TemporalAttention').__name__)"
    )
    assert out.strip() == "TemporalAttention"


@pytest.mark.parametrize("first, second", [("keras", "attention_zoo"), ("attention_zoo", "keras")])
def test_an_older_keras_is_refused_with_its_version_and_the_cure(tmp_path, first, second):
    (tmp_path / "keras.py").write_text("__version__ = '2.15.0'")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {first}, {second}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = (
        "attention_zoo needs keras 3.15 or newer. 2.15.0 is installed: pip install -U 'keras>=3.15'"
    )
    assert done.stderr.strip().endswith(said)
    assert "keras >=3.15," in (ROOT / "setup.cfg").read_text("utf-8")


def test_no_module_hides_a_function_of_its_name():
    """Importing a submodule sets it on its package, where users expect the function."""
    modules = {one.name for one in pkgutil.iter_modules(attention_zoo.__path__)}
    shared = modules & set(attention_zoo.__all__)
    assert shared
    for name in shared:
        assert isinstance(getattr(attention_zoo, name), ModuleType), name


def test_every_public_name_resolves():
    for name in attention_zoo.__all__:
        assert getattr(attention_zoo, name) is not None
    assert set(attention_zoo.__all__) == set(dir(attention_zoo))
    with pytest.raises(AttributeError, match="no attribute 'lod'") as raised:
        attention_zoo.lod  # noqa: B018
    # From which Python suggests the nearest
    assert (raised.value.name, raised.value.obj) == ("lod", attention_zoo)
