"""What a stranger sends can at worst be refused: one hostile preset a row."""

import hashlib
import json
import os
import resource
import zipfile

import h5py
import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.presets.folder import CARD, CONFIG, GOLDEN, VOUCHED, WEIGHTS
from attention_zoo.presets.keras_classes import KERAS_CLASSES

#: Of the model of `preset`: 4 features, 3 units.
PARAMETERS = (4 * 4 + 4) + (4 * 3 + 3) + (3 + 1)
X = np.random.default_rng(0).random((5, 4)).astype("float32")


@pytest.fixture
def preset(tmp_path):
    keras.utils.set_random_seed(3)
    return az.save(az.build("dense", input_shape=(4,), units=3), tmp_path / "mine", examples=X)


def vouch(folder):
    """Make the card agree with the files as they are now: whoever writes one writes both."""
    card = json.loads((folder / CARD).read_text())
    for name in card["files"]:
        data = (folder / name).read_bytes()
        card["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (folder / CARD).write_text(json.dumps(card))


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


def configured(preset, **config):
    whole = json.loads((preset / CONFIG).read_text())
    whole["config"].update(config)
    (preset / CONFIG).write_text(json.dumps(whole))
    vouch(preset)


JSON = {
    "1 MB of spaces": (b" " * 1_000_001, "more than the 1,000,000 allowed"),
    "deep": (b"[" * 100_000, "100000 levels deep"),
    "deep and closed": (b"[" * 5000 + b"]" * 5000, "5000 levels deep"),
    "many values": (b"[" + b"1," * 200_000 + b"1]", "200000 values"),
    "a key twice": (b'{"a": 1, "a": 2}', "'a' stands twice"),
    "NaN": (b'{"a": NaN}', "NaN is no number"),
    "infinity": (b'{"a": -Infinity}', "-Infinity is no number"),
    "a byte-order mark": (b"\xef\xbb\xbf{}", "byte-order mark"),
    "not UTF-8": (b'{"a": "\xff"}', "utf-8"),
    "UTF-16": ("{}".encode("utf-16"), "utf-8"),
    "cut": (b'{"a": ', "no valid JSON"),
    "empty": (b"", "no valid JSON"),
    "two values": (b"{} {}", "Extra data"),
    "an array": (b"[]", "no valid card|must be an object"),
}


@pytest.mark.parametrize("file", [CARD, CONFIG])
@pytest.mark.parametrize("name", JSON)
def test_json(preset, name, file):
    data, message = JSON[name]
    (preset / file).write_bytes(data)
    if file == CONFIG:
        vouch(preset)
    refused(preset, message)


REGULARIZER = "kernel_regularizer"
CLASSES = {
    "Lambda": {"class_name": "Lambda", "config": {}},
    "Lambda of Keras": {"module": "keras.layers", "class_name": "Lambda", "config": {}},
    "a SavedModel": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {}},
    "a JAX function": {"module": "keras.layers", "class_name": "JaxLayer", "config": {}},
    "a lambda": {"class_name": "__lambda__", "config": {"value": "AAAA"}},
    "os.system": {"module": "os", "class_name": "system", "config": "true"},
    "main": {"module": "__main__", "class_name": "Mine", "config": {}},
    "a function": {"module": "builtins", "class_name": "function", "config": "eval",
                   "registered_name": "function"},
    "a private room": {"module": "keras.src.utils", "class_name": "get_file", "config": {}},
    "a function of Keras": {"module": "keras.layers", "class_name": "serialize", "config": {}},
    "somebody's": {"module": "mine", "class_name": "Mine", "config": {},
                   "registered_name": "mine>Mine"},
    "under our name": {"module": "mine", "class_name": "Mine", "config": {},
                       "registered_name": "attention_zoo>Mine"},
    "under Keras's name": {"module": "keras.layers", "class_name": "Dense", "config": {},
                           "registered_name": "mine>Dense"},
    "a number": {"class_name": 3, "config": {}},
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
def test_classes(preset, name):
    configured(preset, attention=CLASSES[name])
    refused(preset, "names the class")


@pytest.mark.parametrize("name", ["Lambda", "os.system", "a function", "somebody's"])
def test_classes_inside_of_ours(preset, name):
    configured(preset, attention={"class_name": "feature", "config": {REGULARIZER: CLASSES[name]}})
    refused(preset, "names the class")


def test_a_class_that_a_stranger_registered_under_our_name(preset):
    @keras.saving.register_keras_serializable("attention_zoo")
    class Stranger(keras.layers.Layer):
        pass

    configured(preset, attention={"class_name": "attention_zoo>Stranger", "config": {}})
    refused(preset, "names the class 'attention_zoo>Stranger'")


class Thing:
    """What somebody else registered with Keras, in every way; it counts how often it is made."""

    made = 0

    def __init__(self, *args, **kwargs):
        Thing.made += 1

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()

    def __call__(self, *args, **kwargs):
        return args[0]


@pytest.fixture
def thing():
    Thing.made = 0
    objects = keras.saving.get_custom_objects()
    before = dict(objects)
    keras.saving.register_keras_serializable("userlib")(Thing)
    objects["relu6"] = Thing  # as code of old does: under one of Keras's own names
    yield
    assert Thing.made == 0
    objects.clear()
    objects.update(before)


def _thing(**other):
    return {"module": "userlib", "class_name": "Thing", "config": {}, **other}


def _keras(class_name, module="keras.layers", **config):
    return {"module": module, "class_name": class_name, "config": config}


ours = {"class_name": "attention_zoo>FeatureAttention", "config": {}}
#: A config under `attention`, of which some part names the thing.
STRANGERS = {
    "an initializer": {"class_name": "feature", "config": {"kernel_initializer": "userlib>Thing"}},
    "a regularizer": {"class_name": "feature", "config": {REGULARIZER: "userlib>Thing"}},
    "a constraint": _keras("Dense", units=1, kernel_constraint="userlib>Thing"),
    "an activation": _keras("Dense", units=1, activation="userlib>Thing"),
    "one of Keras's names": _keras("Dense", units=1, activation="relu6"),
    "a dtype policy": _keras("Dense", units=1, dtype="userlib>Thing"),
    "a dtype policy's map": _keras("DTypePolicyMap", "keras.dtype_policies",
                                   policy_map={"a": "userlib>Thing"}),
    "a class": _thing(),
    "a class by its registered name": _thing(registered_name="userlib>Thing"),
    "a class by that name alone": {"class_name": "userlib>Thing", "config": {}},
    "under a class of ours": {**ours, "registered_name": "userlib>Thing"},
    "over a class of ours": _thing(registered_name="attention_zoo>FeatureAttention",
                                   class_name="userlib>Thing"),
    "under a name of ours": {**ours, "class_name": "feature", "registered_name": "userlib>Thing"},
    "under a class of Keras": {**_keras("Dense"), "registered_name": "userlib>Thing"},
    "a function": {"module": "builtins", "class_name": "function", "config": "userlib>Thing",
                   "registered_name": "function"},
    "a function without its package": {"module": "builtins", "class_name": "function",
                                       "config": "Thing", "registered_name": "function"},
    "a wrapped layer": _keras("TimeDistributed", layer=_thing()),
    "a wrapped layer's word": _keras("Bidirectional", layer=_keras(
        "GRU", units=1, recurrent_initializer="userlib>Thing")),
    "a cell": _keras("RNN", cell=_thing(registered_name="userlib>Thing")),
    "one of several cells": _keras("StackedRNNCells", cells=[_keras("GRUCell"), _thing()]),
    "a shared object": {**_keras("Dense", units=1, kernel_initializer="userlib>Thing"),
                        "shared_object_id": 1},
    "what it is built with": {**_keras("Dense", units=1), "build_config": {"a": "userlib>Thing"}},
    "what it is compiled with": {**_keras("Dense", units=1),
                                 "compile_config": {"loss": "userlib>Thing"}},
    "an optimizer": {**_keras("Dense", units=1), "compile_config": {
        "optimizer": {"class_name": "userlib>Thing", "config": {}}}},
    "a call's argument": {"inbound_nodes": [{"args": [["userlib>Thing"]], "kwargs": {}}]},
    "a key": {"class_name": "feature", "config": {"userlib>Thing": 1}},
    "how text is split": _keras("TextVectorization", split="userlib>Thing"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGERS)
def test_what_somebody_else_registered(preset, thing, name):
    configured(preset, attention=STRANGERS[name])
    refused(preset, "names the class")


@pytest.mark.parametrize("name", STRANGERS)
def test_what_somebody_else_registered_in_a_keras_file(archive, thing, name):
    model = _keras("Sequential", "keras", name="m", layers=[STRANGERS[name]])
    repacked(archive, config_json=json.dumps(model).encode())
    with pytest.raises(az.PresetError, match="names the class"):
        az.load(archive)


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


def _within(text):
    value = {"class_name": "__numpy__", "module": None, "config": {"value": [1], "dtype": text}}
    return _keras("Rescaling", scale=value)


#: A few words from which Keras would make much.
MUCH = {
    "text of 4 GB in an array": (_within("U1000000000"), "has an array of dtype 'U1000000000'"),
    "bytes of 1 GB in an array": (_within("S1000000000"), "has an array of dtype"),
    "objects in an array": (_within("O"), "has an array of dtype 'O'"),
    "no dtype": (_within(None), "has an array of dtype None"),
    "a file of words": (_keras("StringLookup", vocabulary="/etc/passwd"), "names the file"),
    "a file to split": (_keras("TextVectorization", vocabulary="/etc/passwd"), "names the file"),
    "a spectrogram": (_keras("MelSpectrogram", num_mel_bins=10**5, fft_length=10**6), "the class"),
}


@pytest.mark.parametrize("name", MUCH)
def test_much_from_few_words(preset, name):
    value, message = MUCH[name]
    configured(preset, attention=value)
    refused(preset, message)


def sequential(preset, layers, parameters):
    """Make the preset that of a Sequential model with these layers."""
    model = _keras("Sequential", "keras", name="m", layers=layers)
    (preset / CONFIG).write_text(json.dumps({"architecture": "sequential", "config": model}))
    vouch(preset)
    card = json.loads((preset / CARD).read_text())
    card |= {"architecture": "sequential", "parameters": parameters}
    (preset / CARD).write_text(json.dumps(card))


def _input(*shape):
    return _keras("InputLayer", batch_shape=[None, *shape], dtype="float32", name="i")


def test_more_layers_than_a_model_needs(preset):
    layers = [_keras("Activation", activation="relu", name=f"a{i}") for i in range(6000)]
    sequential(preset, [_input(4), *layers], PARAMETERS)
    refused(preset, "needs more than 5000 calls")


@pytest.mark.parametrize(
    "config",
    [{"units": 10**9}, {"units": 10**30}, {"depth": 10**6}, {"outputs": 10**8},
     {"input_shape": [10**8]}],
    ids=str,
)  # fmt: skip
def test_a_model_larger_than_its_card(preset, config):
    configured(preset, **config)
    refused(preset, f"more than the {PARAMETERS} parameters")


def test_a_card_that_promises_more_than_the_file_holds(preset):
    configured(preset, units=10**9)
    card = json.loads((preset / CARD).read_text())
    (preset / CARD).write_text(json.dumps({**card, "parameters": 10**12}))
    refused(preset, f"holds {PARAMETERS} numbers")


def other_weights(preset, write):
    (preset / WEIGHTS).unlink()
    with h5py.File(preset / WEIGHTS, "w") as file:
        write(file)
    vouch(preset)


def _external_storage(file):
    name = os.path.abspath("secret.bin")
    file.create_dataset("a", (4,), "float32", external=[(name, 0, 16)])


def _virtual(file):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("secret.h5", "a", (4,))
    file.create_virtual_dataset("a", layout)


def _cycle(file):
    inner = file.create_group("a/b")
    inner["c"] = file["a"]


def _another(file):
    file.create_dataset("a", data=np.zeros(10_000))


def _deep(file):
    file.create_group("/".join("a" * 60))


def _hollow(file):
    file.create_dataset("a", (3 * 2**28,), "float32")


def _chunks(file):
    file.create_dataset("a", (3 * 2**28,), "float32", chunks=(1024,))


HDF5 = {
    "external link": (lambda f: f.__setitem__("a", h5py.ExternalLink("x.h5", "/")), "is a link"),
    "soft link": (lambda f: f.__setitem__("a", h5py.SoftLink("/b")), "is a link"),
    "cycle": (_cycle, "stands in the file twice"),
    "deep": (_deep, "deeper than 40"),
    "external storage": (_external_storage, "in another file"),
    "virtual": (_virtual, "in another file"),
    "3 GiB of nothing": (_hollow, "more numbers than the file holds"),
    "3 GiB of no chunks": (_chunks, "more numbers than the file holds"),
    "packed": (lambda f: f.create_dataset("a", data=np.zeros(10**6), compression=9), "packed"),
    "text": (lambda f: f.create_dataset("a", data=["x"]), "no numbers"),
    "references": (lambda f: f.create_dataset("a", (1,), h5py.ref_dtype), "no numbers"),
    "a named type": (lambda f: f.__setitem__("a", np.dtype("int8")), "neither a group"),
    "nothing": (lambda f: None, "holds 0 numbers"),
    "another model's": (_another, "does not hold the weights"),
}  # fmt: skip


@pytest.mark.parametrize("name", HDF5)
def test_hdf5(preset, name):
    write, message = HDF5[name]
    other_weights(preset, write)
    refused(preset, message)


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("file", [WEIGHTS, GOLDEN])
def test_cut_files_that_are_vouched_for(preset, file, share):
    data = (preset / file).read_bytes()
    (preset / file).write_bytes(data[: int(share * len(data))])
    vouch(preset)
    if file == WEIGHTS:
        refused(preset, "no valid HDF5 file|more numbers than the file holds")
    else:
        with pytest.raises(az.PresetError, match="no valid golden output"):
            az.load(preset, verify=True)


def _npy(shape, dtype="<f4"):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


NPZ = {
    "a bomb": (lambda z: z.writestr("x.npy", b"\0" * 10**8, zipfile.ZIP_DEFLATED), "packed"),
    "3 GiB of nothing": (lambda z: z.writestr("x.npy", _npy((3 * 2**28,))), "declares shape"),
    "objects": (lambda z: z.writestr("x.npy", _npy((1,), "|O")), "never read"),
    "no array": (lambda z: z.writestr("x.npy", b"hello, world"), "magic"),
    "a version to come": (lambda z: z.writestr("x.npy", b"\x93NUMPY\x09\x00"), "version"),
}


@pytest.mark.parametrize("name", NPZ)
def test_npz(preset, name):
    write, message = NPZ[name]
    with zipfile.ZipFile(preset / GOLDEN, "w") as archive:
        write(archive)
    vouch(preset)
    with pytest.raises(az.PresetError, match=f"no valid golden output.*{message}"):
        az.load(preset, verify=True)


def test_a_pickle_in_place_of_the_golden_output(preset):
    (preset / GOLDEN).write_bytes(b"\x80\x04\x8c\x05posix\x8c\x06system\x93.")
    vouch(preset)
    with pytest.raises(az.PresetError, match="not a zip file"):
        az.load(preset, verify=True)


def test_a_file_more(preset):
    (preset / "run_me.py").write_text("")
    refused(preset, "holds 'run_me.py', which is no file of a preset")


def test_names_that_differ_in_case(preset):
    (preset / WEIGHTS).rename(preset / WEIGHTS.upper())
    refused(preset, "is no file of a preset")


@pytest.mark.parametrize("name", [CARD, *VOUCHED])
def test_links(preset, name, tmp_path):
    (preset / name).rename(tmp_path / "elsewhere")
    (preset / name).symlink_to(tmp_path / "elsewhere")
    refused(preset, f"{name} is a link")


@pytest.mark.parametrize("name", ["../card.json", "/etc/passwd", "sub/x", "C:\\x", "CONFIG.JSON"])
def test_names_in_the_card(preset, name):
    card = json.loads((preset / CARD).read_text())
    card["files"][name] = card["files"].pop(CONFIG)
    (preset / CARD).write_text(json.dumps(card))
    refused(preset, "must vouch for")


@pytest.mark.parametrize(
    ("entry", "message"),
    [({"sha256": "0" * 63, "size": 1}, "sha256"), ({"sha256": "md5:0", "size": 1}, "sha256"),
     ({"sha256": "0" * 64, "size": -1}, "size"), ({"sha256": "0" * 64}, "size")],
)  # fmt: skip
def test_hashes(preset, entry, message):
    card = json.loads((preset / CARD).read_text())
    card["files"][CONFIG] = entry
    (preset / CARD).write_text(json.dumps(card))
    refused(preset, f"no valid card: files.config.json.{message}")


@pytest.mark.parametrize("version", [3, 10**9, 0, -1, "2", 1.5, None])
def test_formats(preset, version):
    card = json.loads((preset / CARD).read_text())
    (preset / CARD).write_text(json.dumps({**card, "format": version}))
    refused(preset, "format")


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


def repacked(path, compression=zipfile.ZIP_STORED, **changes):
    """The archive with some of its entries replaced; None leaves one out."""
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    entries.update({name.replace("_json", ".json"): data for name, data in changes.items()})
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, data in entries.items():
            if data is not None:
                new.writestr(name, data)


def test_a_keras_file_is_loaded(archive):
    model = az.load(archive)
    assert model.count_params() == PARAMETERS
    with pytest.raises(ValueError, match="are for presets"):
        az.load(archive, verify=True)


ARCHIVES = {
    "an asset": ({"assets/x": b""}, "and nothing else. Received: assets/x"),
    "a traversal": ({"../../evil": b""}, "and nothing else"),
    "an absolute name": ({"/etc/evil": b""}, "and nothing else"),
    "no weights": ({"model.weights.h5": None}, "and nothing else"),
    "no config": ({"config_json": None}, "and nothing else"),
    "weights that are none": ({"model.weights.h5": b"x" * 1000}, "no valid HDF5"),
    "a config that is none": ({"config_json": b"{"}, "no valid JSON"),
    "an array": ({"config_json": b"[]"}, "must be an object"),
    "a large config": ({"config_json": b" " * 1_000_001}, "more than 1000000 bytes"),
    "a Lambda": ({"config_json": json.dumps(CLASSES["Lambda of Keras"]).encode()}, "names the"),
    "os.system": ({"config_json": json.dumps(CLASSES["os.system"]).encode()}, "names the class"),
    "a layer that computes nothing": ({"config_json": json.dumps(
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).get_config()
    ).replace("Dense", "Layer").encode()}, "names the class 'Layer'"),
    "no model": ({"config_json": json.dumps({"class_name": "Dense", "module": "keras.layers",
                                             "config": {"units": "x"}}).encode()}, "describe"),
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVES)
def test_keras_files(archive, name):
    changes, message = ARCHIVES[name]
    repacked(archive, **changes)
    before = sorted(archive.parent.iterdir())
    with pytest.raises(az.PresetError, match=message):
        az.load(archive)
    assert sorted(archive.parent.iterdir()) == before


def test_a_packed_keras_file(archive):
    repacked(archive, zipfile.ZIP_DEFLATED, metadata_json=b" " * 10**7)
    with pytest.raises(az.PresetError, match="is packed"):
        az.load(archive)


@pytest.mark.parametrize(("at", "value"), [(6, 1), (8, 8), (8, 99), (8, 12)])
def test_a_keras_file_that_says_it_is_locked_or_packed_though_no_longer(archive, at, value):
    data = bytearray(archive.read_bytes())
    begins = data.find(b"PK\x01\x02")
    while begins >= 0:  # each entry of the directory: its flags, its method
        data[begins + at + 2 : begins + at + 4] = value.to_bytes(2, "little")
        begins = data.find(b"PK\x01\x02", begins + 1)
    archive.write_bytes(data)
    with pytest.raises(az.PresetError, match="is packed or locked"):
        az.load(archive)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_cut_keras_files(archive, share):
    data = archive.read_bytes()
    archive.write_bytes(data[: int(share * len(data))])
    with pytest.raises(az.PresetError, match="is no .keras file"):
        az.load(archive)


def test_a_keras_file_of_a_larger_model_than_its_weights(archive):
    with zipfile.ZipFile(archive) as old:
        config = old.read("config.json").replace(b'"units": 3', b'"units": 1000000000')
    repacked(archive, config_json=config)
    with pytest.raises(az.PresetError, match="describes a model of more than"):
        az.load(archive)
