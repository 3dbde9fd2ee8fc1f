"""A folder or file is the old one or the new one, whatever happens in between."""

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


def test_a_kill_between_the_two_renames_is_healed(tmp_path):
    path = tmp_path / "out"
    with files.new_folder(path) as scratch:
        fill(scratch, "old")
    path.rename(tmp_path / ".out.previous")
    files.recover_folder(path)
    assert (path / "a.txt").read_text() == "old"


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
