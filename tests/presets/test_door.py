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
    "objects": (lambda z: z.writestr("x.npy", _npy((1,), "|O")), "no numbers"),
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
    ).replace("Dense", "Layer").encode()}, "describe a model"),
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
