"""attention-zoo tune: the same search as az.tune, from a shell."""

import csv
import io
import shlex

import pytest
from rich.console import Console

import attention_zoo as az
from attention_zoo.cli import trial_table
from attention_zoo.tuning import TrialResult
from tests.cli.test_cli import shell, table  # noqa: F401

QUICK = ("--max-trials", 2, "--epochs", 1, "--samples", 60)


def test_a_search_of_a_csv_from_the_shell_ends_in_a_preset(shell, table, tmp_path):  # noqa: F811
    words = ("tune", "dense", "--data", table, "--target", "bought", *QUICK, "--out", "found",
             "--set", "dense/units=[4, 8]", "--set", "attention/normalizer=sparsemax")  # fmt: skip
    status, printed, _ = shell(*words)
    assert status == 0
    assert "Best: trial" in printed and "attention-zoo show ./found/best" in printed
    names = {path.name for path in (tmp_path / "found").iterdir()}
    assert {"trials.csv", "epochs.csv", "trials.json", "best", "progress.png"} <= names
    with open(tmp_path / "found" / "trials.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["dense/units"] for row in rows} <= {"4", "8"}
    assert {row["attention/normalizer"] for row in rows} == {"sparsemax"}
    best = az.load("found/best", verify=True)
    assert best.input_shape == (None, 2)
    status, _, complained = shell(*words)
    assert status == 2 and "holds a search" in complained and "--resume" in complained
    status, printed, _ = shell(*words, "--resume")
    assert status == 0 and "2 trials" in printed


def test_folds_of_ordered_samples_and_the_best_point_of_an_earlier_search(shell, table):  # noqa: F811
    words = ("tune", "dense", "--data", table, "--target", "bought", "--epochs", 1,
             "--max-trials", 3, "--set")  # fmt: skip
    one, other = "dense/units=[4, 8]", "dense/units=[8, 4]"  # the first is the default
    status, printed, complaint = shell(*words, one, "--folds", 2, "--ordered", "--out", "first")
    assert status == 0, complaint
    assert "on 2 folds" in complaint
    with open("first/epochs.csv") as file:
        assert [row["fold"] for row in csv.DictReader(file)] == ["0", "1"] * 3
    status, printed, complaint = shell(*words, other, "--initial", "first", "--out", "second")
    assert status == 0, complaint
    with open("second/trials.csv") as file:
        second = list(csv.DictReader(file))[1]
    best = az.tuning.best_values("first")
    assert {name: second[name] for name in best} == {k: str(v) for k, v in best.items()}
    status, _, complaint = shell(*words, one, "--initial", "thrid", "--out", "third")
    assert status == 2 and "thrid holds no search" in complaint


def test_an_interrupted_search_says_how_to_go_on(shell, monkeypatch, tmp_path):  # noqa: F811
    def stop(*arguments):
        raise KeyboardInterrupt

    words = ("tune", "dense", "--task", "planted_feature", *QUICK, "--out", "a search")
    with monkeypatch.context() as patch:
        patch.setattr(trial_table.TrialTable, "on_epoch_end", stop)
        status, printed, complaint = shell(*words)
    assert (status, printed) == (130, "")
    assert complaint.splitlines()[-1] == (
        "attention-zoo: Interrupted. The progress is saved in a search: go on with the same "
        "command and --resume."
    )
    status, printed, complaint = shell(*words, "--resume")
    assert status == 0, complaint
    copied = shlex.split(printed.partition("The best model is a preset: ")[2])
    assert copied == ["attention-zoo", "show", "./a search/best"]
    assert shell(*copied[1:])[0] == 0


def test_the_live_table_cuts_no_metric_and_an_interruption_leaves_what_ended(monkeypatch):
    printed = io.StringIO()
    console = Console(file=printed, width=45, force_terminal=True)
    monkeypatch.setattr(trial_table, "err", console)
    values = {"lstm_after/recurrent_dropout": 0.3, "attention/normalizer": "softmax"}
    with pytest.raises(KeyboardInterrupt), trial_table.TrialTable() as callback:
        callback.on_search_begin(["log_loss"], [])
        for trial in range(20):
            callback.on_trial_begin(trial, values)
            callback.on_epoch_end(trial, 1, 12, {"val_loss": 0.123456})
            shown = io.StringIO()
            Console(file=shown, width=45).print(callback.live.get_renderable())
            assert "val_loss 0.1235" in shown.getvalue()
            if trial < 19:
                metrics = {"log_loss": 0.60001 + trial / 100}
                callback.on_trial_end(TrialResult(trial, "COMPLETED", values, metrics, []))
        printed.truncate(0)
        raise KeyboardInterrupt
    left = printed.getvalue()
    assert all(f"{0.6 + trial / 100:.4g}" in left for trial in range(19))
    assert "epoch" not in left.rpartition("trial")[2]


@pytest.mark.parametrize("words, match", [
    (("tune", "dense", "--task", "planted_feature"), "--out"),
    (("tune", "dense", "--out", "s"), "--task or --data"),
    (("tune", "dense", "--task", "planted_feature", "--ordered", "--out", "s"), "--ordered is"),
    (("tune", "dense", "--task", "planted_feature", "--folds", "3", "--out", "s"), "`folds` is"),
    (("train", "dense", "--task", "planted_feature", "--ordered", "--out", "s"), "--ordered is"),
    (("tune", "dens", "--task", "planted_feature", "--out", "s"), "Did you mean 'dense'"),
    (("tune", "dense", "--task", "planted", "--out", "s"), "planted_"),
    (("tune", "dense", "--task", "planted_feature", "--out", "s", "--tuner", "bayes"), "bayesian"),
    (("tune", "dense", "--task", "planted_feature", "--out", "s", "--set", "units"), "NAME=VALUE"),
    (("tune", "dense", "--task", "planted_feature", "--out", "s", "--set", "dense/unit=3"),
     "dense/units"),
    (("tune", "dense", "--task", "planted_feature", "--out", "s", "--max-trials", 0),
     "max_trials"),
    (("tune", "gru", "--task", "planted_feature", "--out", "s"), "input_shape"),
])  # fmt: skip
def test_mistakes_are_told_in_a_line_and_nothing_is_written(shell, tmp_path, words, match):  # noqa: F811
    status, printed, complained = shell(*words)
    assert status == 2 and printed == ""
    assert match in " ".join(complained.split())
    assert "Traceback" not in complained
    assert list(tmp_path.iterdir()) == []
