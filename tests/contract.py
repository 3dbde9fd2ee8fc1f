"""What every registered layer promises; each promise is checked for each row of `cases.CASES`.

A promise that is not one of every row says so by `only`, before anything runs: see `excuse`.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import attention_zoo as az
from tests.cases import CASES, Case
from tests.gradients import differences, float64, gradients


def call(layer: Any, inputs: dict, masks: dict | None = None, **flags: Any) -> Any:
    """Call a layer with its first input by position and the rest by name."""
    first, *rest = inputs.values()
    names = list(inputs)[1:]
    more = {name: ops.convert_to_tensor(x) for name, x in zip(names, rest, strict=True)}
    hidden = {name: ops.convert_to_tensor(mask) for name, mask in (masks or {}).items()}
    return layer(ops.convert_to_tensor(first), **more, **hidden, **flags)


def levels(x: Any) -> list[np.ndarray]:
    """One array, or one for each level of scores, as NumPy."""
    parts = x if isinstance(x, (tuple, list)) else [x]
    return [np.asarray(ops.convert_to_numpy(part)).astype("float64") for part in parts]


def both(layer: Any, inputs: dict, masks: dict | None = None, **flags: Any) -> tuple:
    """Outputs and levels of scores as NumPy."""
    outputs, scores = call(layer, inputs, masks, return_attention_scores=True, **flags)
    return levels(outputs)[0], levels(scores)


def axes(case: Case, scores: list) -> list[int]:
    return list(case.axis) if isinstance(case.axis, tuple) else [case.axis] * len(scores)


def summing(case: Case) -> bool:
    """Whether the scores of this case sum to 1."""
    return case.kwargs.get("normalizer") != "sigmoid" and "sums" not in case.excused


def close(a: Any, b: Any, tolerance: float = 1e-6) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, atol=tolerance, rtol=tolerance)


def only(applies: Callable[[Case], bool], otherwise: str) -> Callable:
    """The promise of those cases alone; of the others, `otherwise` says why not."""

    def mark(promise: Callable) -> Callable:
        promise.conditions = [*getattr(promise, "conditions", []), (applies, otherwise)]
        return promise

    return mark


def excuse(case: Case, promise: str) -> str | None:
    """Why the promise of that name is not one of this case, or None where it is."""
    if promise in case.excused:
        return case.excused[promise]
    conditions = getattr(PROMISES[promise], "conditions", [])
    return next((why for applies, why in conditions if not applies(case)), None)


BACKEND = keras.backend.backend()
has_gradients = only(lambda _: BACKEND != "numpy", "the NumPy backend has no gradients")


def promise_config(case: Case) -> None:
    """Every argument is documented, in the config, and survives JSON."""
    layer = case.make(dropout=0.25, seed=3, scores_regularizer="entropy")
    config = layer.get_config()
    documented = " ".join(cls.__doc__ or "" for cls in type(layer).__mro__[:-1])
    for cls in type(layer).__mro__:
        if cls.__module__.startswith("attention_zoo"):
            for name, parameter in inspect.signature(cls.__init__).parameters.items():
                if name != "self" and parameter.kind is not parameter.VAR_KEYWORD:
                    assert name in config, name
                    assert f"{name}:" in documented or f"{name}," in documented, name
                    assert hasattr(layer, name), name
    again = az.layers.get(json.loads(json.dumps(az.layers.describe(layer))))
    assert type(again) is type(layer)
    assert again.get_config() == config
    for name, value in case.kwargs.items():
        made = isinstance(getattr(layer, name), keras.layers.Layer)
        assert made or getattr(layer, name) == value
    revived = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    )
    assert revived.get_config() == config


def promise_symbolic_equals_eager(case: Case) -> None:
    """Symbolic shapes and dtypes are the eager ones, whatever flags are set, lengths unknown."""
    for asked in (False, True):
        for masked in (False, True):
            layer, arrays = case.make(), case.arrays()
            masks = case.visible() if masked else {}
            flags = {"return_attention_scores": asked}
            eager = call(layer, arrays, masks, **flags)
            sizes = {n: x.shape[1:] for n, x in arrays.items()}
            known = {n: keras.KerasTensor((None, *size)) for n, size in sizes.items()}
            unknown = {
                n: keras.KerasTensor((None, None, *size[1:]) if len(size) > 1 else (None, *size))
                for n, size in sizes.items()
            }
            for tensors in (known,) if case.fixed_length else (known, unknown):
                hidden = {
                    n: keras.KerasTensor((None, *tensors[case.masks[n]].shape[1 : m.ndim]), "bool")
                    for n, m in masks.items()
                }
                first, *rest = tensors.values()
                named = dict(zip(list(tensors)[1:], rest, strict=True))
                symbolic = layer(first, **named, **hidden, **flags)
                flat, expected = keras.tree.flatten(symbolic), keras.tree.flatten(eager)
                assert len(flat) == len(expected)
                for got, want in zip(flat, expected, strict=True):
                    assert got.dtype == keras.backend.standardize_dtype(want.dtype)
                    assert len(got.shape) == len(want.shape)
                    for a, b in zip(got.shape, want.shape, strict=True):
                        assert a is None or a == b, (got.shape, want.shape)


@only(lambda _: BACKEND == "tensorflow", "only TensorFlow's shapes may be unknown as it runs")
@only(lambda case: not case.fixed_length, "its length is fixed, and known")
def promise_a_graph_knows_what_the_symbol_knows(case: Case) -> None:
    """In a tf.function of unknown batch and lengths each size is known that a symbol knows."""
    import tensorflow as tf

    def spec(shape: tuple, dtype: str, axes: int) -> Any:
        return tf.TensorSpec((*[None] * axes, *shape[axes:]), dtype)

    arrays, visible = case.arrays(), case.visible()
    inputs = {n: spec(x.shape, "float32", x.ndim - 1) for n, x in arrays.items()}
    hidden = {n: spec(m.shape, "bool", m.ndim) for n, m in visible.items()}
    first, *names = inputs
    for masks, flags in (({}, {}), (hidden, {"return_attention_scores": True, "training": True})):
        layer = case.make(dropout=0.25)

        def run(x: dict, given: dict, layer: Any = layer, flags: dict = flags) -> Any:
            return layer(x[first], **{n: x[n] for n in names}, **given, **flags)

        symbols = {n: keras.KerasTensor(s.shape) for n, s in inputs.items()}
        mask_symbols = {n: keras.KerasTensor(m.shape, "bool") for n, m in masks.items()}
        graph = tf.function(run, autograph=False).get_concrete_function(inputs, masks)
        found = keras.tree.flatten(graph.structured_outputs)
        for got, want in zip(found, keras.tree.flatten(run(symbols, mask_symbols)), strict=True):
            sizes = zip(tuple(got.shape), want.shape, strict=True)
            assert all(b in (None, a) for a, b in sizes), (got.shape, want.shape, flags)


def promise_oracle(case: Case) -> None:
    """The float64 oracle agrees, with and without masks, on this backend."""
    layer, arrays = case.make(), case.arrays()
    for masks in ({}, case.visible()):
        outputs, scores = both(layer, arrays, masks)
        expected, expected_scores = case.oracle(layer, arrays, masks)
        if not isinstance(expected_scores, tuple):
            expected_scores = (expected_scores,)
        close([outputs], [expected], 1e-5)
        close(scores, expected_scores, 1e-5)


def promise_padding_cannot_speak(case: Case) -> None:
    """What stands in padding changes nothing, and its scores are exactly 0; the rest sum to 1."""
    layer, masks = case.make(), case.visible()
    clean = case.arrays()
    outputs, scores = both(layer, clean, masks)
    for noise in (1e4, np.nan, np.inf):
        dirty = {name: x.copy() for name, x in clean.items()}
        for name, mask in masks.items():
            dirty[case.masks[name]][~mask] = noise
        noisy, noisy_scores = both(layer, dirty, masks)
        np.testing.assert_array_equal(noisy, outputs)
        close(noisy_scores, scores, 0)
    if summing(case):
        for level, axis in zip(scores, axes(case, scores), strict=True):
            sums = level.sum(axis)
            assert np.all((np.abs(sums - 1) < 1e-5) | (sums == 0))
            assert np.any(sums > 0)


def promise_hidden_scores_are_zero(case: Case) -> None:
    """The scores of the masked cells, found by the oracle's zeros, are exactly 0."""
    layer, arrays, masks = case.make(), case.arrays(), case.visible()
    _, scores = both(layer, arrays, masks)
    _, expected = case.oracle(layer, arrays, masks)
    for level, want in zip(
        scores, expected if isinstance(expected, tuple) else (expected,), strict=True
    ):
        assert np.any(want == 0)
        assert np.all(level[want == 0] == 0)


