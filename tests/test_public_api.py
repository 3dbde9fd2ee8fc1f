"""The public face is listed, so that nothing in it changes unseen."""

import difflib

from tests.public_api import LISTED, current


def test_the_public_face_is_as_listed():
    listed = LISTED.read_text("utf-8")
    changes = difflib.unified_diff(listed.splitlines(), current().splitlines(), lineterm="", n=0)
    assert listed == current(), "\n".join([
        *changes,
        "Where that is meant: `python -m tests.public_api`, and a line in CHANGELOG.md.",
    ])  # fmt: skip
