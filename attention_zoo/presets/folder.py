"""The files of a preset, and the folders of presets by name."""

from __future__ import annotations

import hashlib
import os
from importlib import resources
from pathlib import Path
from typing import Any

from attention_zoo.core import files, foreign
from attention_zoo.core.registry import matching, one_of
from attention_zoo.presets.card import Card, FileEntry, PresetError, make_card

CONFIG = "config.json"
CARD = "card.json"
WEIGHTS = "model.weights.h5"
GOLDEN = "golden.npz"
#: The files whose hashes are on the card.
VOUCHED = (CONFIG, WEIGHTS, GOLDEN)
#: Files that a hub or a repository puts beside them; never read.
BESIDE = ("README.md", "LICENSE", ".gitattributes")

#: The default tag of an architecture.
DEFAULT_TAGS = {
    "dense": "planted_feature",
    "dense_after": "max_retrieval",
    "gru": "planted_step",
    "gru_before": "planted_step",
    "lstm_after": "planted_step",
    "lstm_before": "planted_step",
}

#: The bytes that a card or config may have.
JSON_LIMIT = foreign.JSON_LIMIT


def shipped() -> Path:
    """Return the folder of the presets that come with the package."""
    return Path(str(resources.files("zoo_weights")))


_FOLDERS: list[Path] = []


def add_preset_folder(path: str | os.PathLike) -> None:
    """Let the presets in a folder be loaded by their names, as long as the process lasts.

    Each of its sub-folders that holds a preset can be loaded and listed by its name. The presets
    that come with the package, and those of folders added before, keep their names.

    Args:
        path: the folder.

    Raises:
        NotADirectoryError: if there is no folder at the path.

    Example:

    >>> az.save(az.build("dense", input_shape=(5,)), "ours/dense.sales").name
    'dense.sales'
    >>> az.add_preset_folder("ours")
    >>> az.list_presets("dense.sales")
    ['dense.sales']
    """
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        raise NotADirectoryError(f"There is no folder at {folder}.")
    if folder not in _FOLDERS:
        _FOLDERS.append(folder)


def _known() -> dict[str, Path]:
    """Return the folders of the presets that have names."""
    known: dict[str, Path] = {}
    for folder in (shipped(), *_FOLDERS):
        for entry in folder.iterdir() if folder.is_dir() else ():
            if (entry / CARD).is_file():
                known.setdefault(entry.name, entry)
    return known


def list_presets(pattern: str = "*") -> list[str]:
    """Return the names of the presets that match a shell pattern.

    Args:
        pattern: a pattern such as `"lstm*"`.

    Returns:
        The sorted names, `architecture.tag`, of the presets that come with the package and of
        those in the folders of `add_preset_folder`.

    Raises:
        TypeError: if the pattern is no string.

    Example:

    >>> az.list_presets("gru.*")
    ['gru.moving_step', 'gru.planted_step']
    """
    return matching(_known(), pattern)


