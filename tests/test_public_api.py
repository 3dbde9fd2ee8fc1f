"""The public face is listed, so that nothing in it changes unseen, and is documented."""

import difflib
import json
import subprocess
import sys

import pytest

from tests.public_api import LISTED, UNDOCUMENTED, missing

AGAIN = "python -m tests.public_api"


@pytest.fixture(scope="module")
def face():
    # In a process of its own: other tests register layers and add folders of presets
    code = (
        "import json, tests.public_api as it; print(json.dumps([it.current(), it.undocumented()]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=LISTED.parents[1],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_public_face_is_as_listed(face):
    listed = LISTED.read_text("utf-8")
    changes = difflib.unified_diff(listed.splitlines(), face[0].splitlines(), lineterm="", n=0)
    assert listed == face[0], "\n".join([
        *changes, f"Where that is meant: `{AGAIN}`, and a line in CHANGELOG.md.",
    ])  # fmt: skip


def test_every_public_docstring_is_complete(face):
    """But for those in undocumented.txt, which may only shrink."""
    allowed = dict(row.split(": ", 1) for row in UNDOCUMENTED.read_text("utf-8").splitlines())
    lacking = {
        name: more
        for name, sections in face[1].items()
        if (more := set(sections.split(", ")) - set(allowed.get(name, "").split(", ")))
    }
    assert lacking == {}
    by_now = {
        name: sections
        for name, sections in allowed.items()
        if not set(sections.split(", ")) <= set(face[1].get(name, "").split(", "))
    }
    assert by_now == {}, f"These are documented: `{AGAIN}` takes them off the list."


def _bare(x):
    """Do something."""
    if not x:
        raise ValueError(x)
    return x


def _annotated(x: int) -> int:
    """Do something.

    Args:
        x: a number.

    Returns:
        The number.

    Example:

    >>> 1
    1
    """
    return x


class _Result(tuple):
    """What came out.

    Attributes:
        x: a number.
    """


class _Wrong(ValueError):
    """What went wrong."""


@pytest.mark.parametrize("value, lacks", [
    (_bare, ["Args", "Returns", "Raises", "Example"]), (_annotated, []), (_Result, []),
    (_Wrong, []), (lambda x: x, ["a docstring"]),
])  # fmt: skip
def test_what_a_docstring_lacks_is_found(value, lacks):
    assert missing(value) == lacks
