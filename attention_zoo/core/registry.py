"""Names chosen by hand, and the things they stand for."""

from __future__ import annotations

import difflib
import fnmatch
import importlib
from collections.abc import Iterable
from typing import Any


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?`, or nothing when no known name is close."""
    lowered = {candidate.lower(): candidate for candidate in sorted(known)}
    close = difflib.get_close_matches(str(name)[:200].lower().strip(), lowered, n=1, cutoff=0.5)
    return f" Did you mean {lowered[close[0]]!r}?" if close else ""


def one_of(argument: str, value: Any, known: Iterable[str]) -> ValueError:
    """Return the error for a value that is no known name: the nearest first, then the list."""
    names = sorted(known)
    received = repr(value)
    if len(received) > 100:
        received = received[:100] + "..."
    return ValueError(
        f"Unknown {argument}.{nearest(value, names) if isinstance(value, str) else ''} "
        f"Known: {', '.join(names)}. Received: {received}."
    )


def matching(names: Iterable[str], pattern: str) -> list[str]:
    """Return the sorted names that match a shell pattern; raise TypeError for no string."""
    if not isinstance(pattern, str):
        raise TypeError(f"`pattern` must be a string. Received: pattern={pattern!r}")
    return sorted(name for name in names if fnmatch.fnmatchcase(name, pattern))


class Registry:
    """A dictionary that refuses a taken name, and for an unknown one suggests the nearest.

    A built-in entry is declared as `"module:attribute"` with one line about it, so that listing
    the names imports nothing; the module is imported when the entry is first asked for. The entry
    itself then confirms its name with `add`.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, Any] = {}
        self._declared: dict[str, tuple[str, str]] = {}

    def declare(self, name: str, target: str, summary: str) -> None:
        """Promise that `name` is found at `target`, written `"module:attribute"`."""
        self._refuse_taken(name)
        self._declared[name] = (target, summary)

    def add(self, name: str, entry: Any) -> None:
        """Register `entry`; raise ValueError for a name that is taken."""
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"A {self.kind}'s name must be an identifier. Received: name={name!r}")
        declared = self._declared.get(name)
        here = f"{entry.__module__}:{entry.__qualname__}" if declared else ""
        if name in self._entries or (declared and declared[0] != here):
            self._refuse_taken(name)
        self._entries[name] = entry

    def get(self, name: str) -> Any:
        """Return the entry of that name; raise ValueError with the nearest for an unknown one."""
        if not isinstance(name, str) or name not in self:
            raise one_of(self.kind, name, self.names())
        if name not in self._entries:
            importlib.import_module(self._declared[name][0].partition(":")[0])
        return self._entries[name]

    def names(self, pattern: str = "*") -> list[str]:
        """Return the sorted names that match a shell pattern such as `"lstm*"`."""
        return matching({*self._entries, *self._declared}, pattern)

    def summary(self, name: str) -> str:
        """Return one line about the entry, without importing a declared one."""
        if name in self._declared:
            return self._declared[name][1]
        return (self.get(name).__doc__ or "").strip().partition("\n")[0]

    def target(self, name: str) -> str:
        """Return the name of the class or function behind a name, without importing it."""
        if name in self._declared:
            return self._declared[name][0].partition(":")[2]
        return self._entries[name].__qualname__

    def name_of(self, entry: Any) -> str | None:
        """Return the name under which an entry is registered, or None."""
        return next((name for name, known in self._entries.items() if known is entry), None)

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._declared

    def _refuse_taken(self, name: str) -> None:
        if name in self:
            raise ValueError(
                f"The {self.kind} name {name!r} is taken. Choose another; taken are: "
                f"{', '.join(self.names())}."
            )
