"""What others published, measured here: RETAIN on the hidden state, and Kendall's tau of attention
over recurrent states and over states that see one step alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

import attention_zoo as az
from attention_zoo import tasks
from attention_zoo.data.dataset import Dataset
from attention_zoo.data.padding import PADDING
from attention_zoo.metrics.attribution import gradient_times_input
from attention_zoo.metrics.leave_one_out import occlusion
from attention_zoo.metrics.precision_recall import auprc
from attention_zoo.metrics.rank_correlation import agreement
from attention_zoo.training import Recipe, from_task, load_recipe
from attention_zoo.training.fit import fit
from attention_zoo.training.recipe import make_recipe

#: RETAIN answers at the last step it is shown: so many answers of each series an epoch.
_ENDS, _EPOCHS = 8, 15
_UNITS = 16

#: The tasks of the recurrent models, with a class for each series, and how many series.
_SERIES: dict[str, tuple[str, dict[str, str], int]] = {
    "moving_step": ("moving_step", {}, 5000),
    "middle, gaussian": ("boxes", {"box": "middle"}, 1000),
    "rare_time, gaussian": ("boxes", {"box": "rare_time"}, 1000),
}
#: On how many series the rankings are compared.
_COMPARED = 200


class _Contributions(keras.Model):
    """What each cell adds to RETAIN's answer."""

    def __init__(self, layer: Any, dense: keras.layers.Dense):
        super().__init__()
        self.layer, self.dense = layer, dense

    def call(self, x: Any) -> Any:
        shown = ops.any(ops.not_equal(x, PADDING), -1)
        return self.layer.contributions(x, self.dense.kernel, shown)[..., 0]


def retain(seed: int) -> dict[str, Any]:
    """AUPRC of RETAIN's contributions on the hidden state, of the answer at the last step to all
    cells, as it was published, and of the answer at each step to the cells of that step."""
    recipe = load_recipe("lstm_before.hidden_state").changed(seed=seed)
    task = tasks.get("hidden_state")
    train, test = (
        from_task(task, n, seed, split) for n, split in ((recipe.samples, "train"), (100, "test"))
    )
    keras.utils.set_random_seed(seed)
    layer = az.layers.RetainAttention(units=_UNITS, name="attention")
    dense = keras.layers.Dense(1, activation="sigmoid")
    inputs = keras.Input(test.x.shape[1:])
    model = keras.Model(inputs, dense(layer(keras.layers.Masking(PADDING)(inputs))))
    model.compile(keras.optimizers.Adam(recipe.phases[0].learning_rate), "binary_crossentropy")
    rng = np.random.default_rng(seed)
    for _ in range(_EPOCHS):
        ends = rng.integers(0, train.x.shape[1], (_ENDS, len(train.x)))
        x = np.concatenate([_until(train.x, row) for row in ends])
        y = np.concatenate([np.take_along_axis(train.y, row[:, None], 1) for row in ends])
        model.fit(x, y, batch_size=50, epochs=1, verbose=0)
    parts = _Contributions(layer, dense)
    steps = np.arange(test.x.shape[1])
    right, each = [], []
    for x, y in zip(test.x, test.y, strict=True):
        shown = _until(np.repeat(x[None], len(steps), 0), steps)
        right.append((model.predict(shown, verbose=0)[:, 0] > 0.5) == (y > 0.5))
        each.append(parts.predict(shown, verbose=0)[steps, steps])
    whole = parts.predict(test.x, verbose=0)
    return {
        "accuracy": float(np.mean(right)),
        "whole series": auprc(np.abs(whole), test.relevance),
        "each step": auprc(np.abs(np.stack(each)), test.relevance),
        "coefficients, each step": auprc(np.abs(np.stack(each) / test.x), test.relevance),
        "samples": len(test.x),
        "backend": keras.backend.backend(),
    }


def _until(x: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Each series up to its own last step, what comes later as padding."""
    shown = np.arange(x.shape[1]) <= ends[:, None]
    return np.where(shown[..., None], x, np.float32(PADDING))


def recurrent(seed: int) -> dict[str, Any]:
    """Kendall's tau of attention with leave-one-out and gradients: means over the samples."""
    found = {}
    for name, (task, config, samples) in _SERIES.items():
        for encoder, recipe in _encoders(task, config, samples).items():
            recipe = recipe.changed(seed=seed)
            data = tasks.get(task, **config)
            train, test = (
                from_task(data, n, seed, s) for n, s in ((samples, "train"), (_COMPARED, "test"))
            )
            model, _ = fit(recipe, train, from_task(data, 100, seed, "validation"))
            found[f"{name}, {encoder}"] = _agreements(model, test)
            keras.utils.clear_session()
    return found


def _encoders(task: str, config: dict[str, str], samples: int) -> dict[str, Recipe]:
    attention = {"class_name": "pooling", "config": {}}
    shared = {
        "task": task, "task_config": config, "kind": "binary", "samples": samples,
        "batch_size": 50, "phases": [{"epochs": 15, "learning_rate": 0.003}],
    }  # fmt: skip
    sizes = {"units": _UNITS, "attention": attention}
    return {
        "BiLSTM": make_recipe({**shared, "architecture": "lstm_after",
                               "config": {**sizes, "bidirectional": True}}),
        "each step alone": make_recipe({**shared, "architecture": "dense_after",
                                        "config": {**sizes, "answer_depth": 0}}),
    }  # fmt: skip


def _agreements(model: keras.Model, test: Dataset) -> dict[str, float]:
    rows = az.attention_scores(model, test.x)["attention"]
    left_out = np.abs(occlusion(model, test.x, unit="step"))
    slopes = np.abs(gradient_times_input(model, test.x).sum(-1))
    tau = agreement(rows, left_out, slopes)
    answers = model.predict(test.x, verbose=0)[:, 0]
    return {
        "accuracy": float(((answers > 0.5) == (test.y > 0.5)).mean()),
        "gradients": float(np.nanmean(tau.with_gradients)),
        "leave-one-out": float(np.nanmean(tau.with_leave_one_out)),
        "control": float(np.nanmean(tau.control)),
    }


#: By the names of the command, what is measured here.
PUBLISHED: dict[str, Callable[[int], dict[str, Any]]] = {
    "retain": retain,
    "recurrent": recurrent,
}
