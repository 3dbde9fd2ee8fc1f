"""Models that Keras 2 saved answer in Keras 3 as they did, or are refused by name."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.cli import main
from attention_zoo.compat import migrate

OLD = Path(__file__).with_name("old")


def reference_of(name):
    return OLD / f"{name.partition('.')[0]}.npz"


@pytest.mark.parametrize(
    "name, attention",
    [
        ("luong", {"focus": "LuongAttention"}),
        ("bahdanau", {"attention": "BahdanauAttention"}),
        ("band", {"seq_self_attention": "SelfAttention", "seq_weighted_attention": "Attention"}),
        ("scores", {"seq_self_attention": "SelfAttention"}),
        ("words", {"seq_weighted_attention": "AttentionPooling"}),
        ("padded", {}),
        ("permute", {}),
        ("heads", {"multi_head_attention": "MultiHeadAttention"}),
        ("trained", {}),
        ("luong.keras", {"focus": "LuongAttention"}),
        ("bahdanau.keras", {"attention": "BahdanauAttention"}),
        ("band.keras", {"seq_self_attention": "SelfAttention"}),
        ("scores.keras", {"seq_self_attention": "SelfAttention"}),
        ("heads.keras", {"multi_head_attention_1": "MultiHeadAttention"}),
        ("trained.keras", {}),
    ],
)
def test_the_outputs_are_the_old_ones(name, attention, tmp_path):
    name = name if "." in name else f"{name}.h5"
    done = migrate(OLD / name, tmp_path / "new.keras", reference=reference_of(name))
    assert done.difference < 1e-5
    for layer, kind in attention.items():
        assert dict(done.layers)[layer].startswith(kind)
    with np.load(reference_of(name)) as file:
        x, y = file["x"], file["y"]
    model = keras.saving.load_model(done.path)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=0, atol=1e-5)
    assert done.parameters == model.count_params()


def test_the_migrated_model_shows_its_attention(tmp_path):
    done = migrate(OLD / "luong.h5", tmp_path / "new.keras")
    with np.load(OLD / "luong.npz") as file:
        scores = az.attention_scores(az.load(done.path), file["x"])["focus"]
    assert scores.shape == (3, 7)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_the_report_says_whether_outputs_were_compared(tmp_path):
    without = migrate(OLD / "padded.h5", tmp_path / "a.keras")
    assert without.difference is None
    assert "not compared" in without.report
    compared = migrate(OLD / "padded.h5", tmp_path / "b.keras", reference=OLD / "padded.npz")
    assert "largest difference" in compared.report
    assert "gru: GRU" in compared.report


@pytest.mark.parametrize(
    "name, message",
    [
        ("refused_lambda.h5", "'lambda' of .* is of the class 'Lambda'"),
        ("refused_lambda.keras", "'lambda' of .* is of the class 'Lambda'"),
        ("refused_own_attention.h5", "class 'Attention'.* that of the package `attention`"),
        ("refused_own_attention.keras", "class 'keras.layers.Attention'"),
        ("refused_own_class.keras", "'dense' of .* is of the class 'mine>Dense'"),
        ("refused_hard_sigmoid.h5", "recurrent_activation='hard_sigmoid'"),
        ("refused_even_width.h5", "`attention_width` must be odd"),
        ("refused_relu.h5", "`activation` must be None"),
        ("refused_wrapper.h5", "'copies' of .* is of the class 'MultiHead'"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(name, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        migrate(OLD / name, tmp_path / "new.keras")
    assert list(tmp_path.iterdir()) == []


def test_other_outputs_than_the_references_are_not_kept(tmp_path):
    with np.load(OLD / "padded.npz") as file:
        np.savez(tmp_path / "r.npz", x=file["x"], y=file["y"] + 0.01)
        np.savez(tmp_path / "nan.npz", x=file["x"], y=file["y"] * np.nan)
        np.savez(tmp_path / "shape.npz", x=file["x"], y=file["y"][:1])
        np.savez(tmp_path / "names.npz", inputs=file["x"])
        np.savez(tmp_path / "width.npz", x=file["x"][:, :, :2], y=file["y"])
        np.savez_compressed(tmp_path / "packed.npz", **file)
    for reference, message in [
        ("r", "differ"), ("nan", "differ"), ("shape", "y has the shape"), ("names", "x and y"),
        ("width", "x has the shape"), ("packed", "no valid reference.* x.npy is packed"),
    ]:  # fmt: skip
        with pytest.raises((ValueError, az.PresetError), match=message):
            migrate(
                OLD / "padded.h5", tmp_path / "new.keras", reference=tmp_path / f"{reference}.npz"
            )
    assert not (tmp_path / "new.keras").exists()


def test_files_that_are_not_there_or_in_the_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.h5").write_text("not HDF5")
    (tmp_path / "taken.keras").write_text("mine")
    (tmp_path / "cut.h5").write_bytes((OLD / "padded.h5").read_bytes()[:9000])
    (tmp_path / "cut.keras").write_bytes((OLD / "heads.keras").read_bytes()[:9000])
    for old, new, error, message in [
        (tmp_path / "no.h5", "a.keras", FileNotFoundError, "no file"),
        (tmp_path, "a.keras", IsADirectoryError, "is a folder, as a SavedModel"),
        (tmp_path / "text.h5", "a.keras", ValueError, "neither an HDF5 nor a .keras file"),
        (tmp_path / "cut.h5", "a.keras", az.PresetError, "no valid HDF5 file"),
        (tmp_path / "cut.keras", "a.keras", ValueError, "neither an HDF5 nor a .keras file"),
        (OLD / "padded.h5", "a.h5", ValueError, "must be a .keras file"),
        (OLD / "padded.h5", "taken.keras", FileExistsError, "is kept"),
    ]:
        with pytest.raises(error, match=message):
            migrate(old, tmp_path / new)
    with pytest.raises(NotADirectoryError, match="taken.keras cannot be made: a file is in the"):
        migrate(OLD / "padded.h5", tmp_path / "taken.keras" / "new.keras")
    with pytest.raises(ValueError, match="neither a .keras file nor a preset's folder"):
        az.load("text.h5")
    with pytest.raises(az.PresetError, match="saved by Keras 2. Convert it with"):
        az.load(OLD / "luong.keras")
    with pytest.raises(FileNotFoundError, match="no file .*no.npz"):
        migrate(OLD / "padded.h5", tmp_path / "a.keras", reference=tmp_path / "no.npz")
    assert (tmp_path / "taken.keras").read_text() == "mine"
    migrate(OLD / "padded.h5", tmp_path / "taken.keras", overwrite=True)
    assert keras.saving.load_model(tmp_path / "taken.keras").count_params() > 0


@pytest.fixture
def altered(tmp_path):
    """A copy of padded.h5 whose description, or weights, a stranger changed."""

    def make(change=None, weights=None):
        path = tmp_path / "altered.h5"
        shutil.copy(OLD / "padded.h5", path)
        with h5py.File(path, "r+") as file:
            if change is not None:
                described = json.loads(file.attrs["model_config"])
                change(described)
                file.attrs["model_config"] = json.dumps(described)
            if weights is not None:
                weights(file)
        return path

    return make


@pytest.fixture
def repacked(tmp_path):
    """A copy of trained.keras whose entries a stranger changed; None takes one out."""

    def make(**entries):
        with zipfile.ZipFile(OLD / "trained.keras") as archive:
            kept = {name: archive.read(name) for name in archive.namelist()}
        kept |= {name.replace("__", "."): data for name, data in entries.items()}
        path = tmp_path / "altered.keras"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in kept.items():
                if data is not None:
                    archive.writestr(name, data)
        return path

    return make


def test_a_strangers_archive(repacked, tmp_path):
    new = tmp_path / "new.keras"
    with pytest.raises(ValueError, match="it lacks model.weights.h5"):
        migrate(repacked(**{"model.weights.h5": None}), new)
    with pytest.raises(ValueError, match="saved by Keras 3.15.1, not by Keras 2"):
        migrate(repacked(metadata__json='{"keras_version": "3.15.1"}'), new)
    with pytest.raises(ValueError, match="no valid JSON"):
        migrate(repacked(config__json="{"), new)
    with pytest.raises(ValueError, match="lists no layers"):
        migrate(repacked(config__json='{"class_name": "Sequential", "config": {}}'), new)
    with pytest.raises(az.PresetError, match="no valid HDF5"):
        migrate(repacked(**{"model.weights.h5": b"no"}), new)
    assert not new.exists()
    # What is not read cannot harm
    done = migrate(repacked(**{"optimizer.pkl": b"cos\nsystem\n"}), new)
    assert done.parameters == 64


def gru(described):
    return next(e for e in described["config"]["layers"] if e["class_name"] == "GRU")["config"]


def without_a_description(file):
    del file.attrs["model_config"]


def with_a_link(file):
    file["model_weights/gru/elsewhere"] = h5py.ExternalLink("other.h5", "/")


def with_a_way_out(file):
    file["elsewhere"] = h5py.ExternalLink("other.h5", "/")
    file["model_weights"].attrs["layer_names"] = np.array([b"/elsewhere"])


def of_another_shape(file):
    group = file["model_weights/gru"]
    name = next(n for n in group.attrs["weight_names"] if "/kernel" in n)
    del group[name]
    group[name] = np.zeros((6, 5), "float32")


def lost(file):
    file["model_weights/gru"].attrs["weight_names"] = np.array([], "S1")


STRANGE = {"module": "os", "class_name": "system", "config": {"command": "true"}}


@pytest.mark.parametrize(
    "change, weights, error, message",
    [
        (lambda d: gru(d).update(units=10**9), None, az.PresetError, "wants a weight of shape"),
        (lambda d: gru(d).update(units=3), None, ValueError, "are not those that GRU needs"),
        (lambda d: gru(d).update(kernel_initializer=STRANGE), None, az.PresetError, "'system'"),
        (lambda d: gru(d).update(time_major=True), None, ValueError, "time_major=True"),
        (
            lambda d: gru(d).pop("units"),
            None,
            ValueError,
            "no valid description of a model: .*units",
        ),
        (lambda d: d.update(class_name="Mine"), None, ValueError, "of the class 'Mine'"),
        (lambda d: d["config"].pop("layers"), None, ValueError, "lists no layers"),
        (None, without_a_description, ValueError, "holds no model"),
        (None, with_a_link, az.PresetError, "is a link"),
        (None, with_a_way_out, az.PresetError, "'/elsewhere' lies outside"),
        (None, of_another_shape, ValueError, "are not those that GRU needs"),
        (None, lost, ValueError, "are not those that GRU needs"),
    ],
)
def test_a_strangers_file(change, weights, error, message, altered, tmp_path):
    with pytest.raises(error, match=message):
        migrate(altered(change, weights), tmp_path / "new.keras")
    assert not (tmp_path / "new.keras").exists()


def test_the_shell_migrates(monkeypatch, capsys, tmp_path):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["attention-zoo", "migrate", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr()

    monkeypatch.setenv("COLUMNS", "400")
    new = tmp_path / "new.keras"
    status, printed = run(OLD / "luong.h5", new, "--reference", OLD / "luong.npz")
    assert status == 0
    assert "focus: LuongAttention" in printed.out
    assert "largest difference from the reference" in printed.out
    status, printed = run(OLD / "luong.h5", new)
    assert (status, "is kept" in printed.err) == (2, True)
    status, printed = run(OLD / "refused_lambda.h5", tmp_path / "b.keras")
    assert (status, "'Lambda'" in printed.err) == (2, True)