def find(name: str | os.PathLike) -> Path:
    """Return the folder of a preset given as `"architecture"`, `"architecture.tag"` or a path.

    A string with a path separator, or one that begins with a dot, is a path, and so is a
    `pathlib.Path`; any other is a name.

    Raises:
        ValueError: for an unknown name, with the nearest known one.
        FileNotFoundError: if there is no folder at the path.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"`name` must be a preset's name or path. Received: {name!r}")
    text = os.fspath(name)
    if not text or "\0" in text:
        raise ValueError(f"`name` must be a preset's name or path. Received: {text!r}")
    if "://" in text:
        raise ValueError(
            "An address is read by az.load alone; az.save(az.load(ADDRESS), FOLDER) makes a preset "
            f"here. Received: {text!r}"
        )
    if not isinstance(name, str) or text.startswith((".", "~")) or _has_separator(text):
        return _folder_at(Path(text).expanduser())
    known = _known()
    full = f"{text}.{DEFAULT_TAGS[text]}" if text in DEFAULT_TAGS else text
    if full in known:
        return known[full]
    if len(text) < 256 and (Path(text) / CARD).is_file():
        return _folder_at(Path(text))
    if len(text) < 256 and text.endswith(".keras") and Path(text).is_file():
        raise _no_folder(Path(text))
    if len(text) < 256 and Path(text).exists():
        raise ValueError(
            f"{text} is neither a .keras file nor a preset's folder, which has a {CARD}. A model "
            "that Keras 2 saved is converted with: attention-zoo migrate OLD NEW.keras"
        )
    raise one_of("preset", text, {*known, *DEFAULT_TAGS})


def _has_separator(text: str) -> bool:
    return any(mark in text for mark in (os.sep, os.altsep) if mark)


def _folder_at(path: Path) -> Path:
    path = files.standing(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no preset at {path}.")
    if not path.is_dir():
        raise _no_folder(path)
    return path


def _no_folder(path: Path) -> NotADirectoryError:
    error = f"A preset is a folder; {path} is a file."
    if path.suffix == ".keras":
        error += f" Make a preset of it with: az.save(az.load({str(path)!r}), FOLDER)"
    return NotADirectoryError(error)


def read_json(path: Path, *, links: bool = False) -> Any:
    """Return the value in a JSON file of a preset; raise PresetError if that is broken."""
    try:
        return foreign.read_json(path, links=links, error=PresetError)
    except FileNotFoundError:
        raise PresetError(f"{path.parent} is no whole preset: {path.name} is missing.") from None


def read_card(name: str | os.PathLike) -> Card:
    """Return the card of a preset, without loading the model.

    Args:
        name: the preset's name or path, as `load` takes it.

    Returns:
        The validated `Card`.

    Raises:
        ValueError: for an unknown name, with the nearest known one.
        FileNotFoundError: if there is nothing at the path.
        PresetError: for a card that is missing or broken.

    Example:

    >>> az.presets.read_card("lstm_after").architecture
    'lstm_after'
    """
    path = find(name) / CARD
    return make_card(read_json(path), path)


def checked(folder: Path, links_to: Path | None = None) -> Card:
    """Return the card of a folder whose other files are all there, unchanged, and no others.

    Args:
        folder: the preset.
        links_to: a folder into which its files may be symbolic links, as a download's cache has
            them; None for nowhere.

    Raises:
        PresetError: for a missing, changed, linked or unlisted file.
    """
    for entry in folder.iterdir():
        if entry.name not in (CARD, *VOUCHED, *BESIDE):
            raise PresetError(
                f"{folder} holds {entry.name!r}, which is no file of a preset. Move it elsewhere."
            )
        inside = links_to is not None and entry.resolve().is_relative_to(links_to.resolve())
        if entry.is_symlink() and not inside:
            raise PresetError(f"{entry} is a link. A preset's files must be in its folder.")
    card = make_card(read_json(folder / CARD, links=links_to is not None), folder / CARD)
    if set(card.files) != set(VOUCHED):
        raise PresetError(
            f"{folder / CARD} must vouch for {', '.join(VOUCHED)}. "
            f"Received: {', '.join(sorted(card.files)) or 'nothing'}"
        )
    for name, described in card.files.items():
        _check_file(folder / name, described, links=links_to is not None)
    return card


def _check_file(path: Path, entry: FileEntry, *, links: bool) -> None:
    """Refuse a file that is not the one that its card vouches for."""
    try:
        with foreign.opened(path, what="file", links=links, error=PresetError) as file:
            size = foreign.size_of(file)
            if size != entry.size:
                raise PresetError(
                    f"{path} is damaged: it has {size} bytes, its card says {entry.size}. "
                    "Save or copy the preset again."
                )
            digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    except FileNotFoundError:
        raise PresetError(f"{path.parent} is no whole preset: {path.name} is missing.") from None
    if digest.hexdigest() != entry.sha256:
        raise PresetError(
            f"{path} is damaged: its SHA-256 is not the card's. Save or copy the preset again."
        )