@has_gradients
def promise_nothing_visible_is_zero(case: Case) -> None:
    """A sample with no visible step: scores 0, all finite, gradients too, the others the same."""
    layer, arrays, masks = case.make(), case.arrays(), case.visible()
    outputs, _ = both(layer, arrays, masks)
    for mask in masks.values():
        mask[1] = False
    blank, scores = both(layer, arrays, masks)
    assert np.all(np.isfinite(blank))
    assert all(np.all(level[1] == 0) for level in scores)
    if "zero output" not in case.excused:
        assert np.all(blank[1] == 0)
    np.testing.assert_allclose(np.delete(blank, 1, 0), np.delete(outputs, 1, 0), atol=1e-6)
    for gradient in gradients(layer, lambda: ops.sum(call(layer, arrays, masks) ** 2)):
        assert gradient is None or np.all(np.isfinite(gradient))


@only(lambda case: len(case.first) == 3, "its first input has no steps, or steps of steps")
def promise_outgoing_mask(case: Case) -> None:
    """The mask goes on where the steps do, and stops where they end."""
    layer = case.make()
    first = next(iter(case.inputs))
    tensors = {n: keras.KerasTensor((None, *s[1:])) for n, s in case.inputs.items()}
    tensors[first] = keras.layers.Masking()(keras.Input(case.inputs[first][1:]))
    head, *rest = tensors.values()
    outputs = layer(head, **dict(zip(list(tensors)[1:], rest, strict=True)))
    mask = getattr(outputs, "_keras_mask", None)
    steps = len(outputs.shape) == 3 and outputs.shape[1] == case.inputs[first][1]
    assert (mask is not None) == (
        steps and layer.kind != "pool" or steps and len(case.inputs) > 1
    ), outputs.shape


