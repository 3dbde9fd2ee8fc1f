"""`write_page`: the template, the style, the script and the data as one file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from importlib import resources
from pathlib import Path
from typing import Any

from attention_zoo.core import files

#: The parts of the script, in their order.
_SCRIPTS = (
    "unpacking.js",
    "choice.js",
    "inputs.js",
    "words.js",
    "drawing.js",
    "pictures.js",
    "controls.js",
)


def write_page(
    path: str | Path, shown: dict[str, Any], *, title: str, trust: Any, overwrite: bool
) -> Path:
    """Write what `content` returned as one interactive page: see `Explanation.to_html`."""
    path = files.local_path("path", path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"`path` must end in .html. Received: {path}")
    if not isinstance(title, str):
        raise TypeError(f"`title` must be a string. Received: title={title!r}")
    if trust is not None and not hasattr(trust, "cells"):
        raise TypeError(f"`trust` must be what az.trust returns. Received: trust={trust!r}")
    found = (
        None
        if trust is None
        else {"layer": trust.layer, "samples": trust.samples, "rows": trust.cells()}
    )
    page = _assembled(title, {**shown, "title": title, "trust": found})
    with files.new_file(path, overwrite=overwrite) as scratch:
        scratch.write_bytes(page.encode("utf-8", "xmlcharrefreplace"))
    return path


def _assembled(title: str, shown: dict[str, Any]) -> str:
    style, script = _part("page.css"), _script()
    # With `<` escaped, no string of the user's can end the element it stands in
    data = json.dumps(_plain(shown), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "title": html.escape(title),
        "style": style,
        "script": script,
        "data": data,
    }
    # In one pass, so that a title that looks like a placeholder stays one
    return re.sub(r"@@(\w+)@@", lambda found: parts[found[1]], _part("page.html"))


def _script() -> str:
    start = "const $ = (id) => document.getElementById(id);\n"
    start += 'const page = JSON.parse($("data").textContent);\n'
    return '"use strict";\n(() => {\n' + start + "".join(map(_part, _SCRIPTS)) + "})();\n"


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _plain(value: Any) -> Any:
    """The same without NaN and infinite numbers, which JSON does not know."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
