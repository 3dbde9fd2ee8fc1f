"""A preset is the old one or the new one: for a full disk, a killed process, a reader meanwhile."""

import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.core import files
from attention_zoo.presets import load as reading

X = np.random.default_rng(0).random((5, 4)).astype("float32")


def model(units=3):
    keras.utils.set_random_seed(units)
    return az.build("dense", input_shape=(4,), units=units)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


FULL = """
import resource, sys
import numpy as np
import attention_zoo as az
new = {make}
for room in (0, 97, 997, 2999):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        new.save(sys.argv[1]) if hasattr(new, "scores") else az.save(new, sys.argv[1])
    except OSError as error:
        print(error)
"""
#: What is saved, and as what.
WRITERS = {
    "preset": ("az.build('dense', input_shape=(4,), units=5)", "old"),
    "explanation": ("az.explain(az.load('dense'), np.random.random((31, 32)))", "old.npz"),
}


@pytest.mark.parametrize("what", WRITERS)
def test_a_disk_that_fills(tmp_path, what):
    """HDF5 would end the process: a limit on the size of files stands for the full disk."""
    make, name = WRITERS[what]
    code = FULL.format(make=make).replace("sys.argv[1])", "sys.argv[1], overwrite=True)")
    old = tmp_path / name
    if what == "preset":
        az.save(model(), old, examples=X)
    else:
        old.write_bytes(b"old")
    before = contents(old) if old.is_dir() else old.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", code, old], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    words = f"File too large: what was there is kept: '{old}'"
    assert [line.partition("] ")[2] for line in done.stdout.splitlines()] == [words] * 4
    assert (contents(old) if old.is_dir() else old.read_bytes()) == before
    assert list(tmp_path.iterdir()) == [old]


def test_weights_go_through_memory_alone(monkeypatch, tmp_path):
    """HDF5 opens no file of the disk to write to it."""
    import h5py

    opened = []
    original = h5py.File.__init__

    def spied(self, name, mode="r", *args, **kwargs):
        opened.append((name, mode))
        original(self, name, mode, *args, **kwargs)

    monkeypatch.setattr(h5py.File, "__init__", spied)
    az.save(model(), tmp_path / "new")
    written = [name for name, mode in opened if mode != "r"]
    assert len(written) == 1 and not isinstance(written[0], (str, os.PathLike))


SAVER = """
import sys
import attention_zoo as az
new = [az.build("dense", input_shape=(4,), units=units) for units in (3, 5)]
az.save(new[1], sys.argv[1], overwrite=True)
print("ready", flush=True)
for turn in range(10_000):
    az.save(new[turn % 2], sys.argv[1], overwrite=True)
"""


def test_readers_while_another_process_saves(tmp_path):
    """Two models take turns at one path: a reader gets one of them whole, each time."""
    path = az.save(model(), tmp_path / "one")
    command = [sys.executable, "-c", SAVER, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as saver:
        try:
            assert saver.stdout.readline() == b"ready\n"
            end, counts = time.monotonic() + 3, set()
            while time.monotonic() < end:
                counts.add(az.load(path, verify=True).count_params())
            assert saver.poll() is None
        finally:
            saver.send_signal(signal.SIGKILL)
    assert counts <= {model(3).count_params(), model(5).count_params()}
    az.load(path, verify=True)
    az.save(model(), path, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fails", [False, True])
def test_of_a_folder_that_was_replaced_during_its_reading_a_copy_is_read(tmp_path, fails):
    path, read = tmp_path / "one", []

    def replaced(folder):
        read.append(folder)
        with files.new_folder(path, overwrite=True):
            pass
        if fails and len(read) == 1:
            raise az.PresetError("half")
        return len(read)

    path.mkdir()
    assert reading.steady(lambda: path, replaced) == 2
    assert read[0] == path
    assert not read[1].is_relative_to(path)
    assert not read[1].exists()


def test_an_error_in_a_copy_names_the_folder(tmp_path):
    path = tmp_path / "one"
    path.mkdir()

    def broken(folder):
        with files.new_folder(path, overwrite=True):
            pass
        raise az.PresetError(f"{folder / 'a'} is broken")

    with pytest.raises(az.PresetError) as raised:
        reading.steady(lambda: path, broken)
    assert str(raised.value) == f"{path / 'a'} is broken"


def test_an_error_of_a_folder_that_stays_is_raised_at_once(tmp_path):
    read = []

    def broken(folder):
        read.append(folder)
        raise az.PresetError("broken")

    with pytest.raises(az.PresetError, match="broken"):
        reading.steady(lambda: tmp_path, broken)
    assert len(read) == 1


def test_reading_writes_nothing(tmp_path):
    """Whoever may only read a folder can load what is in it, set aside or not."""
    path = az.save(model(), tmp_path / "one")
    aside = path.rename(tmp_path / ".one.previous")
    before = {each: each.lstat().st_ctime_ns for each in (aside, *aside.iterdir(), tmp_path)}
    az.load(path, verify=True)
    assert az.presets.read_card(path).architecture == "dense"
    assert {each: each.lstat().st_ctime_ns for each in before} == before
