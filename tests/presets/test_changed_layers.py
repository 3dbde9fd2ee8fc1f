"""Models whose layers were changed after they were built: quantized, or given LoRA factors."""

import json

import h5py
import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.layers.traversal import all_layers
from attention_zoo.presets.folder import CONFIG, WEIGHTS
from attention_zoo.presets.weights import weighted
from tests.presets.test_guards import vouch

#: Keras warns of each layer that it cannot quantize.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not have:UserWarning")


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(5)


def dense():
    return az.build("dense", input_shape=(11,), units=7)


def after():
    return az.build("lstm_after", input_shape=(7, 3), units=5)


def heads():
    """Keras's own file loses the layers inside of a quantized MultiHeadAttention."""
    x = keras.Input((7, 5))
    y = keras.layers.MultiHeadAttention(2, 3, name="heads")(x, x)
    return keras.Model(x, keras.layers.Dense(1)(az.layers.AttentionPooling(5)(y)))


def words():
    x = keras.Input((7,))
    y = keras.layers.Embedding(13, 6)(x)
    y = keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(y)
    y = keras.layers.TimeDistributed(keras.layers.Dense(5))(y)
    return keras.Model(x, az.layers.AttentionPooling(3, name="look")(y))


def sequential():
    layers = [keras.Input((11,)), az.layers.FeatureAttention(), keras.layers.Dense(3)]
    return keras.Sequential(layers)


def with_lora(model):
    rng = np.random.default_rng(0)
    for layer in all_layers(model):
        if getattr(layer, "lora_enabled", None) is False:
            layer.enable_lora(2, lora_alpha=3)
            for weight in layer.trainable_variables:
                weight.assign(rng.normal(size=weight.shape))
    return model


def quantized(mode):
    def change(model):
        model.quantize(mode)
        return model

    return change


def int8_with_lora(model):
    return with_lora(quantized("int8")(model))


def lora_then_int8(model):
    return quantized("int8")(with_lora(model))


CASES = {
    "int8, factory": (after, quantized("int8")),
    "int8, Sequential": (sequential, quantized("int8")),
    "int4, factory": (after, quantized("int4")),
    "int4, four kinds of layers": (words, quantized("int4")),
    "float8, inside of Keras's heads": (heads, quantized("float8")),
    "LoRA, factory": (after, with_lora),
    "LoRA, four kinds of layers": (words, with_lora),
    "LoRA of int8": (sequential, int8_with_lora),
    "int8 of LoRA": (sequential, lora_then_int8),
}


def described(model):
    """What each weight is, in the order of their layers."""
    return sorted(
        (i, weight.name, str(weight.dtype), tuple(weight.shape), weight.trainable)
        for i, layer in enumerate(all_layers(model))
        for weight in layer.weights
    )


@pytest.mark.parametrize("case", CASES)
def test_there_and_back(case, tmp_path):
    make, change = CASES[case]
    model = make()
    x = np.random.default_rng(1).random((3, *model.input_shape[1:])).astype("float32")
    az.attention_scores(model, x)  # so that it was compiled before the change
    model = change(model)
    again = az.load(az.save(model, tmp_path / "one"), verify=True)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    expected = az.attention_scores(model, x)
    for name, scores in az.attention_scores(again, x).items():
        np.testing.assert_array_equal(scores, expected[name])
    assert described(again) == described(model)


