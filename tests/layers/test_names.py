"""Names: Keras's for arguments, former ones in saved files, and none in public but for users."""

import inspect
import json
import zipfile

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.layers.traversal import all_layers
from tests.cases import CASES
from tests.contract import call

X = np.random.default_rng(0).normal(size=(3, 7, 6)).astype("float32")


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("multi_head", "heads", "has no argument `heads`. Use `num_heads`"),
        ("multi_head", "kv_heads", "Use `num_key_value_heads`"),
        ("multi_head", "num_query_heads", "Use `num_heads`"),
        ("multi_head", "head_dim", "Use `key_dim`"),
        ("multi_head", "output_shape", "Use `output_dim`, an integer"),
        ("multi_head", "sliding_window", "Use `window`, which is sliding_window - 1"),
        ("multi_head", "causal", "Use `use_causal_mask`"),
        ("multi_head", "attention_axes", "one time axis.*TimeDistributed"),
        ("multi_head", "numheads", "Did you mean 'num_heads'"),
        ("self_attention", "causal", "Use `use_causal_mask`"),
        ("self_attention", "score_mode", "Use `score`"),
        ("self_attention", "return_attention_scores", "is an argument of the call"),
        ("cross_attention", "use_causal_mask", "is an argument of the call"),
        ("cross_attention", "causal", "`use_causal_mask` is an argument of the call"),
        ("luong", "score_mode", "Use `score`"),
    ],
)
def test_an_argument_by_another_name_is_answered_with_the_one_meant(name, argument, message):
    with pytest.raises(TypeError, match=message):
        az.layers.get(name, **{argument: 3})


FORMER = {
    "multi_head": (
        {"num_heads": 6, "num_key_value_heads": 2, "use_causal_mask": True},
        {"heads": 6, "kv_heads": 2, "causal": True},
    ),
    "self_attention": ({"use_causal_mask": True, "window": 2}, {"causal": True, "window": 2}),
}


@pytest.mark.parametrize("name", FORMER)
def test_dictionaries_with_former_names_are_understood(name):
    now, former = FORMER[name]
    layer = az.layers.get({"class_name": name, "config": {**former, "name": "it"}})
    assert layer.get_config() == az.layers.get(name, **now, name="it").get_config()
    assert not set(layer.get_config()) & {"heads", "kv_heads", "causal"}


@pytest.mark.parametrize("name", FORMER)
def test_files_with_former_names_are_read(name, tmp_path):
    inputs = keras.Input(X.shape[1:])
    model = keras.Model(inputs, az.layers.get(name, **FORMER[name][0])(inputs))
    model.save(tmp_path / "new.keras")
    renamed = dict(zip(*(list(names) for names in FORMER[name]), strict=True))
    with (
        zipfile.ZipFile(tmp_path / "new.keras") as new,
        zipfile.ZipFile(tmp_path / "old.keras", "w") as old,
    ):
        for member in new.namelist():
            data = new.read(member)
            if member == "config.json":
                config = json.loads(data)
                (layer,) = (
                    part["config"]
                    for part in config["config"]["layers"]
                    if part["class_name"] != "InputLayer"
                )
                for now, former in renamed.items():
                    layer[former] = layer.pop(now)
                data = json.dumps(config)
            old.writestr(member, data)
    loaded = keras.models.load_model(tmp_path / "old.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_layer_of_the_users_keeps_an_argument_of_a_former_name():
    class Mine(az.layers.SelfAttention):
        def __init__(self, heads=1, **kwargs):
            super().__init__(**kwargs)
            self.heads = heads

    layer = Mine.from_config({"heads": 3, "causal": True})
    assert (layer.heads, layer.use_causal_mask) == (3, True)


#: What users of a layer may rely on beside Keras's Layer, its arguments and its weights.
PUBLIC = {
    "AttentionLayer": {"attended_axis", "kind", "score_axes"},
    "AttentionDecoder": {"over"},
    "BahdanauAttention": {"score"},
    "RetainAttention": {"contributions"},
}


@pytest.mark.parametrize("name", sorted({case.layer for case in CASES}))
def test_what_a_layer_shows_is_keras_its_arguments_its_weights_and_a_short_list(name):
    cases = [case for case in CASES if case.layer == name]
    layers = [case.make(scores_regularizer="entropy", dropout=0.25) for case in cases]
    call(layers[0], cases[0].arrays(), cases[0].visible(), training=True)
    own = [cls for cls in type(layers[0]).__mro__ if cls.__module__.startswith("attention_zoo")]
    allowed = set(dir(keras.layers.Layer())).union(*(PUBLIC.get(c.__name__, ()) for c in own))
    allowed |= {argument for cls in own for argument in inspect.signature(cls.__init__).parameters}
    for layer in layers:
        parts = {id(part) for part in (*layer.weights, *all_layers(layer))}
        # Not of what Keras's Layer has, some of which is not to be read before a symbolic call
        names = set(dir(layer)) - allowed
        allowed |= {attribute for attribute in names if id(getattr(layer, attribute)) in parts}
    shown = {attribute for layer in layers for attribute in dir(layer) if attribute[0] != "_"}
    assert shown - allowed == set()
