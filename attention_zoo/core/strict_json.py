"""JSON under limits."""

from __future__ import annotations

import json
from typing import Any

_DEPTH = 60
_VALUES = 100_000


def parse(data: bytes) -> Any:
    """A JSON value from bytes that a stranger may have written.

    Raises:
        ValueError: if it is not UTF-8 or not JSON, deeper or with more values than is sensible,
            if a key stands twice or a number is NaN or infinite.
    """
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte-order mark")
    depth = deepest = values = 0
    quoted = escaped = False
    for mark in text:
        if escaped:
            escaped = False
        elif mark == "\\":
            escaped = quoted
        elif mark == '"':
            quoted = not quoted
        elif not quoted and mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif not quoted and mark in "]}":
            depth -= 1
        elif not quoted and mark == ",":
            values += 1
    if deepest > _DEPTH:
        raise ValueError(f"it is {deepest} levels deep, more than the {_DEPTH} allowed")
    if values > _VALUES:
        raise ValueError(f"it has {values} values, more than the {_VALUES} allowed")
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice")
    return result


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
