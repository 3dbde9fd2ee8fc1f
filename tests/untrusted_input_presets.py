"""Rows of `tests.untrusted_input`: presets and `.keras` files, whose writer may be a stranger."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

import attention_zoo as az
from attention_zoo.presets.card import FORMAT
from attention_zoo.presets.folder import CARD, CONFIG, GOLDEN, VOUCHED, WEIGHTS
from tests import untrusted_input
from tests.untrusted_input import INSIDE, Row, content

#: Of the model of `whole`: 4 features, 3 units.
PARAMETERS = (4 * 4 + 4) + (4 * 3 + 3) + (3 + 1)
X = np.random.default_rng(0).random((5, 4)).astype("float32")
PRESET, ARCHIVE = "mine", "a.keras"


@functools.cache
def _sound() -> Path:
    """A preset and a `.keras` file with nothing wrong about them."""
    folder = Path(tempfile.mkdtemp())
    keras.utils.set_random_seed(3)
    model = az.build("dense", input_shape=(4,), units=3)
    az.save(model, folder / PRESET, examples=X)
    model.compile("adam", "mse")
    model.save(folder / ARCHIVE)
    return folder


def whole(folder: Path) -> None:
    """Put both into a folder."""
    shutil.copytree(_sound() / PRESET, folder / PRESET)
    shutil.copy(_sound() / ARCHIVE, folder / ARCHIVE)


def vouch(folder):
    """Make the card agree with the files as they are now: whoever writes one writes both."""
    card = json.loads((folder / CARD).read_text())
    for name in card["files"]:
        data = (folder / name).read_bytes()
        card["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (folder / CARD).write_text(json.dumps(card))


def configured(preset, **config):
    whole = json.loads((preset / CONFIG).read_text())
    whole["config"].update(config)
    (preset / CONFIG).write_text(json.dumps(whole))
    vouch(preset)


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


def _thing(**other):
    return {"module": "userlib", "class_name": "Thing", "config": {}, **other}


def _keras(class_name, module="keras.layers", **config):
    return {"module": module, "class_name": class_name, "config": config}


OURS = {"class_name": "attention_zoo>FeatureAttention", "config": {}}
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
    "under a class of ours": {**OURS, "registered_name": "userlib>Thing"},
    "over a class of ours": _thing(registered_name="attention_zoo>FeatureAttention",
                                   class_name="userlib>Thing"),
    "under a name of ours": {**OURS, "class_name": "feature", "registered_name": "userlib>Thing"},
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
    "another model's": (_another, "no valid file of this model's weights"),
}  # fmt: skip


def repacked(path, compression=zipfile.ZIP_STORED, **changes):
    """The archive with some of its entries replaced; None leaves one out."""
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    entries.update({name.replace("_json", ".json"): data for name, data in changes.items()})
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, data in entries.items():
            if data is not None:
                new.writestr(name, data)


ARCHIVES = {
    "an asset": ({"assets/x": b""}, "and nothing else. Received: assets/x"),
    "a traversal": ({"../../evil": b""}, "and nothing else"),
    "an absolute name": ({"/etc/evil": b""}, "and nothing else"),
    "no weights": ({"model.weights.h5": None}, "and nothing else"),
    "no config": ({"config_json": None}, "and nothing else"),
    "weights that are none": ({"model.weights.h5": b"x" * 1000}, "a.keras is no valid HDF5"),
    "a config that is none": ({"config_json": b"{"}, "no valid JSON"),
    "an array": ({"config_json": b"[]"}, "must be an object"),
    "a large config": ({"config_json": b" " * 1_000_001}, "more than 1000000 bytes"),
    "a Lambda": ({"config_json": json.dumps(CLASSES["Lambda of Keras"]).encode()}, "names the"),
    "os.system": ({"config_json": json.dumps(CLASSES["os.system"]).encode()}, "names the class"),
    "a layer that computes nothing": ({"config_json": json.dumps(
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).get_config()
    ).replace("Dense", "Layer").encode()}, "names the class 'Layer'"),
    "no model": ({"config_json": json.dumps({"class_name": "Dense", "module": "keras.layers",
                                             "config": {"units": "x"}}).encode()},
                 "no valid model"),
}  # fmt: skip


def _carded(**fields):
    """The card with other fields."""

    def make(preset):
        card = json.loads((preset / CARD).read_text())
        (preset / CARD).write_text(json.dumps({**card, **fields}))

    return make


def _entry(name, entry):
    """The card with another entry among its files."""

    def make(preset):
        card = json.loads((preset / CARD).read_text())
        kept = {k: v for k, v in card["files"].items() if entry is not None or k != CONFIG}
        card["files"] = {**kept, name: entry or card["files"][CONFIG]}
        (preset / CARD).write_text(json.dumps(card))

    return make


def _file(name, write):
    """Another file in place of one, vouched for by the card where that can be read."""

    def make(preset):
        (preset / name).unlink()
        write(preset / name)
        regular = (preset / name).is_file() and not (preset / name).is_symlink()
        if name in VOUCHED and regular and (preset / name).stat().st_size < 10**9:
            vouch(preset)

    return make


def _cut(name, share):
    def make(preset):
        data = (preset / name).read_bytes()
        (preset / name).write_bytes(data[: int(share * len(data))])
        vouch(preset)

    return make


def _zip(write):
    def make(path):
        with zipfile.ZipFile(path, "w") as archive:
            write(archive)

    return make


def _open(name=PRESET, **options):
    def opens(folder):
        az.load(folder / name, **options)

    return opens


def _strange(opens):
    """Open it where somebody registered classes, none of which may be made."""

    def opened(folder):
        Thing.made = 0
        objects = keras.saving.get_custom_objects()
        before = dict(objects)
        keras.saving.register_keras_serializable("userlib")(Thing)
        objects["relu6"] = Thing  # as code of old does: under one of Keras's own names
        try:
            opens(folder)
        finally:
            objects.clear()
            objects.update(before)
            if Thing.made:
                raise RuntimeError("a stranger's class was made")

    return opened


def _rows(source, attacks, opens=None, error="PresetError", of=PRESET):
    """A row for each attack on a sound preset or file."""

    def making(make):
        def made(folder):
            whole(folder)
            make(folder / of)

        return made

    opens = opens or _open(of)
    return [Row(source, name, making(make), opens, own or error, words)
            for name, make, own, words in attacks]  # fmt: skip


def _configs(values, words=None):
    """The attacks of a table of configs, each put where a layer is described."""
    for name, value in values.items():
        value, message = value if words is None else (value, words)
        yield name, lambda preset, value=value: configured(preset, attention=value), None, message


def _archives(values, words):
    for name, value in values.items():
        model = _keras("Sequential", "keras", name="m", layers=[value])
        data = json.dumps(model).encode()
        yield name, lambda path, data=data: repacked(path, config_json=data), None, words


def _link(path):
    secret = path.parents[1] / "secret"
    secret.write_text("{}")
    path.symlink_to(secret)


def _inside(name):
    """What is no file, in place of a preset's file."""
    said = {"a folder": "is a folder", "a link to a file": "is a link. A preset's files must be"}
    said["a link to a device"] = said["a link to a file"]
    for attack, write, _, words in INSIDE:
        write = _link if attack == "a link to a file" else write
        yield attack, _file(name, write), None, said.get(attack, words)


