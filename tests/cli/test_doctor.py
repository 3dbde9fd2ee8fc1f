"""The doctor says what is there, what is missing and what to type."""

import configparser
import importlib
import json
import sys
from pathlib import Path

import keras
import pytest

from attention_zoo.cli import doctor, main


def _package(name, wanted, found, fits):
    return {"name": name, "wanted": wanted, "found": found, "fits": fits}


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


KERAS = _package("keras", ">=3.12", "3.15.1", True)


def test_all_is_well(consult):
    asked = {"": [KERAS], "pareto": [_package("optuna", ">=4.0", None, False)], "torch": [KERAS]}
    status, printed = consult("--json", asked=asked)
    found = json.loads(printed)
    assert (status, found["problems"], found["backend"]) == (0, [], keras.backend.backend())
    assert found["devices"] and found["backends"][found["backend"]]
    assert list(found["extras"]) == ["pareto"]
    status, printed = consult(asked=asked)
    assert status == 0 and "All is well" in printed and "in use, on cpu" in printed
    assert "pip install 'attention-zoo[pareto]'" in printed


def test_what_is_wrong_has_a_status_and_a_cure(consult):
    status, printed = consult(asked={"": [_package("keras", ">=3.12", "2.15.0", False)]})
    assert status == 1
    assert "keras >=3.12 is needed, 2.15.0 is installed: pip install -U attention-zoo" in printed
    status, printed = consult(asked={"": [KERAS]}, backend="jaxx")
    assert status == 1 and "Did you mean 'jax'?" in printed


def test_a_backend_that_is_not_in_use_may_be_missing(consult):
    """As after `pip install --no-deps`, in an environment with another backend."""
    used = keras.backend.backend()
    missing = [
        _package(name, ">=1", None, False) for name in ("tensorflow", "jax", "torch", "optree")
    ]
    status, printed = consult("--json", asked={"": missing[:3]})
    problems = json.loads(printed)["problems"]
    assert (status, len(problems)) == (1, 1) and problems[0].startswith(f"{used} >=1 is needed")
    others = [one for one in missing[:3] if one["name"] != used]
    assert consult(asked={"": others})[0] == 0
    status, printed = consult("--json", asked={"": [*others, missing[3]]})
    assert status == 1 and "optree >=1 is needed" in json.loads(printed)["problems"][0]


def test_a_backend_that_is_missing_has_a_cure(consult, monkeypatch):
    error = ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")
    monkeypatch.setattr("attention_zoo.load", lambda *args, **options: (_ for _ in ()).throw(error))
    status, printed = consult("--json", asked={"": [KERAS]})
    assert status == 1
    (problem,) = json.loads(printed)["problems"]
    assert (
        "pip install 'attention-zoo[tensorflow]', or choose another with KERAS_BACKEND" in problem
    )
    extras = set(dict(_extras()))
    assert {"tensorflow", "jax", "torch"} <= extras
    assert not [extra for extra in extras if "_" in extra]  # pip of Debian 12 does not find them


def _extras():
    settings = configparser.ConfigParser()
    settings.read(Path(__file__).parents[2] / "setup.cfg")
    return settings["options.extras_require"].items()


def test_a_checkout_says_that_it_is_one(consult):
    status, printed = consult(asked={})
    assert status == 0 and "was not installed by pip" in printed


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    for name, more in (
        ("zoo-a", ["Requires-Dist: zoo-b>=2", "Requires-Dist: zoo-c",
                   'Requires-Dist: zoo-b<2; extra == "old"', "Provides-Extra: old",
                   'Requires-Dist: zoo-d>=1; extra == "more"', "Provides-Extra: more",
                   'Requires-Dist: zoo-c; python_version < "3"']),
        ("zoo-b", []),
    ):  # fmt: skip
        folder = tmp_path / f"{name.replace('-', '_')}-1.5.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.5", *more]
        (folder / "METADATA").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()


def test_what_is_missing_or_of_another_version_is_told(distribution):
    assert doctor.asked_for("zoo-a") == {
        "": [_package("zoo-b", ">=2", "1.5", False), _package("zoo-c", "", None, False)],
        "more": [_package("zoo-d", ">=1", None, False)],
        "old": [_package("zoo-b", "<2", "1.5", True)],
    }
    assert doctor.installed("zoo-b") == "1.5"


def test_what_is_not_installed_itself_asks_for_nothing_that_is_known(distribution):
    assert doctor.asked_for("zoo-e") == {}