def promise_masks_may_be_arrays_or_lists(case: Case) -> None:
    """A mask hides what it hides, be it a tensor, an array or lists."""
    layer, arrays, masks = case.make(), case.arrays(), case.visible()
    outputs, scores = both(layer, arrays, masks)
    first, *rest = arrays.values()
    more = dict(zip(list(arrays)[1:], rest, strict=True))
    for kind in (np.asarray, np.ndarray.tolist):
        others = {name: kind(mask) for name, mask in masks.items()}
        found = layer(first, **more, **others, return_attention_scores=True)
        close([levels(found[0])[0], *levels(found[1])], [outputs, *scores])


def promise_rows_are_independent(case: Case) -> None:
    """Each row of a batch is what it is alone; a batch of 1 works."""
    layer, arrays, masks = case.make(), case.arrays(), case.visible()
    outputs, scores = both(layer, arrays, masks)
    one, one_scores = both(
        layer, {n: x[2:3] for n, x in arrays.items()}, {n: m[2:3] for n, m in masks.items()}
    )
    np.testing.assert_allclose(one, outputs[2:3], atol=1e-6)
    close(one_scores, [s[2:3] for s in scores])


def promise_no_rows_are_none(case: Case) -> None:
    """A batch of 0 gives outputs and scores of 0 rows."""
    layer, arrays, masks = case.make(), case.arrays(), case.visible()
    outputs, scores = both(layer, arrays, masks)
    none, none_scores = both(
        layer, {n: x[:0] for n, x in arrays.items()}, {n: m[:0] for n, m in masks.items()}
    )
    assert none.shape == (0, *outputs.shape[1:])
    assert all(s.shape == (0, *t.shape[1:]) for s, t in zip(none_scores, scores, strict=True))


@only(lambda case: case.fixed_length, "any length will do: see any_length")
def promise_another_length_is_refused(case: Case) -> None:
    """A layer of a fixed length names both lengths when it is called with another."""
    layer, shape = case.make(), case.first
    with pytest.raises(ValueError, match=rf"{shape[1]}.*{shape[1] + 2}"):
        call(layer, case.arrays(extra=2))


