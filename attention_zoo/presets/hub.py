"""Presets on the Hugging Face Hub: its cache, its etags, its offline mode."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from attention_zoo.core.optional import require
from attention_zoo.presets.card import PresetError, make_card
from attention_zoo.presets.folder import CARD, JSON_LIMIT, VOUCHED, read_json

SCHEME = "hf://"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def is_address(name: Any) -> bool:
    """Return True if a preset's name leads to the Hub."""
    return isinstance(name, str) and name.startswith(SCHEME)


def parse(name: str) -> tuple[str, str | None]:
    """Return repository and revision of `hf://owner/name@revision`; else raise ValueError."""
    found = _NAME.fullmatch(name)
    if not found or ".." in name:
        raise ValueError(
            "An address on the Hub must be hf://owner/name or hf://owner/name@revision. "
            f"Received: {name!r}"
        )
    return found[1], found[2]


def fetch(name: str) -> Path:
    """Fetch a preset's files into the Hub's cache, and return their folder.

    Nothing is fetched that is larger than the card says. The files are still to be checked.
    """
    repository, revision = parse(name)
    hub = require("huggingface_hub", extra="hub")
    path = _fetch_one(hub, name, repository, revision, CARD, JSON_LIMIT)
    card = make_card(read_json(path, links=True), f"{name}/{CARD}")
    for file in VOUCHED:
        if file in card.files:
            # The revision that the card is of, whatever a branch points to by now
            _fetch_one(hub, name, repository, path.parent.name, file, card.files[file].size)
    return path.parent


def _fetch_one(
    hub: Any, name: str, repository: str, revision: str | None, file: str, limit: int
) -> Path:
    errors = require("huggingface_hub.errors", extra="hub")
    unreachable = _unreachable(errors)
    try:
        pinned = revision is not None and _COMMIT.fullmatch(revision)
        if not (pinned and hub.try_to_load_from_cache(repository, file, revision=revision)):
            size = _size(hub, errors, hub.hf_hub_url(repository, file, revision=revision))
            if size is not None and size > limit:
                raise PresetError(f"{name}: {file} has {size} bytes; {limit} are expected.")
        return Path(hub.hf_hub_download(repository, file, revision=revision))
    except errors.RepositoryNotFoundError:
        raise PresetError(
            f"{name}: there is no such repository on the Hub, or you may not see it."
        ) from None
    except errors.RevisionNotFoundError:
        raise PresetError(f"{name}: the repository has no revision {revision!r}.") from None
    except (errors.EntryNotFoundError, *unreachable) as error:
        # Offline, a file that the cache lacks is an EntryNotFoundError as well
        lacks = isinstance(error, errors.EntryNotFoundError)
        if lacks and not isinstance(error, FileNotFoundError):
            raise PresetError(f"{name} is no whole preset: {file} is missing.") from None
        first = str(error).strip().partition("\n")[0]
        raise PresetError(f"{name}: {file} could not be fetched: {first}") from error


def _size(hub: Any, errors: Any, url: str) -> int | None:
    """Return the size of a file on the Hub, or None if the Hub cannot be reached."""
    try:
        return hub.get_hf_file_metadata(url).size
    except _absent(errors):
        raise
    except _unreachable(errors):
        return None


def _absent(errors: Any) -> tuple[type[Exception], ...]:
    repository, revision = errors.RepositoryNotFoundError, errors.RevisionNotFoundError
    return (repository, revision, errors.EntryNotFoundError)


def _unreachable(errors: Any) -> tuple[type[Exception], ...]:
    # The second is what the Hub's HTTP library raises, which differs between its versions
    return (OSError, errors.HfHubHTTPError.__mro__[1])


def send(folder: Path, name: str, *, overwrite: bool) -> None:
    """Put a preset's folder on the Hub, as one commit."""
    repository, revision = parse(name)
    if revision is not None and _COMMIT.fullmatch(revision):
        raise ValueError(f"A commit cannot be changed: name a branch. Received: {name!r}")
    api = require("huggingface_hub", extra="hub").HfApi()
    if (
        not overwrite
        and api.repo_exists(repository)
        and api.file_exists(repository, CARD, revision=revision)
    ):
        raise FileExistsError(f"{name} exists and is kept. Replace it with overwrite=True.")
    api.create_repo(repository, exist_ok=True)
    if revision is not None and not revision.startswith("refs/"):
        api.create_branch(repository, branch=revision, exist_ok=True)
    commit = "A preset of attention_zoo"
    api.upload_folder(
        repo_id=repository, folder_path=folder, revision=revision, commit_message=commit
    )
