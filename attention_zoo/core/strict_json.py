"""JSON under limits."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

#: How many levels deep, how many values in all, how many keys in one object.
DEPTH, VALUES, KEYS = 60, 100_000, 10_000
#: An integer of more digits is larger than any float.
_DIGITS = 308
#: A quoted string, closed or not: possessive, so that nothing is read twice.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def parse(data: bytes, *, values: int = VALUES, nan: bool = False) -> Any:
    """Return the JSON value in bytes that a stranger may have written, in linear time.

    Raises:
        ValueError: if it is not UTF-8 or not JSON, deeper than 60 levels, with more than `values`
            values or 10,000 keys in one object, if a key stands twice, or if a number is NaN or
            infinite, unless `nan` allows those as Python writes them.
    """
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte-order mark")
    bare = _STRING.sub("", text)
    depth = deepest = 0
    for bracket in _BRACKET.findall(bare):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > DEPTH:
        raise ValueError(f"it is {deepest} levels deep, more than the {DEPTH} allowed")
    if bare.count(",") > values:
        raise ValueError(f"it has {bare.count(',')} values, more than the {values} allowed")
    value = json.loads(
        text,
        object_pairs_hook=_once,
        parse_constant=float if nan else _no_number,
        parse_float=_finite,
        parse_int=_integer,
    )
    if "\\u" in text:
        # Half a surrogate pair is no text, and fails wherever it is written later
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > KEYS:
        raise ValueError(f"an object has {len(pairs)} keys, more than the {KEYS} allowed")
    result = dict(pairs)
    if len(result) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {name[:100]!r} stands twice")
    return result


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _no_number(digits)


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS else _no_number(digits)


def _no_number(digits: str) -> Any:
    raise ValueError(f"{digits[:20]} is no number of JSON, or too large for one")