@only(lambda case: not case.fixed_length, "its length is fixed: see another_length_is_refused")
@only(lambda case: any(len(s) > 2 for s in case.inputs.values()), "a table has no steps")
def promise_any_length(case: Case) -> None:
    """One step works, and two lengths through one layer, and masked steps added change nothing."""
    layer, arrays = case.make(), case.arrays()
    one, _ = both(layer, {n: x[:, :1] if x.ndim > 2 else x for n, x in arrays.items()})
    assert np.all(np.isfinite(one))
    outputs, _ = both(layer, arrays, {n: np.ones(m.shape, bool) for n, m in case.visible().items()})
    for before, after in ((0, 4), (4, 0), (0, 31)):
        padded, masks = {}, {}
        for name, x in arrays.items():
            widths = [(0, 0), (before, after), *[(0, 0)] * (x.ndim - 2)]
            padded[name] = np.pad(x, widths, constant_values=7.0) if x.ndim > 2 else x
        for name, of in case.masks.items():
            mask = np.ones(arrays[of].shape[:-1], bool)
            if mask.ndim > 1:
                mask = np.pad(mask, [(0, 0), (before, after), *[(0, 0)] * (mask.ndim - 2)])
            masks[name] = mask
        longer, _ = both(layer, padded, masks)
        if longer.shape != outputs.shape:
            longer = longer[:, before : before + outputs.shape[1]]
        np.testing.assert_allclose(longer, outputs, atol=1e-5)


@float64()
def promise_precision(case: Case) -> None:
    """Half precision is finite and of the compute dtype, near float32; float64 is float64."""
    arrays, masks = case.arrays(), case.visible()
    reference = case.make()
    exact, _ = both(reference, arrays, masks)
    for policy, compute, variable, tolerance in (
        ("mixed_float16", "float16", "float32", 0.02),
        ("mixed_bfloat16", "bfloat16", "float32", 0.1),
        ("float64", "float64", "float64", 1e-5),
    ):
        layer = case.make(dtype=policy)
        layer.set_weights(reference.get_weights())
        outputs, scores = call(layer, arrays, masks, return_attention_scores=True)
        for tensor in keras.tree.flatten((outputs, scores)):
            assert keras.backend.standardize_dtype(tensor.dtype) == compute
        assert {v.dtype for v in layer.trainable_variables} <= {variable}
        np.testing.assert_allclose(levels(outputs)[0], exact, atol=tolerance, rtol=tolerance)
        # Some of it is beyond what float16 can hold
        loud = {n: x * 6e4 for n, x in arrays.items()}
        flat = keras.tree.flatten(call(layer, loud, masks, return_attention_scores=True))
        assert all(np.all(np.isfinite(levels(tensor)[0])) for tensor in flat)


@has_gradients
@float64()
def promise_gradients(case: Case) -> None:
    """Every trainable variable gets the gradient that finite differences give, in float64."""
    layer, arrays, masks = case.make(dtype="float64"), case.arrays("float64"), case.visible()
    rng = np.random.default_rng(1)
    outputs, scores = both(layer, arrays, masks)
    weights = rng.normal(size=outputs.shape)
    marks = [rng.normal(size=level.shape) for level in scores]

    def scalar() -> Any:
        y, s = call(layer, arrays, masks, return_attention_scores=True)
        total = ops.sum(y * ops.convert_to_tensor(weights))
        for level, mark in zip(s if isinstance(s, tuple) else (s,), marks, strict=True):
            total = total + ops.sum(level * ops.convert_to_tensor(mark))
        return total

    found = gradients(layer, scalar)
    for variable, gradient, (direction, slope) in zip(
        layer.trainable_variables, found, differences(layer, scalar), strict=True
    ):
        assert gradient is not None, variable.name
        assert np.isclose((gradient * direction).sum(), slope, atol=1e-5, rtol=1e-4), variable.name


def promise_asking_for_scores_changes_nothing(case: Case) -> None:
    """Asking for the scores leaves the output as it is, dropout on or off."""
    arrays = case.arrays()
    for masks in ({}, case.visible()):
        for mask in masks.values():
            mask[1] = False
        for training in (False, True):
            layer = [case.make(dropout=0.4, seed=5) for _ in range(2)]
            plain = levels(call(layer[0], arrays, masks, training=training))[0]
            outputs, scores = both(layer[1], arrays, masks, training=training)
            np.testing.assert_allclose(outputs, plain, atol=1e-6)
            quiet, quiet_scores = both(layer[1], arrays, masks, training=False)
            # Of several levels the first alone comes before any dropout
            if "quiet scores" not in case.excused:
                close(quiet_scores[:1], scores[:1])
            if training:
                assert not np.allclose(quiet, outputs)


