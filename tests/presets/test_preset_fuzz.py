"""Whatever is done to a preset's files, `az.load` answers with PresetError or with a whole model.

The card vouches for what is there, so that the readers behind it are reached. The examples are few
and the same in every run; raise `max_examples` and leave `derandomize` out to search longer.
"""

import json
import shutil

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import attention_zoo as az
from attention_zoo.presets.folder import CARD, CONFIG, GOLDEN, WEIGHTS
from tests.test_fuzz import VALUES, damaged
from tests.untrusted_input_presets import PARAMETERS, PRESET, vouch, whole

few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    whole(folder)
    return folder / PRESET


def answered(path):
    """PresetError that names the preset and is one printable text, or a model that predicts."""
    try:
        model = az.load(path, verify=True)
    except az.PresetError as error:
        assert str(path) in str(error)
        assert str(error).replace("\n", "").isprintable()
        return
    assert isinstance(model, keras.Model)
    assert model.count_params() < 10 * PARAMETERS


@pytest.mark.parametrize("name", [CARD, CONFIG, WEIGHTS, GOLDEN])
@few
@given(data=st.data())
def test_files_of_a_preset(sound, tmp_path, name, data):
    path = tmp_path / PRESET
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(sound, path)
    (path / name).write_bytes(data.draw(damaged((sound / name).read_bytes())))
    if name != CARD:
        vouch(path)
    answered(path)


def places(value, at=()):
    """The places of all values in a JSON value."""
    yield at
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from places(item, (*at, key))
    for key, item in enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*at, key))


@pytest.mark.parametrize("name", [CARD, CONFIG])
@few
@given(data=st.data())
def test_values_of_a_card_and_a_config(sound, tmp_path, name, data):
    """JSON as it should be, but for one value that is any other."""
    path = tmp_path / PRESET
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(sound, path)
    values = json.loads((path / name).read_text())
    *there, last = data.draw(st.sampled_from([at for at in places(values) if at]))
    home = values
    for key in there:
        home = home[key]
    home[last] = data.draw(VALUES)
    (path / name).write_text(json.dumps(values))
    if name != CARD:
        vouch(path)
    answered(path)


def test_what_is_not_changed_is_loaded(sound):
    assert az.load(sound, verify=True)(np.zeros((2, 4))).shape == (2, 1)
