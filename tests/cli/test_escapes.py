"""No name of a file, a column, a layer or in a card commands the terminal."""

import json
import re
import sys

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.cli import console, main
from attention_zoo.core.parsing import printable

#: Clear the screen; set the window's title; the same in one mark; go back; turn the direction.
MARKS = ["\x1b[2J", "\x1b]0;mine\x07", "\x9b2J", "\b", "\u202e", "\x00", "\x7f"]
NASTY = "a" + "".join(MARKS) + "b"
SHOWN = r"a\x1b[2J\x1b]0;mine\x07\x9b2J\x08\u202e\x00\x7fb"
#: What may stand in what is printed: Rich's own colours are off where nobody looks on.
PLAIN = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]*")


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path):
    """Run a command line in an empty folder: all that was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console.out, "width", 300)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["attention-zoo", *map(str, words)])
        with pytest.raises(SystemExit):
            main()
        printed = capsys.readouterr()
        assert PLAIN.fullmatch(printed.out), printed.out
        assert PLAIN.fullmatch(printed.err), printed.err
        return printed.out + printed.err

    return run


def test_what_is_escaped():
    assert printable(NASTY) == SHOWN
    assert printable("żółw 亀 █ \n two") == "żółw 亀 █ \n two"


PRINTED = {
    "a line": lambda: console.out.print(NASTY),
    "a complaint": lambda: console.complain(NASTY),
    "an error line": lambda: console.err.print(NASTY),
    "a title": lambda: console.table(NASTY, ["a"], []),
    "a column": lambda: console.table("", [NASTY], [["1"]]),
    "a cell": lambda: console.table("", ["a"], [[NASTY]]),
    "JSON": lambda: console.out.print_json(json.dumps({NASTY: NASTY}, ensure_ascii=False)),
}


@pytest.mark.parametrize("name", PRINTED)
def test_one_place_escapes_whatever_is_printed(capsys, monkeypatch, name):
    monkeypatch.setattr(console.out, "width", 300)
    PRINTED[name]()
    printed = "".join(capsys.readouterr())
    assert PLAIN.fullmatch(printed), printed
    if name == "JSON":
        assert json.loads(printed) == {NASTY: NASTY}
    else:
        assert SHOWN in printed


def test_an_error_of_a_preset_commands_no_terminal_in_python_either():
    assert str(az.PresetError(f"{NASTY} is damaged")) == f"{SHOWN} is damaged"


@pytest.fixture
def preset(tmp_path):
    about = {"license": NASTY, "provenance": NASTY, "limits": NASTY, "names": ["\x1b[1m", "b"],
             "scores": {NASTY: 1.0}}  # fmt: skip
    return az.save(az.build("dense", input_shape=(2,)), tmp_path / "mine", about=about)


def test_a_card(shell, preset):
    assert shell("show", preset).count(SHOWN) == 4
    assert json.loads(shell("show", preset, "--json"))["license"] == NASTY


def test_the_columns_of_a_table(shell, preset, tmp_path):
    (tmp_path / "own.csv").write_text("\x1b[1m,b\n1,2\n3,4\n")
    printed = shell("explain", preset, "--data", "own.csv", "--overwrite")
    assert r"\x1b[1m" in printed
    (tmp_path / "own.csv").write_text("\x1b[2m,b\n1,2\n3,4\n")
    assert r"\x1b[2m" in shell("explain", preset, "--data", "own.csv", "--overwrite")


@pytest.mark.parametrize("words", [["show"], ["explain"], ["evaluate"], ["export"]])
def test_a_folder_that_is_none(shell, words):
    assert r" \x1b[2J" in shell(*words, "./\x1b[2J", *(["a.onnx"] if "export" in words else []))


def test_a_folder_of_presets(shell, preset, tmp_path, monkeypatch):
    (tmp_path / "all").mkdir()
    preset.rename(tmp_path / "all" / "\x1b[2J")
    monkeypatch.setattr("attention_zoo.presets.folder._FOLDERS", [tmp_path / "all"])
    assert r"\x1b[2J" in shell("list", "presets")


def test_a_layer(shell, tmp_path):
    x = keras.Input((3,))
    model = keras.Model(x, az.layers.FeatureAttention(name="\x1b[2J")(x))
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match="is not a valid scope name"):
            az.save(model, tmp_path / "mine")
        return
    az.save(model, tmp_path / "mine")
    np.savez(tmp_path / "own.npz", x=np.zeros((5, 3), "float32"))
    for layer in ([], ["--layer", "\x1b[3J"]):
        printed = shell("explain", tmp_path / "mine", "--data", "own.npz", "--overwrite", *layer)
        assert not layer or r"\x1b[2J" in printed
