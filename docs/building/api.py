"""The reference: a page for each layer from the registry, and one for each package's names."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attention_zoo as az
from attention_zoo.catalog import LAYERS

#: What the page of each public package is called and says first.
PACKAGES = {
    "models": ("Models", "What `attention_zoo.build` knows by name, and the pieces behind it."),
    "tasks": ("Tasks", "Synthetic data that know where their answer is; each by its name."),
    "training": ("Training", "Data, recipes, and what they make."),
    "tuning": ("Tuning", "Searches; the guide is :doc:`/tuning`."),
    "capture": ("Scores", "From a model and data to its scores; the guide is :doc:`/seeing`."),
    "metrics": ("Metrics", "Attribution, faithfulness, agreement; the guide is :doc:`/seeing`."),
    "explaining": ("Explaining", "What `az.explain` returns; the guide is :doc:`/seeing`."),
    "trusting": ("Trusting", "What `az.trust` returns; the guide is :doc:`/seeing`."),
    "plots": ("Plots", "Each returns a Matplotlib figure and shows nothing."),
    "presets": ("Presets", "Trained models as folders; what is guarded: :doc:`/security`."),
    "compat": ("Old names", "Older packages' layers, and models saved with them."),
}
_HOME = "attention_zoo"
_TOP = "What most users need, all of it in ``import attention_zoo as az``."


def write(folder: Path) -> None:
    """Write every page; one that is as it was keeps its date, so that Sphinx need not read it."""
    pages = {"index": _index(), "top": _page("attention_zoo", _TOP, _HOME, names(_HOME))}
    for name in LAYERS.names():
        pages[f"layer_{name}"] = _layer(name)
    pages["layers"] = _layers()
    for package, (title, about) in PACKAGES.items():
        home = f"{_HOME}.{package}"
        pages[package] = _page(title, about, home, names(home))
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def documented() -> dict[str, Any]:
    """Return every class and function of the reference by its full name: the public face."""
    homes = [_HOME, *(f"{_HOME}.{package}" for package in ("layers", *PACKAGES))]
    found = {f"{home}.{name}": _value(home, name) for home in homes for name in names(home)}
    for kind in _returned(found.values()):
        found[f"{kind.__module__}.{kind.__name__}"] = kind
    return found


def names(home: str) -> list[str]:
    """Return the names of the classes and functions that a module gives to its users.

    What stands in `attention_zoo` itself is not repeated for the package that defines it.
    """
    module = importlib.import_module(home)
    known = [*vars(module), *getattr(module, "_LAZY", {})]
    found = sorted({n for n in known if not n.startswith("_") and _is_ours(_value(home, n))})
    if home == _HOME:
        return found
    return [n for n in found if getattr(az, n, None) is not _value(home, n)]


def _value(home: str, name: str) -> Any:
    return getattr(importlib.import_module(home), name)


def _is_ours(value: Any) -> bool:
    made = inspect.isclass(value) or inspect.isfunction(value)
    return made and (value.__module__ or "").startswith(_HOME)


def _heading(title: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n"


def _entry(home: str, name: str) -> str:
    value = _value(home, name)
    if not inspect.isclass(value):
        return f".. autofunction:: {home}.{name}\n\n"
    keras_class = any(one.__module__.startswith("keras") for one in value.__mro__)
    members = "" if keras_class else "   :members:\n"
    if hasattr(value, "set_fit_request"):  # scikit-learn's own words on it lead to its pages
        members += "   :exclude-members: set_fit_request, set_score_request\n"
    return f".. autoclass:: {home}.{name}\n{members}\n"


def _page(title: str, about: str, home: str, shown: Iterable[str]) -> str:
    entries = [_entry(home, name) for name in shown]
    for kind in _returned(_value(home, name) for name in shown):
        # The fields of a named tuple stand in its docstring
        members = "" if issubclass(kind, tuple) else "   :members:\n"
        entries.append(f".. autoclass:: {kind.__module__}.{kind.__name__}\n{members}\n")
    return _heading(title) + about + "\n\n" + "".join(entries)


def _returned(values: Iterable[Any]) -> list[type]:
    """Return our classes that these functions return, or these classes hold, without a page."""
    public = [
        _value(home, name)
        for home in (_HOME, *(f"{_HOME}.{package}" for package in ("layers", *PACKAGES)))
        for name in names(home)
    ]
    found: dict[type, None] = {}
    for value in values:
        hints = typing.get_type_hints(value)
        wanted = [hints.get("return")] if not inspect.isclass(value) else list(hints.values())
        for hint in wanted:
            for kind in (hint, *typing.get_args(hint)):
                if inspect.isclass(kind) and _is_ours(kind) and kind not in public:
                    found[kind] = None
    return list(found)


def _layer(name: str) -> str:
    kind = LAYERS.target(name)
    return (
        # No list of contents beside it: its formulas need the room
        ":html_theme.sidebar_secondary.remove: true\n\n"
        + _heading(kind)
        + f"``{name}`` in the registry: {LAYERS.summary(name)}. What all layers share, and the "
        + "arguments that each takes, is at :class:`~attention_zoo.layers.AttentionLayer`.\n\n"
        + _entry(f"{_HOME}.layers", kind)
    )


def _layers() -> str:
    kinds = {LAYERS.target(name) for name in LAYERS.names()}
    rest = [name for name in names(f"{_HOME}.layers") if name not in kinds]
    about = "One page each; :doc:`/layers` has them side by side, with shapes and sources.\n\n"
    toctree = ".. toctree::\n\n" + "".join(f"   layer_{name}\n" for name in LAYERS.names())
    return _page("Layers", about + toctree, f"{_HOME}.layers", rest)


def _index() -> str:
    return (
        _heading("Reference")
        + "From the docstrings. Each example here is run by the tests.\n\n"
        + ".. toctree::\n   :maxdepth: 2\n\n"
        + "".join(f"   {page}\n" for page in ("top", "layers", *PACKAGES))
    )
