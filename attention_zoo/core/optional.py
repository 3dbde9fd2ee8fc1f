"""Modules that only an extra installs."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, *, extra: str) -> ModuleType:
    """Import a module, or say which extra installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(
            f"This needs the package {error.name!r}, which is not installed. "
            f"Install it with: pip install 'attention-zoo[{extra}]'"
        ) from None
