"""One row of arguments and inputs for every registered layer: all that the contract needs."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import attention_zoo as az
from tests import oracle

BATCH, STEPS, OTHER_STEPS, WIDTH, OTHER_WIDTH = 5, 7, 11, 3, 13


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer with arguments, the inputs it is called on, and what is true of it.

    Inputs and masks are named by the arguments of `call`; the first input is the positional one.
    """

    layer: str
    #: (layer, inputs, masks) -> (outputs, scores), in float64 NumPy.
    oracle: Callable[..., Any]
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    inputs: dict[str, tuple] = dataclasses.field(
        default_factory=lambda: {"inputs": (BATCH, STEPS, WIDTH)}
    )
    #: mask argument -> the input it hides steps of.
    masks: dict[str, str] = dataclasses.field(default_factory=lambda: {"mask": "inputs"})
    #: The axis of the scores that sums to 1 over the visible cells; a tuple for several levels.
    axis: Any = -1
    #: Whether only a fixed number of steps will do.
    fixed_length: bool = False
    #: promise -> why it does not apply.
    excused: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        """A name for the test's report."""
        options = "-".join(f"{k}={v}" for k, v in self.kwargs.items())
        shapes = "" if len(self.inputs) == 1 else f"({','.join(self.inputs)})"
        return f"{self.layer}{shapes}{options and '-' + options}".replace(" ", "")

    @property
    def first(self) -> tuple:
        """The shape of the input that is given by position."""
        return next(iter(self.inputs.values()))

    def make(self, dtype: str = "float32", **more: Any) -> keras.layers.Layer:
        """The layer, built with seeded weights, biases included."""
        keras.utils.set_random_seed(zlib.crc32(self.id.encode()))
        # Some begin with zeros, which would hide what the weights do
        drawn = {"kernel_initializer": "glorot_uniform", "bias_initializer": "random_normal"}
        given = {**drawn, **self.kwargs, **more}
        layer = az.layers.get(self.layer, dtype=dtype, **given)
        layer.build(*self.inputs.values())
        return layer

    def arrays(self, dtype: str = "float32", batch: int = BATCH, extra: int = 0) -> dict[str, Any]:
        """Seeded inputs, of another batch size or with `extra` more steps if wanted."""
        rng = np.random.default_rng(len(self.id))
        grown = {
            name: (shape[0], shape[1] + extra, *shape[2:]) if len(shape) > 2 else shape
            for name, shape in self.inputs.items()
        }
        return {
            name: rng.normal(size=(batch, *shape[1:])).astype(dtype)
            for name, shape in grown.items()
        }

    def visible(self, batch: int = BATCH) -> dict[str, np.ndarray]:
        """Masks with padding on the right, on the left, in the middle; the last row is whole."""
        result = {}
        for name, of in self.masks.items():
            shape = (batch, *self.inputs[of][1:-1]) if len(self.inputs[of]) > 2 else None
            mask = np.ones(shape or (batch, self.inputs[of][1]), bool)
            for row in range(batch - 1):
                cut = 1 + row % (mask.shape[1] - 1)
                where = [slice(cut, None), slice(0, cut), slice(cut, cut + 1)][row % 3]
                mask[row, where] = False
            result[name] = mask
        return result


def _rows(layer: str, function: Callable[..., Any], *options: dict[str, Any], **facts: Any):
    return [Case(layer, function, kwargs, **facts) for kwargs in options]


ALONE: dict[str, Any] = {"inputs": {"query": (BATCH, STEPS, WIDTH)}, "masks": {"mask": "query"}}
ONE_QUERY: dict[str, Any] = {
    "inputs": {"query": (BATCH, OTHER_WIDTH), "value": (BATCH, STEPS, WIDTH)},
    "masks": {"value_mask": "value"},
    "excused": {"zero output": "the query itself is not masked, and answers: tanh([0; q] C)"},
}
QUERIES: dict[str, Any] = {
    "inputs": {"query": (BATCH, OTHER_STEPS, OTHER_WIDTH), "value": (BATCH, STEPS, WIDTH)},
    "masks": {"query_mask": "query", "value_mask": "value"},
}
DECODER: dict[str, Any] = {
    "inputs": {"inputs": (BATCH, STEPS, WIDTH), "memory": (BATCH, OTHER_STEPS, OTHER_WIDTH)},
    "masks": {"inputs_mask": "inputs", "memory_mask": "memory"},
}
RECURRENT = {"gradients": "Keras's cells fall to float32 here: see test_recurrent_gradients"}
if keras.backend.backend() == "tensorflow":
    RECURRENT = {}
