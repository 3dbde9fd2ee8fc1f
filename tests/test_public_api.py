"""The public face is listed, so that nothing in it changes unseen."""

import difflib
import subprocess
import sys

from tests.public_api import LISTED


def test_the_public_face_is_as_listed():
    # In a process of its own: other tests register layers and add folders of presets
    code = "import sys, tests.public_api as face; sys.stdout.write(face.current())"
    done = subprocess.run([sys.executable, "-c", code], cwd=LISTED.parents[1],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    listed = LISTED.read_text("utf-8")
    changes = difflib.unified_diff(listed.splitlines(), done.stdout.splitlines(), lineterm="", n=0)
    assert listed == done.stdout, "\n".join([
        *changes,
        "Where that is meant: `python -m tests.public_api`, and a line in CHANGELOG.md.",
    ])  # fmt: skip
