"""Each attack on each input gets its own error, in bounded memory and time, and touches nothing."""

import dataclasses

import pytest

from tests import untrusted_input

ROWS = untrusted_input.rows()


def snapshot(folder):
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() or path.is_symlink()
    }


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_attack_gets_its_error(row, tmp_path):
    made = {}

    def opens(folder):
        made.update(snapshot(folder))
        row.open(folder)

    outcome = untrusted_input.run(dataclasses.replace(row, open=opens), tmp_path)
    assert outcome.fits(row), repr(outcome.error)
    assert outcome.memory < untrusted_input.MOST_MEMORY
    after = snapshot(tmp_path)
    if "s/search.lock" not in made:  # a lock is made, and nothing else
        after.pop("s/search.lock", None)
    assert after == made


def test_every_row_is_told_apart():
    names = [str(row) for row in ROWS]
    assert len(set(names)) == len(names) >= 120