def stored(preset):
    """The numbers and bytes of each dtype in a preset's weights."""
    found = {}
    with h5py.File(preset / WEIGHTS) as file:
        file.visititems(
            lambda _, item: (
                found.setdefault(item.dtype.name, []).append(item.size)
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return {name: sum(sizes) for name, sizes in found.items()}


def test_the_size_of_a_quantized_preset_is_that_of_its_weights(tmp_path):
    model = quantized("int8")(dense())
    kernels = 11 * 7 + 7
    preset = az.save(model, tmp_path / "small")
    plain = stored(az.save(dense(), tmp_path / "plain"))
    # A scale for each unit, beside its kernel
    assert stored(preset) == {"int8": kernels, "float32": plain["float32"] - kernels + 7 + 1}


def test_lora_is_kept_as_factors_and_learns_on(tmp_path):
    model = with_lora(dense())
    preset = az.save(model, tmp_path / "tuned")
    assert stored(preset) == {"float32": model.count_params()}
    again = az.load(preset)
    kernels = [layer for layer in again.layers if getattr(layer, "lora_enabled", False)]
    before = (
        [np.array(layer._kernel) for layer in kernels],
        [layer.lora_kernel_a.numpy() for layer in kernels],
    )
    x = np.random.default_rng(0).random((8, 11)).astype("float32")
    again.compile(keras.optimizers.SGD(0.1), "mse")
    again.fit(x, x[:, :1], epochs=1, verbose=0)
    for layer, kernel, factor in zip(kernels, *before, strict=True):
        np.testing.assert_array_equal(layer._kernel, kernel)
        assert not np.array_equal(layer.lora_kernel_a, factor)
        assert layer.lora_alpha == 3


def test_what_was_loaded_is_saved_again_and_gets_a_head(tmp_path):
    model = quantized("float8")(dense())
    again = az.load(az.save(az.load(az.save(model, tmp_path / "1")), tmp_path / "2"), verify=True)
    np.testing.assert_array_equal(again.layers[-1]._kernel, model.layers[-1]._kernel)
    headed = az.load(tmp_path / "2", outputs=3)
    assert headed.output_shape == (None, 3)
    assert [layer.quantization_mode for layer in headed.layers[-2:]] == ["float8", None]
    np.testing.assert_array_equal(headed.layers[-2]._kernel, model.layers[-2]._kernel)


def test_kerass_own_file(tmp_path):
    model = quantized("int8")(words())
    model.save(tmp_path / "m.keras")
    x = np.ones((2, 7), "float32")
    again = az.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    np.testing.assert_array_equal(
        az.attention_scores(again, x)["look"], az.attention_scores(model, x)["look"]
    )


def rewritten(preset, dtype):
    """The first kernel of the file as numbers of another dtype."""
    with h5py.File(preset / WEIGHTS, "a") as file:
        name = file.visititems(lambda name, item: name if getattr(item, "ndim", 0) > 1 else None)
        values = file[name][()].astype(dtype)
        del file[name]
        file[name] = values
    vouch(preset)


@pytest.mark.parametrize(
    ("change", "dtype", "message"),
    [
        (lambda model: model, "int8", "holds int8 numbers for the weight .* floating"),
        (lambda model: model, "int64", "holds whole numbers for the weight .* floating"),
        (quantized("int8"), "float32", "holds floating numbers for the weight .* int8"),
    ],
    ids=["int8 for floating", "whole for floating", "floating for int8"],
)
def test_numbers_of_another_kind_than_the_config_says(change, dtype, message, tmp_path):
    preset = az.save(change(sequential()), tmp_path / "mine")
    rewritten(preset, dtype)
    with pytest.raises(az.PresetError, match=message):
        az.load(preset)


INT8 = {"mode": "int8", "config": {"module": "keras.quantizers",
        "class_name": "Int8QuantizationConfig", "config": {}, "registered_name": None}}  # fmt: skip
ROWS = {
    "no list": ({"index": 1}, "must be a list"),
    "no row": ([3], "must have some of"),
    "no such index": ([{"index": 99, "name": "y"}], "no layer 99"),
    "an index that is none": ([{"index": True, "name": "y"}], "no layer True"),
    "another layer": ([{"index": 0, "name": "y"}], "layer 0 is .* not 'y'"),
    "an unknown mode": ({"quantization": {"mode": "gptq", "config": None}}, "'gptq' is not one of"),
    "what cannot be quantized": ({"quantization": INT8}, "FeatureAttention"),
    "other keys": ({"quantization": {"mode": "int8"}}, "is no valid model"),
    "somebody's class": (
        {"quantization": {"mode": "int8", "config": {"class_name": "mine>Mine", "config": {}}}},
        "names the class 'mine>Mine'",
    ),
    "LoRA of no rank": ({"lora": {"rank": 0, "lora_alpha": 1}}, "no LoRA of rank 0"),
    "LoRA of a layer without": ({"lora": {"rank": 2, "lora_alpha": 1}}, "is no valid model"),
    "large factors": ({"lora": {"rank": 10**9, "lora_alpha": 1}}, "more than the .* parameters"),
    "factors that are not there": ({"lora": {"rank": 1, "lora_alpha": 1}}, "parameters; the card"),
}


@pytest.mark.parametrize("name", ROWS)
def test_changes_that_a_stranger_asks_for(name, tmp_path):
    model = sequential()
    preset = az.save(model, tmp_path / "mine")
    layers = weighted(model)
    rows, message = ROWS[name]
    if isinstance(rows, dict) and "index" not in rows:
        without = name in ("what cannot be quantized", "LoRA of a layer without")
        kind = az.layers.FeatureAttention if without else keras.layers.Dense
        at = next(i for i, layer in enumerate(layers) if isinstance(layer, kind))
        rows = [{"index": at, "name": layers[at].name, **rows}]
    config = json.loads((preset / CONFIG).read_text())
    (preset / CONFIG).write_text(json.dumps({**config, "layers": rows}))
    vouch(preset)
    with pytest.raises(az.PresetError, match=message):
        az.load(preset)


def test_a_file_without_the_factors(tmp_path):
    preset = az.save(with_lora(sequential()), tmp_path / "mine")
    with h5py.File(preset / WEIGHTS, "a") as file:
        kept = file["lora"]
        name = next(iter(kept))
        kept[name].move("lora_kernel_a", "other")
    vouch(preset)
    with pytest.raises(az.PresetError, match="must hold lora/.*/lora_kernel_a of shape"):
        az.load(preset)
