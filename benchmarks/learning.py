"""How fast the models learn where to look: validation accuracy after each epoch.

    python -m benchmarks.learning             everything that is not in the JSON yet
    python -m benchmarks.learning --again     everything, measured again
    python -m benchmarks.learning --report    the page, from the stored JSON

`planted_step` (`planted_feature` for dense), 10,000 samples, batches of 64, Adam at .001,
medians of 5 seeds. Beside each factory's defaults stand the same model as it was built before
these defaults (`former`), the three lines of keras-attention-mechanism, and mean pooling.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

import attention_zoo as az
from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "learning.json"
PAGE = ROOT / "docs" / "learning.md"
SEEDS, EPOCHS, SAMPLES, BATCH, RATE = 5, 6, 10_000, 64, 0.001
CELLS = {"lstm": layers.LSTM, "gru": layers.GRU}
#: (architecture, attention) -> the accuracy that its median must reach, and in which epoch.
GOALS = {
    ("lstm_after", None): (0.999, 3),
    ("gru", None): (0.999, 3),
    ("lstm_after", "pooling"): (0.999, 5),
    ("gru", "pooling"): (0.999, 5),
    ("lstm_after", "luong"): (0.999, 5),
    ("gru", "luong"): (0.999, 5),
    ("lstm_after", "bahdanau"): (0.999, 5),
    ("gru", "bahdanau"): (0.999, 5),
    ("lstm_before", None): (0.99, 3),
    ("gru_before", None): (0.99, 3),
    ("dense", None): (0.99, 3),
}


def shared_draws(shape: Any, dtype: Any = None) -> Any:
    """An initializer that draws the same values for all weights of one shape, as ours once did."""
    return keras.initializers.GlorotUniform(seed=shared_draws.seed)(shape, dtype)  # type: ignore


def ours(architecture: str, attention: str | None, former: bool) -> keras.Model:
    """A factory's model by its defaults, or as it was formerly built."""
    config: dict[str, Any] = {} if attention is None else {"attention": attention}
    if former:
        if architecture in ("lstm_after", "gru"):
            config |= {"normalize": False, "positions": False}
        default = "feature" if architecture == "dense" else "temporal"
        config["attention"] = az.layers.get(
            attention or default, kernel_initializer=shared_draws, name="attention"
        )
    shape = (32,) if architecture == "dense" else (20, 2)
    return az.build(architecture, input_shape=shape, activation="sigmoid", **config)


def weigh(x: Any) -> Any:
    """The attention block of keras-attention-mechanism over axis 1 of `(batch, time, features)`."""
    scores = layers.Permute((2, 1))(x)
    scores = layers.Dense(x.shape[1], activation="softmax")(scores)
    return layers.Multiply()([x, layers.Permute((2, 1))(scores)])


def ancestor_after(cell: str) -> keras.Model:
    x = keras.Input((20, 2))
    y = layers.Flatten()(weigh(CELLS[cell](32, return_sequences=True)(x)))
    return keras.Model(x, layers.Dense(1, "sigmoid")(y))


def ancestor_before(cell: str) -> keras.Model:
    x = keras.Input((20, 2))
    return keras.Model(x, layers.Dense(1, "sigmoid")(CELLS[cell](32)(weigh(x))))


def ancestor_dense() -> keras.Model:
    x = keras.Input((32,))
    y = layers.Multiply()([x, layers.Dense(32, activation="softmax")(x)])
    return keras.Model(x, layers.Dense(1, "sigmoid")(layers.Dense(64)(y)))


def mean_pooling(cell: str) -> keras.Model:
    x = keras.Input((20, 2))
    y = layers.GlobalAveragePooling1D()(CELLS[cell](32, return_sequences=True)(x))
    return keras.Model(x, layers.Dense(1, "sigmoid")(y))


