"""A preset comes back as the same model, or is refused with what is wrong; nothing is lost."""

import json
import shutil
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.presets.folder import CARD, CONFIG, DEFAULT_TAGS, GOLDEN, VOUCHED, WEIGHTS, find
from tests.untrusted_input_presets import vouch

X = np.random.default_rng(0).normal(size=(5, 11, 3)).astype("float32")


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    attention = {"class_name": "temporal", "config": {"shared": True, "normalizer": "entmax15"}}
    return az.build("lstm_after", input_shape=(11, 3), units=5, attention=attention)


@pytest.fixture
def preset(model, tmp_path):
    return az.save(model, tmp_path / "mine", examples=X)


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_save_and_load_give_the_same_model(model, preset):
    again = az.load(preset, verify=True)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert az.models.blueprint(again) == az.models.blueprint(model)
    assert sorted(p.name for p in preset.iterdir()) == sorted((CARD, *VOUCHED))


def test_a_preset_is_a_folder(model, tmp_path):
    with pytest.raises(ValueError, match=r"A preset is a folder.*model.save\(.*m.keras'\)"):
        az.save(model, tmp_path / "m.keras")
    for path in ("", 5):
        with pytest.raises(TypeError, match="`path` must be a path"):
            az.save(model, path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept_unless_overwriting(model, preset):
    before = (preset / CARD).read_bytes()
    with pytest.raises(FileExistsError, match="exists and is kept"):
        az.save(model, preset)
    assert (preset / CARD).read_bytes() == before
    az.save(model, preset, overwrite=True, about={"license": "MIT"})
    assert az.presets.read_card(preset).license == "MIT"


def test_an_address_elsewhere_is_no_folder(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for address in ("s3://a/b", "file:///x", "HF://a/b", "gs://a/b.keras"):
        with pytest.raises(ValueError, match="a path of this machine"):
            az.save(model, address)
    assert list(tmp_path.iterdir()) == []


def test_the_home_is_where_load_looks_for_it(model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert az.save(model, "~/mine") == tmp_path / "mine"
    np.testing.assert_array_equal(az.load("~/mine").get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_a_preset_keeps_its_dtype_policy_whatever_that_of_the_process(policy, tmp_path):
    model = az.build("gru", input_shape=(7, 2), units=4, dtype=policy)
    assert model.get_layer("gru").dtype_policy.name == policy
    az.save(model, tmp_path / "mine")
    again = az.load(tmp_path / "mine", verify=True)
    assert [layer.dtype_policy.name for layer in again.layers] == [
        layer.dtype_policy.name for layer in model.layers
    ]
    assert keras.config.dtype_policy().name == "float32"
    x = np.random.default_rng(0).random((3, 7, 2))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_preset_of_float32_stays_so_in_a_process_of_another_policy(model, preset):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        again = az.load(preset, verify=True)
        twin = az.load(preset, outputs=2)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.dtype_policy.name for layer in (*again.layers, *twin.layers)} == {"float32"}
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_quantity_is_verified_by_its_size(tmp_path):
    model = az.build("dense", input_shape=(4,))
    model.layers[-1].set_weights([model.layers[-1].get_weights()[0], np.array([5e4], "float32")])
    folder = az.save(model, tmp_path / "mine")
    with np.load(folder / GOLDEN) as stored:
        golden = dict(stored)
    for off, sound in ((5e-6, True), (5e-5, False)):
        np.savez(folder / GOLDEN, **{**golden, "y": golden["y"] * np.float32(1 + off)})
        vouch(folder)
        if sound:
            az.load(folder, verify=True)
            continue
        with pytest.raises(az.PresetError, match="differs from the stored one"):
            az.load(folder, verify=True)


def test_verify_is_a_boolean(preset):
    with pytest.raises(TypeError, match="`verify` must be True or False. Received: verify='yes'"):
        az.load(preset, verify="yes")


def test_an_activation_is_of_a_new_layer(preset):
    with pytest.raises(ValueError, match="`activation` is for a new last layer: pass `outputs`"):
        az.load(preset, activation="softmax")


def test_overwrite_is_a_boolean(model, tmp_path):
    for overwrite in ("no", 1, None):
        with pytest.raises(TypeError, match="`overwrite` must be True or False"):
            az.save(model, tmp_path / "mine", overwrite=overwrite)


def test_a_folder_with_other_files_is_never_replaced(model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other files"):
        az.save(model, tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_may_lie_beside_a_preset_stays_and_other_files_keep_it(model, preset):
    (preset / "README.md").write_text("what it is")
    az.save(model, preset, overwrite=True)
    assert (preset / "README.md").read_text() == "what it is"
    (preset / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other files than a preset's"):
        az.save(model, preset, overwrite=True)
    assert (preset / "notes.txt").read_text() == "mine"


def test_a_save_that_fails_leaves_the_old_preset(model, preset, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(keras.Model, "save_weights", fail)
    with pytest.raises(OSError, match="No space left"):
        az.save(model, preset, overwrite=True)
    monkeypatch.undo()
    az.load(preset, verify=True)
    assert list(preset.parent.iterdir()) == [preset]


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, GOLDEN, CARD])
def test_a_missing_file_is_named(preset, name):
    (preset / name).unlink()
    with pytest.raises(az.PresetError, match=f"{name} is missing"):
        az.load(preset)


@pytest.mark.parametrize("name", VOUCHED)
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_a_flipped_byte_is_found(preset, name, where):
    data = bytearray((preset / name).read_bytes())
    data[round(where * (len(data) - 1))] ^= 1
    (preset / name).write_bytes(data)
    with pytest.raises(az.PresetError, match=f"{name} is damaged: its SHA-256"):
        az.load(preset)


@pytest.mark.parametrize("name", VOUCHED)
def test_a_truncated_file_is_found(preset, name):
    data = (preset / name).read_bytes()
    (preset / name).write_bytes(data[:-1])
    with pytest.raises(az.PresetError, match=f"{name} is damaged: it has"):
        az.load(preset)


def test_a_symlink_is_no_file_of_a_preset(preset, tmp_path):
    (preset / WEIGHTS).rename(tmp_path / "elsewhere.h5")
    (preset / WEIGHTS).symlink_to(tmp_path / "elsewhere.h5")
    with pytest.raises(az.PresetError, match="weights.h5 is a link"):
        az.load(preset)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 5}, "format 5.*formats 1 to 4"),
        ({"parameters": 7}, "more than the 7 parameters"),
        ({"architecture": "gru"}, "says architecture 'lstm_after', its card 'gru'"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"files": {}}, "must vouch for"),
        ({"parameters": "many"}, "parameters: Input should be"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(preset, changes, message):
    edit(preset / CARD, **changes)
    with pytest.raises(az.PresetError, match=message):
        az.load(preset)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "JSON"), ("[]", "card"), ("{", "JSON"), ("null", "card"), ("{}", "card")],
)
def test_a_card_that_is_no_card_is_refused(preset, text, message):
    (preset / CARD).write_text(text, "utf-8")
    with pytest.raises(az.PresetError, match=f"is no valid {message}"):
        az.load(preset)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"architecture": "lstm_aftr"}, "its card"),
        ({"config": {"input_shape": [11, 3], "attention": "temprl"}}, "Did you mean 'temporal'"),
        ({"config": {"input_shape": [11, 3], "units": 4}}, "the card says"),
        ({"config": {"input_shape": [11, 3], "unts": 4}}, "Did you mean 'units'"),
        ({"config": {"input_shape": "x"}}, "must be a tuple"),
        ({"more": 1}, "an object with 'architecture' and 'config'"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(preset, config, message):
    edit(preset / CONFIG, **config)
    vouch(preset)
    with pytest.raises(az.PresetError, match=message):
        az.load(preset)


def test_what_only_a_newer_keras_knows_is_left_out_where_it_is_not_used(model, preset):
    config = json.loads((preset / CONFIG).read_text())
    initializer = config["config"]["attention"]["config"]["kernel_initializer"]
    initializer["config"]["of_a_newer_keras"] = None
    edit(preset / CONFIG, **config)
    vouch(preset)
    again = az.load(preset, verify=True)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    initializer["config"]["of_a_newer_keras"] = 3
    edit(preset / CONFIG, **config)
    vouch(preset)
    with pytest.raises(az.PresetError, match="is no valid model"):
        az.load(preset)


def test_an_unknown_architecture_is_refused_with_the_nearest(preset):
    edit(preset / CONFIG, architecture="lstm_aftr")
    edit(preset / CARD, architecture="lstm_aftr")
    vouch(preset)
    with pytest.raises(az.PresetError, match="Did you mean 'lstm_after'"):
        az.load(preset)


def test_weights_of_another_shape_are_refused(preset, tmp_path):
    other = az.build("lstm_after", input_shape=(11, 3), units=6)
    other.save_weights(tmp_path / WEIGHTS)
    shutil.copy(tmp_path / WEIGHTS, preset / WEIGHTS)
    vouch(preset)
    with pytest.raises(az.PresetError, match="is no valid file of this model's weights"):
        az.load(preset)


def test_weights_of_the_right_shape_but_another_model_are_found_by_verify(preset, model, tmp_path):
    model.set_weights([w + 0.1 for w in model.get_weights()])
    model.save_weights(tmp_path / WEIGHTS)
    shutil.copy(tmp_path / WEIGHTS, preset / WEIGHTS)
    vouch(preset)
    az.load(preset)
    with pytest.raises(az.PresetError, match="differs from the stored one"):
        az.load(preset, verify=True)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("lstm_afterr", ValueError, "Did you mean 'lstm_after"),
        ("lstm_after.planted_stpe", ValueError, "Did you mean 'lstm_after.planted_step'"),
        ("LSTM_AFTER", ValueError, "Did you mean 'lstm_after"),
        ("lstm_after ", ValueError, "Did you mean 'lstm_after"),
        ("", ValueError, "must be a preset's name or path"),
        ("a\0b", ValueError, "must be a preset's name or path"),
        ("x" * 10_000, ValueError, "Unknown preset"),
        ("-x", ValueError, "Unknown preset"),
        ("./nowhere", FileNotFoundError, "There is no preset at nowhere"),
        ("s3://a/b", ValueError, "An address is read by az.load alone"),
        ("nothing.keras", FileNotFoundError, "There is no file nothing.keras"),
        ("../nowhere/x", FileNotFoundError, "There is no preset at"),
        (3, TypeError, "must be a preset's name or path"),
    ],
)
def test_names_that_lead_nowhere(name, error, message):
    with pytest.raises(error, match=message):
        az.load(name)


