"""Keras knows our layers as soon as it is imported, whatever happened before.

A stand-in for Keras and one for our layers make each order a fresh process of a tenth of a second.
"""

import subprocess
import sys
import textwrap

import pytest

KERAS = """
import os, sys, time
__version__ = os.environ.get("KERAS_VERSION", "3.15.1")
if os.environ.pop("KERAS_FAILS", None):
    raise ImportError("no such backend")
time.sleep(float(os.environ.get("KERAS_SECONDS", 0)))
whole = True
"""

LAYERS = """
import os
import keras
assert keras.whole
if os.environ.pop("LAYERS_FAIL", None):
    raise KeyboardInterrupt
keras.knows = True
"""

START = """
import importlib.util, os, sys, threading, time

class StandIn:
    def find_spec(self, name, path=None, target=None):
        if name == "attention_zoo.layers":
            return importlib.util.spec_from_file_location(name, {layers!r})

sys.meta_path.insert(0, StandIn())
sys.path.insert(0, {folder!r})

def fails(import_it, error):
    try:
        import_it()
    except error:
        return
    sys.exit("no " + error.__name__)

def import_keras():
    import keras
"""

END = """
import keras
assert keras.knows and keras.whole
assert "StandIn" not in repr(keras.__loader__) and keras.__loader__ is keras.__spec__.loader
assert type(keras.__loader__) is type(threading.__loader__), type(keras.__loader__)
"""

ORDERS = {
    "we come first": "import attention_zoo, keras",
    "keras comes first": "import keras, attention_zoo",
    "a module of keras's first": "import attention_zoo, keras.ops",
    "looked for before": "import attention_zoo; assert importlib.util.find_spec('keras')",
    "looked for, then a module of keras's": """
        import attention_zoo
        assert importlib.util.find_spec("keras.ops")
        """,
    "keras fails at first": """
        import attention_zoo
        os.environ["KERAS_FAILS"] = "1"
        fails(import_keras, ImportError)
        """,
    "keras fails before us": """
        os.environ["KERAS_FAILS"] = "1"
        fails(import_keras, ImportError)
        import attention_zoo
        """,
    "our layers fail at first": """
        import attention_zoo
        os.environ["LAYERS_FAIL"] = "1"
        fails(import_keras, KeyboardInterrupt)
        """,
    "in a thread, and we come meanwhile": """
        os.environ["KERAS_SECONDS"] = "0.1"
        thread = threading.Thread(target=import_keras)
        thread.start()
        while "keras" not in sys.modules:
            time.sleep(0.001)
        import attention_zoo
        thread.join()
        """,
    "in eight threads at once": """
        import attention_zoo
        os.environ["KERAS_SECONDS"] = "0.1"
        knew = []
        def import_and_look():
            import keras
            knew.append(keras.knows)
        threads = [threading.Thread(target=import_and_look) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(knew) == 8
        """,
    "a thread imports keras, another one our layers": """
        import attention_zoo
        os.environ["KERAS_SECONDS"] = "0.1"
        thread = threading.Thread(target=import_keras)
        thread.start()
        while "keras" not in sys.modules:
            time.sleep(0.001)
        attention_zoo.layers
        thread.join()
        """,
}


@pytest.fixture
def run(tmp_path):
    """Run code beside the stand-ins: its exit status and what it said."""
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(KERAS)
    (tmp_path / "keras" / "ops.py").write_text("")
    (tmp_path / "layers.py").write_text(LAYERS)
    start = START.format(folder=str(tmp_path), layers=str(tmp_path / "layers.py"))

    def run(code):
        code = start + textwrap.dedent(code)
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize("order", ORDERS)
def test_keras_knows_our_layers_whatever_happened_before(run, order):
    done = run(textwrap.dedent(ORDERS[order]) + END)
    assert done.returncode == 0, done.stderr


def test_an_older_keras_is_refused_each_time_it_is_imported(run):
    done = run("""
        import attention_zoo
        os.environ["KERAS_VERSION"] = "2.15.0"
        fails(import_keras, ImportError)
        import keras
        """)
    assert done.stderr.strip().endswith(
        "attention_zoo needs keras 3.15 or newer. 2.15.0 is installed: pip install -U 'keras>=3.15'"
    )