def promise_build_makes_everything(case: Case) -> None:
    """`build` alone makes every variable; clones and deep copies keep config and outputs."""
    layer, arrays = case.make(), case.arrays()
    made = [v.path for v in layer.variables]
    outputs, _ = both(layer, arrays)
    assert [v.path for v in layer.variables] == made
    clone = type(layer).from_config(layer.get_config())
    clone.build(*case.inputs.values())
    clone.set_weights(layer.get_weights())
    np.testing.assert_array_equal(both(clone, arrays)[0], outputs)
    twin = copy.deepcopy(layer)
    assert twin.get_config() == layer.get_config()


def model_of(case: Case) -> keras.Model:
    """A functional model around the layer, masked by the values of its inputs."""
    layer = case.make()
    tensors = {n: keras.Input(s[1:], name=n) for n, s in case.inputs.items()}
    hidden = {
        n: keras.layers.Masking(-7.0)(t) if len(t.shape) == 3 else t for n, t in tensors.items()
    }
    first, *rest = hidden.values()
    outputs = layer(first, **dict(zip(list(hidden)[1:], rest, strict=True)))
    if len(outputs.shape) > 2:
        outputs = keras.layers.Flatten()(ops.nan_to_num(outputs))
    return keras.Model(tensors, keras.layers.Dense(1)(outputs))


@has_gradients
@only(
    lambda case: case is next(c for c in CASES if (c.layer, c.inputs) == (case.layer, case.inputs)),
    "other arguments change nothing in how Keras drives a layer, and compiling is slow",
)
def promise_fits(case: Case) -> None:
    """A model around the layer trains compiled and in several steps, the same for one seed."""
    model = model_of(case)
    jit = BACKEND != "torch"
    model.compile("sgd", "mse", jit_compile=jit, steps_per_execution=2 if jit else 1)
    arrays = case.arrays(batch=8)
    for name in arrays:
        if arrays[name].ndim == 3:
            arrays[name][:, -2:] = -7.0
    weights, losses = model.get_weights(), []
    for _ in range(2):
        model.set_weights(weights)
        keras.utils.set_random_seed(1)
        history = model.fit(arrays, np.ones(8), batch_size=2, epochs=2, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    assert np.all(np.isfinite(losses))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    sources = [Batches(arrays)]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        sources.append(tf.data.Dataset.from_tensor_slices((arrays, np.ones(8))).batch(2))
    for source in sources:
        model.set_weights(weights)
        again = model.fit(source, epochs=2, shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(again, losses[0], rtol=1e-5)


class Batches(keras.utils.PyDataset):
    """Arrays in batches of 2, with targets of 1."""

    def __init__(self, arrays: dict):
        super().__init__()
        self.arrays = arrays

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple:
        at = slice(2 * index, 2 * index + 2)
        return {name: x[at] for name, x in self.arrays.items()}, np.ones(2)


def promise_weights_begin_different(case: Case) -> None:
    """No two weights of one shape begin equal, seeded or not; a seed makes them the same again."""
    seeded = keras.initializers.RandomNormal(seed=3)
    for given in ({}, {"kernel_initializer": seeded, "bias_initializer": seeded}):
        layer, again = case.make(**given), case.make(**given)
        weights = [np.asarray(w) for w in layer.get_weights()]
        # Zeros and ones, as in the bias of an LSTM, are not drawn
        drawn = [w for w in weights if not np.all(np.isin(w, (0, 1)))]
        for first, second in itertools.combinations(drawn, 2):
            assert first.shape != second.shape or not np.array_equal(first, second)
        for one, other in zip(weights, again.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def promise_lists_and_integers(case: Case) -> None:
    """Integer arrays work, and are computed in the layer's own dtype."""
    layer, arrays = case.make(), case.arrays()
    whole = {n: np.round(x * 3).astype("int64") for n, x in arrays.items()}
    floats = {n: x.astype("float32") for n, x in whole.items()}
    np.testing.assert_allclose(both(layer, whole)[0], both(layer, floats)[0], atol=1e-6)


PROMISES = {name[8:]: f for name, f in list(globals().items()) if name.startswith("promise_")}
#: What a case may be excused from that is a part of a promise only.
PARTS = ("zero output", "sums", "quiet scores")
