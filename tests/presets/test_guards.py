"""What guards presets and is no row of `tests/untrusted_input_presets.py`."""

import resource
import zipfile

import h5py
import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.presets.config_guard import KERAS_CLASSES
from attention_zoo.presets.folder import CARD, WEIGHTS
from tests.untrusted_input_presets import PARAMETERS, X, configured, vouch


@pytest.fixture
def preset(tmp_path):
    keras.utils.set_random_seed(3)
    return az.save(az.build("dense", input_shape=(4,), units=3), tmp_path / "mine", examples=X)


def snapshot(folder):
    return {p.name: (p.lstat().st_size, p.lstat().st_mtime_ns) for p in folder.iterdir()}


def refused(preset, message):
    """Loading raises PresetError, writes nothing, and takes no memory to speak of."""
    before, beside = snapshot(preset), sorted(preset.parent.iterdir())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(az.PresetError, match=message):
        az.load(preset)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 200_000
    assert snapshot(preset) == before
    assert sorted(preset.parent.iterdir()) == beside


def test_a_class_that_a_stranger_registered_under_our_name(preset):
    @keras.saving.register_keras_serializable("attention_zoo")
    class Stranger(keras.layers.Layer):
        pass

    configured(preset, attention={"class_name": "attention_zoo>Stranger", "config": {}})
    refused(preset, "names the class 'attention_zoo>Stranger'")


def test_every_class_of_keras_is_allowed_or_refused_by_choice():
    """A newer Keras has new classes: each is to be looked at before it goes into the table."""
    refused = {
        "keras.layers": {"FlaxLayer", "InputSpec", "JaxLayer", "Lambda", "Layer", "MelSpectrogram",
                         "STFTSpectrogram", "TFSMLayer", "TorchModuleWrapper", "Wrapper"},
        "keras.initializers": {"Initializer", "STFT", "STFTInitializer", "stft"},
        "keras.regularizers": {"Regularizer"},
        "keras.constraints": {"Constraint"},
        "keras.dtype_policies": set(),
    }  # fmt: skip
    for module, names in refused.items():
        home = getattr(keras, module.removeprefix("keras."))
        there = {name for name in dir(home) if isinstance(getattr(home, name), type)}
        assert there - KERAS_CLASSES[module] == names, module


def test_a_file_more(preset):
    (preset / "run_me.py").write_text("")
    refused(preset, "holds 'run_me.py', which is no file of a preset")


def test_names_that_differ_in_case(preset):
    (preset / WEIGHTS).rename(preset / WEIGHTS.upper())
    refused(preset, "is no file of a preset")


def test_a_zip_in_place_of_the_folder(preset, tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.write(preset / CARD, "../../card.json")
    with pytest.raises(NotADirectoryError, match="A preset is a folder"):
        az.load(tmp_path / "mine.zip")


def test_not_a_number_in_the_weights_is_found_by_verify(preset):
    with h5py.File(preset / WEIGHTS, "r+") as file:
        found = []
        file.visititems(lambda name, item: found.append(item) if hasattr(item, "shape") else None)
        found[0][...] = np.nan
    vouch(preset)
    with pytest.raises(az.PresetError, match="differs"):
        az.load(preset, verify=True)


@pytest.fixture
def archive(tmp_path):
    model = az.build("dense", input_shape=(4,), units=3)
    model.compile("adam", "mse")
    model.save(tmp_path / "a.keras")
    return tmp_path / "a.keras"


def test_a_keras_file_is_loaded(archive):
    model = az.load(archive)
    assert model.count_params() == PARAMETERS
    with pytest.raises(ValueError, match="are for presets"):
        az.load(archive, verify=True)
