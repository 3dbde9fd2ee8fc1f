"""The reference: a page for each layer from the registry, and one for each room's public names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import typing
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import attention_zoo as az
from attention_zoo.catalog import LAYERS

#: What each room's page is called and says first.
ROOMS = {
    "metrics": ("Metrics", "Attribution, faithfulness, localization, agreement and more."),
    "models": ("Models", "What `attention_zoo.build` knows by name, and the pieces behind it."),
    "tasks": ("Tasks", "Synthetic data that know where their answer is; each by its name."),
    "training": ("Training", "Data, recipes, and what they make."),
    "tuning": ("Tuning", "Searches; the guide is :doc:`/tuning`."),
    "explain": ("Explaining", "Scores, attribution, faithfulness; the guide is :doc:`/seeing`."),
    "explain.plots": ("Pictures", "Each returns a Matplotlib figure and shows nothing."),
    "presets": ("Presets", "Trained models as folders; what is guarded: :doc:`/security`."),
    "compat": ("Old names", "Older packages' layers, and models saved with them."),
    "estimators": ("Estimators", "What both share; the guide is :doc:`/scikit_learn`."),
}
_HOME = "attention_zoo"


def write(folder: Path) -> None:
    """Write every page; one that is as it was keeps its date, so that Sphinx need not read it."""
    pages = {"index": _index(), "top": _page("attention_zoo", _TOP, _HOME, _top_names())}
    for name in LAYERS.names():
        pages[f"layer_{name}"] = _layer(name)
    pages["layers"] = _layers()
    for room, (title, about) in _there():
        home = f"{_HOME}.{room}"
        names = [n for n in public(home) if room.count(".") or n not in _top_names()]
        pages[room.replace(".", "_")] = _page(title, about, home, names)
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


_TOP = "What most users need, all of it in ``import attention_zoo as az``."


def public(home: str) -> list[str]:
    """The classes and functions that a module gives to its users."""
    module = importlib.import_module(home)
    names = [*vars(module), *getattr(module, "_HOMES", {})]
    return sorted({n for n in names if not n.startswith("_") and _is_ours(getattr(module, n))})


def _is_ours(value: Any) -> bool:
    made = inspect.isclass(value) or inspect.isfunction(value)
    return made and (value.__module__ or "").startswith(_HOME)


def _there() -> Iterable[tuple[str, tuple[str, str]]]:
    for room, words in ROOMS.items():
        if importlib.util.find_spec(f"{_HOME}.{room}") is not None:
            yield room, words


def _top_names() -> list[str]:
    """The public functions and classes; a room that is called stands for its function."""
    return [
        name for name in az.__all__
        if _is_ours(getattr(az, name)) or _is_called(getattr(az, name))
    ]  # fmt: skip


def _is_called(value: Any) -> bool:
    return isinstance(value, ModuleType) and callable(value)


def _heading(title: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n"


def _entry(home: str, name: str) -> str:
    value = getattr(importlib.import_module(home), name)
    if _is_called(value):
        home, value = f"{home}.{name}", getattr(value, name)
    if not inspect.isclass(value):
        return f".. autofunction:: {home}.{name}\n\n"
    keras_class = any(one.__module__.startswith("keras") for one in value.__mro__)
    members = "" if keras_class else "   :members:\n"
    if hasattr(value, "set_fit_request"):  # scikit-learn's own words on it lead to its pages
        members += "   :exclude-members: set_fit_request, set_score_request\n"
    return f".. autoclass:: {home}.{name}\n{members}\n"


def _page(title: str, about: str, home: str, names: Iterable[str]) -> str:
    entries = [_entry(home, name) for name in names]
    for kind in _returned(getattr(importlib.import_module(home), name) for name in names):
        # The fields of a named tuple stand in its docstring
        members = "" if issubclass(kind, tuple) else "   :members:\n"
        entries.append(f".. autoclass:: {kind.__module__}.{kind.__name__}\n{members}\n")
    return _heading(title) + about + "\n\n" + "".join(entries)


def _returned(values: Iterable[Any]) -> list[type]:
    """Our classes that these functions return, or that these classes hold, and nobody imports."""
    found: dict[type, None] = {}
    for value in values:
        hints = typing.get_type_hints(value.__call__ if _is_called(value) else value)
        wanted = [hints.get("return")] if not inspect.isclass(value) else list(hints.values())
        for hint in wanted:
            for kind in (hint, *typing.get_args(hint)):
                if inspect.isclass(kind) and _is_ours(kind) and not _is_public(kind):
                    found[kind] = None
    return list(found)


def _is_public(kind: type) -> bool:
    rooms = [f"{_HOME}.{room}" for room, _ in _there()]
    homes = [_HOME, f"{_HOME}.layers", *rooms]
    return any(
        getattr(importlib.import_module(home), kind.__name__, None) is kind for home in homes
    )


def _layer(name: str) -> str:
    kind = LAYERS.target(name).rpartition(":")[2]
    return (
        # No list of contents beside it: its formulas need the room
        ":html_theme.sidebar_secondary.remove: true\n\n"
        + _heading(kind)
        + f"``{name}`` in the registry: {LAYERS.summary(name)}. What all layers share, and the "
        + "arguments that each takes, is at :class:`~attention_zoo.layers.AttentionLayer`.\n\n"
        + _entry(f"{_HOME}.layers", kind)
    )


def _layers() -> str:
    kinds = {LAYERS.target(name).rpartition(":")[2] for name in LAYERS.names()}
    rest = [name for name in public(f"{_HOME}.layers") if name not in kinds]
    about = "One page each; :doc:`/layers` has them side by side, with shapes and sources.\n\n"
    toctree = ".. toctree::\n\n" + "".join(f"   layer_{name}\n" for name in LAYERS.names())
    return _page("Layers", about + toctree, f"{_HOME}.layers", rest)


def _index() -> str:
    pages = ["top", "layers", *(room.replace(".", "_") for room, _ in _there())]
    return (
        _heading("Reference")
        + "From the docstrings. Each example here is run by the tests.\n\n"
        + ".. toctree::\n   :maxdepth: 2\n\n"
        + "".join(f"   {page}\n" for page in pages)
    )