FED_BACK = {"quiet scores": "what was dropped at one step is the input of the next"}
GATES = {"sums": "a gate is a sigmoid: it is open or shut whatever the others are"}
UPWARDS = {"quiet scores": "what was dropped among the words is the input of the sentences"}


def _cell(kind: str) -> dict[str, Any]:
    config = {"name": "cell", "units": 5, "bias_initializer": "random_normal"}
    return {"class_name": f"{kind}Cell", "config": config}


CASES: list[Case] = [
    *_rows(
        "feature",
        oracle.feature,
        {},
        {"normalizer": "sparsemax", "temperature": 0.7},
        {"normalizer": "entmax15", "use_bias": False},
    ),
    *_rows(
        "feature",
        oracle.feature,
        {"normalizer": "entmax15"},
        inputs={"inputs": (BATCH, WIDTH)},
        masks={"mask": "inputs"},
    ),
    *_rows(
        "variable_selection",
        oracle.variable_selection,
        {},
        {"units": 5, "normalizer": "sparsemax", "temperature": 0.7, "use_bias": False},
    ),
    *_rows(
        "variable_selection",
        oracle.variable_selection,
        {"units": 2},
        inputs={"inputs": (BATCH, WIDTH)},
        masks={"mask": "inputs"},
    ),
    *_rows("temporal", oracle.temporal, {}, {"normalizer": "sparsemax"}, axis=1, fixed_length=True),
    *_rows(
        "temporal", oracle.temporal, {"shared": True, "normalizer": "entmax15"}, fixed_length=True
    ),
    *_rows(
        "temporal", oracle.temporal, {"score": "additive", "units": 4, "use_bias": False}, axis=1
    ),
    *_rows("temporal", oracle.temporal, {"score": "additive", "shared": True}),
    *_rows(
        "pooling",
        oracle.pooling,
        {},
        {"units": 2, "hops": 13, "normalizer": "sparsemax"},
        {"score": "dot", "normalizer": "entmax15", "temperature": 0.7},
        {"hops": 2, "use_bias": False},
    ),
    *_rows("conjunctive", oracle.conjunctive, {}, {"units": 2, "form": "additive"}, excused=GATES),
    *_rows(
        "conjunctive",
        oracle.conjunctive,
        {"units": 2, "form": "instance"},
        {"units": 11, "attention_units": 2, "normalizer": "sparsemax", "temperature": 0.7},
        {"form": "additive", "normalizer": "entmax15", "use_bias": False},
    ),
    *_rows(
        "conjunctive",
        oracle.conjunctive,
        {"units": 2, "activation": "softmax"},
        {"activation": "sigmoid", "use_bias": False},
        excused={**GATES, "zero output": "the activation of zero logits is not zero"},
    ),
    *_rows(
        "luong",
        oracle.many_to_one,
        {"units": 2},
        {"units": 2, "score": "dot"},
        {"units": 2, "score": "scaled_dot", "normalizer": "entmax15"},
        **ALONE,
    ),
    *_rows(
        "bahdanau",
        oracle.many_to_one,
        {"units": 2},
        {"units": 2, "attention_units": 11, "normalizer": "sparsemax", "use_bias": False},
        **ALONE,
    ),
    *_rows(
        "luong",
        oracle.many_to_one,
        {"units": 3, "bidirectional": True},
        inputs={"query": (BATCH, STEPS, 2)},
        masks={"mask": "query"},
    ),
    *_rows("luong", oracle.many_to_one, {"units": 17}, **ONE_QUERY),
    *_rows("bahdanau", oracle.many_to_one, {"units": 17}, **ONE_QUERY),
    *_rows(
        "luong",
        oracle.many_to_one,
        {"units": 2},
        {"units": 2, "normalizer": "sparsemax"},
        **QUERIES,
    ),
    *_rows("bahdanau", oracle.many_to_one, {"units": 2, "attention_units": 17}, **QUERIES),
    *_rows(
        "luong",
        oracle.many_to_one,
        {"units": 2},
        masks=QUERIES["masks"],
        inputs=QUERIES["inputs"] | {"key": (BATCH, STEPS, 17)},
    ),
    *_rows(
        "self_attention",
        oracle.self_attention,
        {},
        {"score": "general", "window": 2},
        {"score": "dot", "use_causal_mask": True, "normalizer": "sparsemax"},
        {"units": 2, "window": 1, "use_causal_mask": True, "use_bias": False},
    ),
    *_rows(
        "cross_attention",
        oracle.cross_attention,
        {},
        {"score": "general"},
        {"units": 2, "normalizer": "entmax15", "temperature": 0.7},
        inputs=QUERIES["inputs"],
        masks=QUERIES["masks"],
    ),
    *_rows(
        "multi_head",
        oracle.multi_head,
        {"num_heads": 3, "key_dim": 2},
        {"num_heads": 6, "num_key_value_heads": 2, "key_dim": 5, "value_dim": 2, "output_dim": 11},
        {
            "num_heads": 2,
            "key_dim": 5,
            "shared_values": True,
            "normalizer": "sparsemax",
            "use_causal_mask": True,
            "use_bias": False,
        },
        **ALONE,
    ),
    *_rows(
        "multi_head",
        oracle.multi_head,
        {"num_heads": 2, "key_dim": 3, "window": 3},
        inputs=QUERIES["inputs"],
        masks=QUERIES["masks"],
    ),
    *_rows(
        "hierarchical",
        oracle.hierarchical,
        {},
        {"units": 2, "normalizer": "sparsemax", "use_bias": False},
        inputs={"inputs": (BATCH, STEPS, OTHER_STEPS, WIDTH)},
        axis=(-1, -1),
        excused=UPWARDS,
    ),
    *_rows(
        "hierarchical",
        oracle.hierarchical,
        {"encoder": "gru", "encoder_units": 2},
        inputs={"inputs": (BATCH, STEPS, OTHER_STEPS, WIDTH)},
        axis=(-1, -1),
        excused={**RECURRENT, **UPWARDS},
    ),
    *_rows(
        "hierarchical",
        oracle.hierarchical,
        {"window": 2, "normalizer": "entmax15"},
        axis=(-1, -1),
        excused=UPWARDS,
    ),
    *_rows(
        "hierarchical",
        oracle.hierarchical,
        {"window": 2, "encoder": "lstm", "bidirectional": False},
        axis=(-1, -1),
        excused={**RECURRENT, **UPWARDS},
    ),
    *_rows(
        "retain",
        oracle.retain,
        {},
        {"units": 2, "recurrent_units": 11},
        {"units": 17, "normalizer": "sparsemax", "use_bias": False},
        axis=(-1, -1),
        excused={**RECURRENT, "sums": "beta is no distribution; test_retain sums alpha"},
    ),
    *_rows(
        "attention_decoder",
        oracle.attention_decoder,
        {"cell": _cell("GRU")},
        {"cell": _cell("LSTM"), "units": 2, "score": "general"},
        {"cell": _cell("SimpleRNN"), "input_feeding": False, "normalizer": "sparsemax"},
        **DECODER,
        excused={**RECURRENT, **FED_BACK},
    ),
    *_rows(
        "attention_decoder",
        oracle.attention_decoder,
        {"cell": _cell("GRU"), "monotonic": "soft", "stop_bias": -1.0},
        {"cell": _cell("LSTM"), "monotonic": "soft", "score": "general", "temperature": 0.7},
        **DECODER,
        excused={**RECURRENT, **FED_BACK, "sums": "a monotonic reader may pass over every key"},
    ),
]

if keras.backend.backend() == "tensorflow":
    EMPTY = {"no_rows_are_none": "Keras's LSTMCell refuses an empty batch on TensorFlow"}
    CASES = [
        dataclasses.replace(case, excused={**case.excused, **EMPTY})
        if "lstm" in case.id.lower()
        else case
        for case in CASES
    ]
