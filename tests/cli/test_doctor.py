"""The doctor says what is there, what is missing and what to type."""

import json
import sys

import keras
import pytest

from attention_zoo.cli import doctor, main
from attention_zoo.core.installed import Package


@pytest.fixture
def consult(monkeypatch, capsys):
    """Call the doctor where these packages are asked for: (status, printed)."""

    def run(*words, asked, backend=None):
        monkeypatch.setenv("KERAS_BACKEND", backend or keras.backend.backend())
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(
            doctor, "asked_for", lambda name: {k: list(v) for k, v in asked.items()}
        )
        monkeypatch.setattr(sys, "argv", ["attention-zoo", "doctor", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    return run


KERAS = Package("keras", ">=3.12", "3.15.1", True)


def test_all_is_well(consult):
    asked = {"": [KERAS], "pareto": [Package("optuna", ">=4.0", None, False)], "torch": [KERAS]}
    status, printed = consult("--json", asked=asked)
    found = json.loads(printed)
    assert (status, found["problems"], found["backend"]) == (0, [], keras.backend.backend())
    assert found["devices"] and found["backends"][found["backend"]]
    assert list(found["extras"]) == ["pareto"]
    status, printed = consult(asked=asked)
    assert status == 0 and "All is well" in printed and "in use, on cpu" in printed
    assert "pip install 'attention-zoo[pareto]'" in printed


def test_what_is_wrong_has_a_status_and_a_cure(consult):
    status, printed = consult(asked={"": [Package("keras", ">=3.12", "2.15.0", False)]})
    assert status == 1
    assert "keras >=3.12 is needed, 2.15.0 is installed: pip install -U attention-zoo" in printed
    status, printed = consult(asked={"": [KERAS]}, backend="jaxx")
    assert status == 1 and "Did you mean 'jax'?" in printed


def test_a_checkout_says_that_it_is_one(consult):
    status, printed = consult(asked={})
    assert status == 0 and "was not installed by pip" in printed
