"""`attention-zoo explain --trust`."""

import json
import sys

import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.cli import main


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path):
    """Run a command line in an empty folder: (status, printed, complained)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["attention-zoo", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def test_the_page_of_a_preset_and_its_file(shell, tmp_path):
    words = ["explain", "dense", "--trust", "--samples", 40, "--trust-out", "t.json"]
    status, printed, complaint = shell(*words)
    assert status == 0, complaint
    said = " ".join(printed.split())
    assert "Can the attention of dense.planted_feature be trusted? Layer attention, 40" in said
    assert "the task needs no attention" in said
    assert "relevance mass accuracy 1.000" in said
    assert max(map(len, printed.splitlines())) <= 80
    page = json.loads((tmp_path / "t.json").read_text())
    assert page["model"] == "dense.planted_feature"
    assert all(row["name"] in said for row in page["rows"])
    assert not list(tmp_path.glob("*.png"))
    status, _, complaint = shell(*words)
    assert (status, "exists and is kept" in complaint) == (2, True)


def test_the_users_own_model_and_data(shell, tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 32)).astype("float32")
    np.savez(tmp_path / "own.npz", x=x, y=(x[:, 1] > 0).astype(int))
    az.load("dense").save(tmp_path / "m.keras")
    status, printed, complaint = shell("explain", "m.keras", "--trust", "--data", "own.npz")
    assert status == 0, complaint
    said = " ".join(printed.split())
    assert "Can the attention of m be trusted? Layer attention, 30 samples" in said
    assert "accuracy, uniform attention" in said
    assert "pass its metric as retrained_uniform" in said


def test_labels_of_text_are_the_presets_classes(shell, tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 2)).round(4)
    lines = [f"{a},{b},{'yes' if b > 0 else 'no'}" for a, b in rows]
    (tmp_path / "own.csv").write_text("first,second,bought\n" + "\n".join(lines) + "\n")
    words = ["--data", "own.csv", "--target", "bought"]
    assert shell("train", "dense", *words, "--epochs", 1, "--out", "mine")[0] == 0
    status, printed, complaint = shell("explain", "./mine", "--trust", *words)
    assert status == 0, complaint
    assert "accuracy, uniform attention" in " ".join(printed.split())
    (tmp_path / "own.csv").write_text("first,second,bought\n1,2,maybe\n3,4,no\n")
    status, _, complaint = shell("explain", "./mine", "--trust", *words)
    assert status == 2
    assert "the class 'maybe', which mine does not know. Its classes: ['no', 'yes']" in complaint


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trust-out", "t.txt"], "--trust-out must end in .json. Received: t.txt"),
        (["--trust", "--layer", "atention"], "Did you mean 'attention'"),
        (["--trust", "--samples", 0], "`samples` must be a positive integer"),
        (["--trust", "--data", "no.npz"], "There is no file no.npz"),
    ],
)
def test_bad_input_is_one_line_and_status_2(shell, tmp_path, words, message):
    status, _, complaint = shell("explain", "dense", *words)
    assert (status, len(complaint.strip().splitlines())) == (2, 1)
    assert message in complaint
    assert not list(tmp_path.iterdir())
