"""The contract over the registry: every promise for every row."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import attention_zoo as az
from tests.cases import CASES
from tests.contract import BACKEND, PARTS, PROMISES, excuse, model_of


def test_every_registered_layer_has_a_row():
    assert {case.layer for case in CASES} == set(az.list_layers())


EXCUSES = {(case.id, promise): excuse(case, promise) for case in CASES for promise in PROMISES}


@pytest.mark.parametrize(
    ("case", "promise"),
    [
        pytest.param(
            case,
            promise,
            id=f"{case.id}-{promise}",
            marks=[pytest.mark.skip(reason=why)] if (why := EXCUSES[case.id, promise]) else [],
        )
        for case in CASES
        for promise in PROMISES
    ],
)
def test_promise(case, promise):
    PROMISES[promise](case)


def test_every_excuse_has_a_reason_and_excuses_something():
    assert all(len(why) > 10 for why in EXCUSES.values() if why is not None)
    known = {*PROMISES, *PARTS}
    assert [key for case in CASES for key in case.excused if key not in known] == []
    here = {promise for (_, promise), why in EXCUSES.items() if why is None}
    graph = set() if BACKEND == "tensorflow" else {"a_graph_knows_what_the_symbol_knows"}
    assert set(PROMISES) - here == graph, "a promise of no layer"


def test_models_come_back_from_disk_in_a_fresh_process(tmp_path):
    # Of each layer the case with the most options: that each option comes back is "config"
    most = {case.layer: case for case in sorted(CASES, key=lambda case: len(case.kwargs))}
    for number, case in enumerate(most.values()):
        model = model_of(case)
        arrays = case.arrays()
        np.savez(tmp_path / f"{number}.npz", y=model.predict(arrays, verbose=0), **arrays)
        model.save(tmp_path / f"{number}.keras")
    code = (
        "import sys, numpy as np, attention_zoo, keras\n"
        "for number in range(int(sys.argv[2])):\n"
        "    stored = dict(np.load(f'{sys.argv[1]}/{number}.npz'))\n"
        "    y = stored.pop('y')\n"
        "    m = keras.models.load_model(f'{sys.argv[1]}/{number}.keras')\n"
        "    np.testing.assert_array_equal(m.predict(stored, verbose=0), y)\n"
        "print('all', number + 1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(len(most))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["all", str(len(most))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_keras_own_checks_of_serialization(case):
    model = model_of(case)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    arrays = case.arrays()
    np.testing.assert_array_equal(
        clone.predict(arrays, verbose=0), model.predict(arrays, verbose=0)
    )