def test_a_file_is_no_preset(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="A preset is a folder"):
        az.load(tmp_path / "file")


def test_an_interrupted_replacement_is_healed_by_loading(preset):
    preset.rename(preset.parent / ".mine.previous")
    az.load(preset, verify=True)


def test_every_default_tag_is_shipped():
    for architecture, tag in DEFAULT_TAGS.items():
        assert find(architecture).name == f"{architecture}.{tag}"


@pytest.mark.parametrize("name", az.list_presets())
def test_every_shipped_preset_replays_its_golden_output(name):
    model = az.load(name, verify=True)
    assert model.count_params() == az.presets.read_card(name).parameters
    assert az.models.blueprint(model).architecture == model.name == name.partition(".")[0]


@pytest.mark.parametrize("name", az.list_presets())
def test_every_card_says_where_it_comes_from_and_what_it_reaches(name):
    card = az.presets.read_card(name)
    assert card.license == "Apache-2.0"
    recipe = az.training.load_recipe(name)
    assert az.training.make_recipe(card.recipe) == recipe
    assert (card.published, card.limits) == (recipe.published, recipe.limits)
    assert card.study["seeds"] == 5
    # The shipped weights are those of the recipe's own seed, whatever their figures
    run = card.study["ours"]["runs"][card.recipe["seed"]]
    assert {key: card.scores[key] for key in run} == pytest.approx(run, abs=0.01)
    assert set(card.study) == {"seeds", "ours", "softmax", "uniform"}
    assert len(card.study["ours"]["runs"]) == 5
    assert all(len(card.study[control]["runs"]) >= 3 for control in ("softmax", "uniform"))


