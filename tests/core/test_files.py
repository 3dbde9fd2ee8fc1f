"""A folder or file is the old one or the new one, whatever happens in between."""

import os
import shutil
import signal
import stat
import subprocess
import sys

import pytest

from attention_zoo.core import files


def fill(folder, text):
    (folder / "a.txt").write_text(text)


def test_a_new_folder_takes_its_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "out"
    with pytest.raises(KeyError), files.new_folder(path) as scratch:
        fill(scratch, "half")
        assert not path.exists()
        raise KeyError("interrupted")
    assert list(tmp_path.iterdir()) == []
    with files.new_folder(path) as scratch:
        fill(scratch, "whole")
    assert (path / "a.txt").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_folder_is_kept_unless_overwriting(tmp_path):
    path = tmp_path / "out"
    with files.new_folder(path) as scratch:
        fill(scratch, "old")
    with pytest.raises(FileExistsError, match="exists and is kept"), files.new_folder(path):
        raise KeyError("not reached")
    with pytest.raises(KeyError), files.new_folder(path, overwrite=True) as scratch:
        raise KeyError("interrupted")
    assert (path / "a.txt").read_text() == "old"
    with files.new_folder(path, overwrite=True) as scratch:
        fill(scratch, "new")
    assert (path / "a.txt").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_between_two_renames_is_seen_by_readers_and_healed_by_the_next_writer(
    tmp_path, monkeypatch
):
    """Where the system cannot exchange two names in one step."""
    path = tmp_path / "out"
    with files.new_folder(path) as scratch:
        fill(scratch, "old")
    path.rename(tmp_path / ".out.previous")
    assert (files.standing(path) / "a.txt").read_text() == "old"
    assert not path.exists()  # looking writes nothing
    monkeypatch.setattr(files, "exchange", lambda one, other: False)
    with pytest.raises(FileExistsError), files.new_folder(path):
        raise KeyError("not reached")
    assert files.standing(path) == path
    with files.new_folder(path, overwrite=True) as scratch:
        fill(scratch, "new")
    assert (path / "a.txt").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, signal, sys
from pathlib import Path
from attention_zoo.core import files
with files.{maker}(Path(sys.argv[1]), overwrite=True) as made:
    (made / "a.txt" if made.is_dir() else made).write_text("half")
    print("there", flush=True)
    {end}
"""


@pytest.mark.parametrize("maker", ["new_folder", "new_file"])
def test_what_a_killed_process_left_is_cleared_and_what_a_living_one_makes_is_not(tmp_path, maker):
    path = tmp_path / "out"
    for end in ("os.kill(os.getpid(), signal.SIGKILL)", "sys.stdin.read()"):
        code = KILLED.format(maker=maker, end=end)
        process = subprocess.Popen(
            [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"there\n"
        if "KILL" in end:
            process.wait()
        (left,) = tmp_path.iterdir()
        with getattr(files, maker)(path) as made:
            (made / "a.txt" if made.is_dir() else made).write_text("mine")
        assert left.exists() == ("KILL" not in end)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        process.communicate()
        assert process.returncode == (-signal.SIGKILL if "KILL" in end else 0)
    assert (path / "a.txt" if path.is_dir() else path).read_text() == "half"
    assert list(tmp_path.iterdir()) == [path]


def modes(path):
    return [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)]


def test_who_may_read(tmp_path):
    """As the user's mask says; as before where something is replaced; a secret by nobody else."""
    before = os.umask(0o027)
    try:
        with files.new_folder(tmp_path / "out") as made:
            assert modes(made)[1] == 0o700
            fill(made, "old")
        assert modes(tmp_path / "out" / "a.txt") == [0o640, 0o750]
        (tmp_path / "out").chmod(0o700)
        with files.new_folder(tmp_path / "out", overwrite=True) as made:
            fill(made, "new")
        assert modes(tmp_path / "out" / "a.txt") == [0o640, 0o700]
        with files.new_file(tmp_path / "a", secret=True) as made:
            made.write_text("token")
        with files.new_file(tmp_path / "a", overwrite=True) as made:
            made.write_text("token")
        assert modes(tmp_path / "a")[0] == 0o600
    finally:
        os.umask(before)


def test_a_file_in_the_way_of_a_folder_is_kept(tmp_path):
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(NotADirectoryError), files.new_folder(path, overwrite=True):
        raise KeyError("not reached")
    assert path.read_text() == "mine"


def test_a_new_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(KeyError), files.new_file(path) as scratch:
        scratch.write_text("half")
        raise KeyError("interrupted")
    assert list(tmp_path.iterdir()) == []
    with files.new_file(path) as scratch:
        assert scratch.suffix == ".png"
        scratch.write_text("whole")
    assert path.read_text() == "whole"
    with pytest.raises(FileExistsError), files.new_file(path):
        raise KeyError("not reached")
