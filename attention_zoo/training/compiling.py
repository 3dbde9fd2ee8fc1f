"""From a recipe to a model with new weights, compiled so that training it is fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.window_stream import WindowStream
from attention_zoo.layers.quantile_output import PinballLoss, QuantileOutput
from attention_zoo.layers.register import attention_config
from attention_zoo.layers.traversal import all_layers
from attention_zoo.training.recipe import Recipe

_OUTPUT = {"binary": "sigmoid", "multiclass": "softmax", "regression": None}
_LOSS = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mean_squared_error",
}
#: Each under the name that Keras gives to what `metrics=["accuracy"]` stands for.
_METRIC = {
    "binary": lambda: keras.metrics.BinaryAccuracy(name="accuracy"),
    "multiclass": lambda: keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
    "regression": keras.metrics.MeanAbsoluteError,
}

#: Up to so many steps, XLA makes a recurrent layer faster.
_SHORT = 32

#: Before so many updates XLA's compiler takes more time than its code saves in a small model.
WORTH_XLA = 10_000

#: TensorFlow takes as many steps at once, at most.
AT_ONCE = 20


def dtype_of_process() -> dict[str, str]:
    """The process's dtype policy as an argument of `build`, so that a run can be made again and
    goes on as it began; nothing where it is float32, as all recipes were made."""
    policy = keras.config.dtype_policy().name
    return {} if policy == "float32" else {"dtype": policy}


def build_for(recipe: Recipe, data: Dataset, phase: int, **more: Any) -> keras.Model:
    """The recipe's model for the data's shapes, with the attention arguments of a phase; `more` are
    further arguments of `build`."""
    if data.mask_value is not None:
        if not models.takes(recipe.architecture, "mask_value"):
            raise ValueError(
                f"{recipe.architecture!r} is for tables, and the data are series with a mask: "
                "choose an architecture for series, such as 'gru'."
            )
        more["mask_value"] = data.mask_value
    if isinstance(data, WindowStream):
        more |= _of_windows(recipe.architecture, data)
    model = build_model(recipe, data.input_shape, data.outputs, phase, **more)
    return _with_heads(model, data.heads) if data.heads else model


def _of_windows(architecture: str, data: WindowStream) -> dict[str, Any]:
    """What the windows decide of a model; ValueError for a factory that does not take them."""
    if models.takes(architecture, "ahead"):
        return {"ahead": data.source.ahead, "targets": data.source.targets}
    for there, what in (
        (data.source.ahead, "columns that are known ahead"),
        (data.source.missing, "missing cells"),
        (data.source.targets > 1, "several targets"),
    ):
        if there:
            raise ValueError(
                f"{architecture!r} takes no windows with {what}: choose 'forecaster', or windows "
                "without."
            )
    return {}


def _with_heads(model: keras.Model, heads: dict[str, Dataset]) -> keras.Model:
    """Return the model with an output layer for each target."""
    last = model.layers[-1]
    outputs = {
        name: keras.layers.Dense(
            head.outputs, _OUTPUT[head.kind], name=name, dtype=last.dtype_policy
        )(last.input)
        for name, head in heads.items()
    }
    return keras.Model(model.input, outputs, name=model.name)


def build_model(
    recipe: Recipe, input_shape: Sequence[int | None], outputs: int, phase: int = 0, **more: Any
) -> keras.Model:
    """The recipe's model for the sizes of a sample; `more` are further arguments of `build`."""
    config: dict[str, Any] = {
        "input_shape": input_shape,
        "outputs": outputs,
        "activation": _OUTPUT[recipe.kind],
        **recipe.config,
        **more,
    }
    changes = recipe.phases[phase].attention
    if changes:
        config["attention"] = attention_config(config["attention"], changes)
    return models.build(recipe.architecture, **config)


def compile_model(
    model: keras.Model,
    kind: str | dict[str, str],
    learning_rate: float,
    steps: int,
    *,
    xla: bool = True,
    replicas: int = 1,
) -> None:
    """Compile a model the way that is fast on this backend; it changes no result.

    Args:
        model: it is.
        kind: of its target, or of each by the name of its output.
        learning_rate: of Adam.
        steps: how many an epoch has.
        xla: without it TensorFlow begins sooner, and each step takes longer.
        replicas: how many devices share a batch.
    """
    graphs = keras.backend.backend() == "tensorflow" and replicas == 1
    # Where a replica has no sample, what stands in for it must not count
    found: Any = (
        [_METRIC[kind]()]
        if isinstance(kind, str)
        else {name: [_METRIC[each]()] for name, each in kind.items()}
    )
    metrics = {"weighted_metrics" if replicas > 1 else "metrics": found}
    loss: Any
    loss = _LOSS[kind] if isinstance(kind, str) else {n: _LOSS[each] for n, each in kind.items()}
    last = model.layers[-1]
    if isinstance(last, QuantileOutput) and kind == "regression":
        # Which also knows targets that are missing; an absolute error is a pinball loss
        loss, metrics = PinballLoss(last.quantiles), {}
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=loss,
        jit_compile=xla and _suits_xla(model) if graphs else replicas == 1 and "auto",
        steps_per_execution=min(AT_ONCE, steps) if graphs else 1,
        **metrics,
    )
    if graphs:
        # Else variables come into being while the training is traced, which is then done twice
        build_training(model)


def build_training(model: keras.Model) -> None:
    """Make the variables of a compiled model's optimizer and metrics."""
    if isinstance(model.loss, dict):
        outputs = model.output.items()
        y: Any = {name: _target(output.shape, model.loss[name]) for name, output in outputs}
    else:
        y = _target(model.output_shape, model.loss)
    model._symbolic_build(data_batch=(_one(model.input_shape[1:]), y))


def _target(shape: Any, loss: str) -> np.ndarray:
    single = shape[-1] == 1 or loss == _LOSS["multiclass"]
    return _one(shape[1:-1] if single else shape[1:])


def _one(sizes: Any) -> np.ndarray:
    return np.zeros([1, *(size or 1 for size in sizes)], "float32")


def _suits_xla(model: keras.Model) -> bool:
    """Whether XLA makes TensorFlow faster: not over long recurrent loops (at 500 steps four times
    slower), nor over recurrent dropout."""
    recurrent = [x for x in all_layers(model) if hasattr(x, "recurrent_dropout")]
    if not recurrent:
        return True
    steps = model.input_shape[1] if isinstance(model.input_shape, tuple) else None
    short = steps is not None and steps <= _SHORT
    return short and not any(layer.recurrent_dropout for layer in recurrent)