#: What JSON is that reaches the card or config.
_JSON = [
    *((n, make, own, "more than the 1" if n.startswith("80,000") else w)
      for n, make, own, w in untrusted_input.JSON),
    ("NaN", content('{"a": NaN}'), None, "NaN is no number"),
    ("UTF-16", content("{}".encode("utf-16")), None, "utf-8"),
    ("an array", content("[]"), None, "no valid card|must be an object"),
    ("1 MB of spaces", content(b" " * 1_000_001), None, "1,000,001 bytes, more than the 1,000,000"),
]  # fmt: skip
_CARDS = [
    *((f"the file {name!r}", _entry(name, None), None, "must vouch for")
      for name in ("../card.json", "/etc/passwd", "sub/x", "C:\\x", "CONFIG.JSON")),
    ("a short hash", _entry(CONFIG, {"sha256": "0" * 63, "size": 1}), None, "no valid card: files"),
    ("another hash", _entry(CONFIG, {"sha256": "md5:0", "size": 1}), None, "no valid card: files"),
    ("a negative size", _entry(CONFIG, {"sha256": "0" * 64, "size": -1}), None, "no valid card"),
    ("no size", _entry(CONFIG, {"sha256": "0" * 64}), None, "no valid card"),
    *((f"format {version!r}", _carded(format=version), None, "format")
      for version in (FORMAT + 1, 10**9, 0, -1, "2", 1.5, None)),
    ("9,000 fields", _carded(**{f"field{i}": i for i in range(9000)}), None, "no valid card"),
    ("more parameters than the file", lambda preset: (
        configured(preset, units=10**9), _carded(parameters=10**12)(preset)), None,
     f"holds {PARAMETERS} numbers"),
]  # fmt: skip
_SIZES = [
    (str(config), lambda preset, config=config: configured(preset, **config), None,
     f"more than the {PARAMETERS} parameters")
    for config in ({"units": 10**9}, {"units": 10**30}, {"depth": 10**6}, {"outputs": 10**8},
                   {"input_shape": [10**8]})
]  # fmt: skip
_INSIDE_OF_OURS = {
    f"{name}, inside of a layer of ours": {"class_name": "feature", "config": {REGULARIZER: value}}
    for name, value in CLASSES.items()
    if name in ("Lambda", "os.system", "a function", "somebody's")
}
#: What of the tables for `.npz` files is a fault in a golden output as well.
_GOLDEN = [
    (name, make, None, "no valid golden output") for name, make, _, _ in untrusted_input.NPZ
    if "zeros packed" not in name
]  # fmt: skip
_LOCKED = {"locked": (8, 1), "packed": (10, 8), "packed by method 99": (10, 99)}