def rows() -> dict[str, tuple[str, Callable[[], keras.Model]]]:
    """Name -> task and maker of a model."""
    found: dict[str, tuple[str, Callable[[], keras.Model]]] = {}
    for architecture, attention in GOALS:
        task = "planted_feature" if architecture == "dense" else "planted_step"
        name = f"{architecture}{attention and f', {attention}' or ''}"
        for former in (True, False):
            found[f"{name}{', former' if former else ''}"] = (
                task, lambda a=architecture, b=attention, c=former: ours(a, b, c)
            )  # fmt: skip
    for cell in CELLS:
        found[f"ancestor, {cell} before"] = "planted_step", lambda c=cell: ancestor_before(c)
        found[f"ancestor, {cell} after"] = "planted_step", lambda c=cell: ancestor_after(c)
        found[f"mean pooling, {cell}"] = "planted_step", lambda c=cell: mean_pooling(c)
    found["ancestor, dense"] = "planted_feature", ancestor_dense
    return found


def measure(task: str, make: Callable[[], keras.Model]) -> dict[str, Any]:
    """The accuracies of all seeds, each `EPOCHS` long, and the seconds that they took."""
    curves, start = [], time.perf_counter()
    for seed in range(SEEDS):
        x, y, _ = az.tasks.get(task).sample(SAMPLES, seed=seed, split="train")
        held_out = az.tasks.get(task).sample(2000, seed=seed, split="validation")[:2]
        keras.utils.set_random_seed(seed)
        shared_draws.seed = seed  # type: ignore[attr-defined]
        model = make()
        model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(
            x, y, validation_data=held_out, batch_size=BATCH, epochs=EPOCHS, verbose=0
        ).history
        curves.append([round(float(v), 4) for v in history["val_accuracy"]])
        keras.utils.clear_session()
    return {"accuracy": curves, "seconds": round(time.perf_counter() - start),
            "backend": keras.backend.backend(), "parameters": make().count_params()}  # fmt: skip


def line(name: str, found: dict[str, Any], goal: str) -> str:
    """A row of the table."""
    median = np.median(found["accuracy"], axis=0)
    worst = min(curve[-1] for curve in found["accuracy"])
    cells = " | ".join(f"{v:.3f}" for v in median)
    return f"| {name} | {found['parameters']:,} | {cells} | {worst:.3f} | {goal} |"


def page(results: dict[str, Any]) -> str:
    """The table of what was measured."""
    lines = [
        "| model | parameters | " + " | ".join(f"epoch {n + 1}" for n in range(EPOCHS))
        + " | worst seed | goal |",
        "|---" * (EPOCHS + 4) + "|",
    ]  # fmt: skip
    goals = {f"{a}{b and f', {b}' or ''}": goal for (a, b), goal in GOALS.items()}
    for name in rows():
        if name not in results:
            continue
        words = ""
        if name in goals:
            level, epoch = goals[name]
            reached = np.median(results[name]["accuracy"], axis=0)[epoch - 1] >= level
            words = f"{level:g} in {epoch}: {'reached' if reached else 'missed'}"
        lines.append(line(name, results[name], words))
    backend = next(iter(results.values()))["backend"]
    return (
        "# How fast models learn where to look\n\n"
        f"Made by `python -m benchmarks.learning` on {backend}: validation accuracy after each\n"
        f"epoch, the median of {SEEDS} seeds, {SAMPLES:,} samples, batches of {BATCH}, Adam with\n"
        f"a rate of {RATE:g}. The task is `planted_step`, for dense `planted_feature`. A row\n"
        "without a name of a layer has the factory's default attention. *former* is the model\n"
        "as it was built before: no normalized states, no places, kernels of one layer equal\n"
        "at the start. *ancestor* is the attention block of keras-attention-mechanism, *mean\n"
        "pooling* has no attention.\n\n" + "\n".join(lines) + "\n\n"
        "Three things made the former models slow. Random location kernels made the first\n"
        "scores noise; they begin at zero now, so that attention begins uniform. The states of\n"
        "an untrained recurrent layer are small, and so were the gradients of the scores; a\n"
        "`LayerNormalization` stands before the attention now. And attention by content could\n"
        "tell a step's place only if the recurrent layer counted; a `PositionalEncoding` tells\n"
        "it now. `az.build(..., normalize=False, positions=False)` builds models without both.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="measure all rows again")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() and not options.again else {}
    for name, (task, make) in {} if options.report else rows().items():
        if name not in results:
            results[name] = measure(task, make)
            print(line(name, results[name], ""), flush=True)
            RESULTS.write_text(json.dumps(results) + "\n")
    PAGE.write_text(page(results), "utf-8")


if __name__ == "__main__":
    main()
