"""What is installed is told from what is asked for."""

import importlib

import pytest

from attention_zoo.core.installed import Package, asked_for, installed


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
    assert asked_for("zoo-a") == {
        "": [Package("zoo-b", ">=2", "1.5", False), Package("zoo-c", "", None, False)],
        "more": [Package("zoo-d", ">=1", None, False)],
        "old": [Package("zoo-b", "<2", "1.5", True)],
    }
    assert installed("zoo-b") == "1.5"


def test_what_is_not_installed_itself_asks_for_nothing_that_is_known(distribution):
    assert asked_for("zoo-e") == {}
