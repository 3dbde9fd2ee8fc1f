"""What a package says of itself while it is imported is left out; all else is not."""

import importlib.util
import sys

import pytest

from attention_zoo.cli.quiet import hush

NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n"
    "I0000 00:00:1795565238.219262    7655 port.cc:153] oneDNN custom operations are on.\\n"
)


@pytest.fixture
def imported(tmp_path, monkeypatch, capfd):
    """Import a module of this text, hushed: what comes out at the error stream."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))

    def run(text):
        (tmp_path / "noisy_package.py").write_text(text)
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, "noisy_package", raising=False)
        hush("noisy_package")
        assert importlib.util.find_spec("noisy_package")  # as packages look for each other
        try:
            importlib.import_module("noisy_package")
        finally:
            print("after", file=sys.stderr)
        return capfd.readouterr().err

    yield run
    sys.modules.pop("noisy_package", None)


def test_chatter_is_left_out_and_the_rest_comes_through(imported):
    said = imported(f"import os; os.write(2, b'{NOISE}a real problem\\n')")
    assert said == "a real problem\nafter\n"


def test_nothing_is_hushed_once_it_is_imported(imported, capfd):
    imported("import os\ndef speak(): os.write(2, b'I0000 1 2 a.cc:3] later')")
    sys.modules["noisy_package"].speak()
    assert capfd.readouterr().err == "I0000 1 2 a.cc:3] later"


def test_an_import_that_fails_says_so(imported, capfd):
    with pytest.raises(ImportError, match="no such backend"):
        imported(f"import os; os.write(2, b'{NOISE}why\\n'); raise ImportError('no such backend')")
    assert capfd.readouterr().err == "why\nafter\n"