def test_a_keras_file_comes_back_exactly_in_a_fresh_process(tmp_path):
    names = [f"{architecture}.{tag}" for architecture, tag in DEFAULT_TAGS.items()]
    for name in names:
        model = az.load(name)
        x = np.random.default_rng(1).normal(size=(4, *model.input_shape[1:])).astype("float32")
        model.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", x=x, y=model.predict(x, verbose=0))
    code = (
        "import sys, numpy as np, attention_zoo, keras\n"
        "for name in sys.argv[2:]:\n"
        "    m = keras.models.load_model(f'{sys.argv[1]}/{name}.keras')\n"
        "    d = np.load(f'{sys.argv[1]}/{name}.npz')\n"
        "    np.testing.assert_array_equal(m.predict(d['x'], verbose=0), d['y'])\n"
        "print(len(sys.argv) - 2)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), *names],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(len(names))


def test_a_save_that_is_killed_leaves_the_old_preset_or_the_new(tmp_path):
    path = tmp_path / "mine"
    code = (
        "import sys, keras, attention_zoo as az\n"
        "model = az.build('dense', input_shape=(4,), units=3)\n"
        "for number in range(10**6):\n"
        "    model.set_weights([w * 0 + number for w in model.get_weights()])\n"
        "    az.save(model, sys.argv[1], overwrite=True)\n"
        "    print(number, flush=True)\n"
    )
    for delay in (0.0, 0.02):
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as saving:  # fmt: skip
            saving.stdout.readline()
            time.sleep(delay)
            saving.kill()
        az.load(path, verify=True)


def test_two_that_save_to_one_path_leave_one_whole_preset(tmp_path):
    code = (
        "import sys, keras, attention_zoo as az\n"
        "model = az.build('dense', input_shape=(4,), units=int(sys.argv[2]))\n"
        "for _ in range(5):\n"
        "    try:\n"
        "        az.save(model, sys.argv[1], overwrite=True)\n"
        "    except OSError:\n"
        "        pass\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "mine"), units],
                             stderr=subprocess.DEVNULL) for units in ("3", "5")]  # fmt: skip
    assert [one.wait() for one in both] == [0, 0]
    az.load(tmp_path / "mine", verify=True)