def _patched(at, value):
    return lambda path: path.write_bytes(
        untrusted_input.patched(path.read_bytes(), at, value.to_bytes(2, "little"))
    )


def _larger(path):
    with zipfile.ZipFile(path) as old:
        config = old.read("config.json").replace(b'"units": 3', b'"units": 1000000000')
    repacked(path, config_json=config)


def _layers(preset):
    """More layers than any model needs, none with a weight."""
    layers = [_keras("Activation", activation="relu", name=f"a{i}") for i in range(6000)]
    sequential(preset, [_input(4), *layers], PARAMETERS)


ROWS = [
    *_rows("a preset: card.json", [
        *((n, _file(CARD, make), own, w) for n, make, own, w in _JSON), *_inside(CARD), *_CARDS]),
    *_rows("a preset: config.json", [
        *((n, _file(CONFIG, make), own, w if n != "1 TB" else "is damaged")
          for n, make, own, w in _JSON),
        *_inside(CONFIG), *_SIZES, *_configs(CLASSES, "names the class"),
        *_configs(_INSIDE_OF_OURS, "names the class"), *_configs(MUCH),
        ("6,000 layers", _layers, None, "needs more than 5000 calls")]),
    *_rows("a preset: others' classes", _configs(STRANGERS, "names the class"),
           _strange(_open())),
    *_rows("a preset: weights", [
        *((name, lambda preset, write=write: other_weights(preset, write), None, words)
          for name, (write, words) in HDF5.items()),
        *((f"cut to {share:.1%}", _cut(WEIGHTS, share), None,
           "no valid HDF5 file|more numbers than the file holds")
          for share in (0, 0.001, 0.1, 0.5, 0.9, 0.99)),
        *_inside(WEIGHTS)]),
    *_rows("a preset: golden output", [
        *((n, _file(GOLDEN, make), own, w) for n, make, own, w in _GOLDEN),
        *((f"cut to {share:.1%}", _cut(GOLDEN, share), None, "no valid golden output")
          for share in (0.001, 0.5, 0.99)),
        *_inside(GOLDEN)], _open(verify=True)),
    *_rows("a .keras file", [
        *((name, lambda path, changes=changes: repacked(path, **changes), None, words)
          for name, (changes, words) in ARCHIVES.items()),
        *((name, _patched(at, value), None, "is packed or locked")
          for name, (at, value) in _LOCKED.items()),
        ("a config packed 1:1000", lambda path: repacked(
            path, zipfile.ZIP_DEFLATED, metadata_json=b" " * 10**7), None, "is packed"),
        *((f"cut to {share:.0%}", lambda path, share=share: path.write_bytes(
            path.read_bytes()[: int(share * path.stat().st_size)]), None, "is no valid .keras file")
          for share in (0, 0.3, 0.99)),
        ("a larger model than its weights", _larger, None, "describes a model of more than"),
    ], of=ARCHIVE),
    *_rows("a .keras file: others' classes", _archives(STRANGERS, "names the class"),
           _strange(_open(ARCHIVE)), of=ARCHIVE),
]  # fmt: skip
