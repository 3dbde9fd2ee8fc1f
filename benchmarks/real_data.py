"""Attention on public data: the plain model, tuned, and beside mean pooling.

    python -m benchmarks.real_data                    everything that is not in the JSON yet
    python -m benchmarks.real_data ArrowHead digits   some sets
    python -m benchmarks.real_data --seeds 3          fewer seeds
    python -m benchmarks.real_data --report           the page anew, from the stored JSON

The data are read from the packages that ship them (the extra `real-data`). Each run is stored as
soon as it ends, and what is stored is not run again. KERAS_BACKEND=jax is the fastest here.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import time
from typing import Any

import keras
import numpy as np

import attention_zoo as az
from attention_zoo.data.scaling import adapt
from attention_zoo.training import Dataset, make_recipe, measure
from attention_zoo.training.compiling import build_for, compile_model
from attention_zoo.training.memory import temporary_models
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.study import uniform_control
from attention_zoo.tuning.trials import best_recipe
from benchmarks.environments import ROOT
from benchmarks.real_looks import IMAGES, LONG, PICTURES, draw, file_of, look
from benchmarks.real_page import BUDGET, VARIANTS, page
from benchmarks.real_sets import SETS, NotInstalled, RealSet

RESULTS = ROOT / "benchmarks" / "real_data.json"
PAGE = ROOT / "docs" / "real_data.md"

#: The searches' folders, by which an interrupted search goes on; git ignores them.
_SEARCHES = ROOT / "build" / "real_data"


def _is_long(data: Dataset) -> bool:
    return data.x.ndim == 3 and data.x.shape[1] > LONG


def plain(data: Dataset, architecture: str) -> Recipe:
    """What `build` gives by default, trained as `az.train` does, but long enough for few data."""
    steps = math.ceil(len(data.y) / BUDGET["batch size"])
    updates = BUDGET["updates, long" if _is_long(data) else "updates"]
    epochs = max(BUDGET["epochs"], math.ceil(updates / steps))
    attention = az.models.blueprint(
        az.build(architecture, input_shape=data.input_shape, outputs=data.outputs)
    ).config["attention"]
    return make_recipe({
        "architecture": architecture,
        "config": {"standardize": True, "attention": attention},
        "kind": data.kind,
        "batch_size": BUDGET["batch size"],
        "phases": [{"epochs": epochs}],
    })  # fmt: skip


def formerly(recipe: Recipe) -> Recipe:
    """The same, built as before states were normalized and attention began uniform."""
    attention = recipe.config["attention"]
    more = {"normalize": False, "positions": False} if recipe.architecture != "dense" else {}
    config = {**attention["config"], "kernel_initializer": "glorot_uniform"}
    return recipe.changed(
        config={**recipe.config, **more, "attention": {**attention, "config": config}}
    )


def without_attention(recipe: Recipe, data: Dataset) -> Recipe:
    """The same without attention, its layers widened until it has as many parameters."""

    def with_units(units: int) -> Recipe:
        return recipe.changed(config={**recipe.config, "attention": None, "units": units})

    @functools.cache
    def size(units: int) -> int:
        return build_for(with_units(units), data, 0).count_params()

    aim, low, high = build_for(recipe, data, 0).count_params(), 1, 2
    while size(high) <= aim:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= aim else (low, middle)
    return with_units(min((low, high), key=lambda units: abs(size(units) - aim)))


def tuned(name: str, data: Dataset, architecture: str) -> dict[str, Any]:
    """The best recipe of a small search that sees the training part alone."""
    recurrent = data.x.ndim == 3
    long = _is_long(data)
    architectures = ("lstm_after", "gru") if recurrent else (architecture,)
    space: dict[str, Any] = {}
    for one in architectures if recurrent else ():
        space[f"{one}/recurrent_dropout"] = 0.0
        if long:
            space |= {f"{one}/units": [16, 32], f"{one}/depth": 1, f"{one}/bidirectional": False}
    epochs = math.ceil(BUDGET["updates of a trial"] / math.ceil(len(data.y) / 32))
    trials = BUDGET["trials, long" if long else "trials"]
    search = az.tune(
        architectures, data=data, max_trials=trials, epochs=epochs, space=space,
        attention=BUDGET["attention"] if recurrent else None, patience=max(5, epochs // 5),
        out=_SEARCHES / name.replace(" ", "_"), resume=True,
    )  # fmt: skip
    return {
        "recipe": best_recipe(search.best.executions).model_dump(),
        "values": search.best.values, "trial": search.best.trial, "trials": len(search.trials),
        "failed": len(search.trials) - len(search.completed),
    }  # fmt: skip


def fitted(recipe: Recipe, data: Dataset, seed: int) -> keras.Model:
    """The recipe's model, trained on all of the data with one seed."""
    keras.utils.set_random_seed(seed)
    model = build_for(recipe, data, 0)
    adapt(model, data.visible())
    steps = math.ceil(len(data.y) / recipe.batch_size)
    compile_model(model, recipe.kind, recipe.phases[0].learning_rate, steps)
    model.fit(
        data.x, data.y, batch_size=recipe.batch_size, epochs=recipe.phases[0].epochs, verbose=0
    )
    return model


def recipes(name: str, real: RealSet, train: Dataset, found: dict[str, Any]) -> dict[str, Any]:
    """What each variant of a set is trained by; the search, if it was not made yet."""
    usual = plain(train, real.architecture)

    def best() -> Recipe:
        if "search" not in found:
            found["search"] = tuned(name, train, real.architecture)
        return make_recipe(found["search"]["recipe"])

    return {
        "default": lambda: usual,
        "former": lambda: formerly(usual),
        "pooled": lambda: without_attention(usual, train),
        "uniform": lambda: uniform_control(usual),
        "tuned": best,
    }


def run(
    name: str, variant: str, seeds: int, found: dict[str, Any], save: Any, real: RealSet
) -> None:
    """The seeds of one variant of one set that are not stored yet."""
    runs = found.setdefault("runs", {}).setdefault(variant, {})
    wanted = [seed for seed in range(seeds) if str(seed) not in runs]
    if not wanted:
        return
    train, test = real.load()
    found["train"], found["test"] = list(train.x.shape), list(test.x.shape)
    lengths = np.any(train.x != train.mask_value, -1).sum(1) if train.mask_value else None
    found["lengths"] = None if lengths is None else [int(lengths.min()), int(lengths.max())]
    recipe = recipes(name, real, train, found)[variant]()
    for seed in wanted:
        with temporary_models():
            runs[str(seed)] = _measured(recipe, train, test, seed)
        print(name, variant, seed, json.dumps(runs[str(seed)]), flush=True)
        save()


def _measured(recipe: Recipe, train: Dataset, test: Dataset, seed: int) -> dict[str, Any]:
    begun = time.perf_counter()
    model = fitted(recipe, train, seed)
    return {
        **measure(model, test), "parameters": model.count_params(),
        "epochs": recipe.phases[0].epochs, "seconds": round(time.perf_counter() - begun, 1),
        "backend": keras.backend.backend(),
    }  # fmt: skip


def looked(name: str, found: dict[str, Any], save: Any, real: RealSet) -> None:
    """Where the plain model of seed 0 looks and whether to believe it, if that is not stored, and
    its picture, if that is not there."""
    pictured = name not in PICTURES or (IMAGES / file_of(name)).exists()
    if ("looks" in found and pictured) or not {"default", "uniform"} <= set(found["runs"]):
        return
    train, test = real.load()
    recipe = plain(train, real.architecture)
    with temporary_models():
        model = fitted(recipe, train, 0)
        if not pictured:
            draw(name, model, test)
        if "looks" not in found:
            found["looks"] = look(model, [fitted(recipe, train, 1)], test, found["runs"])
            print(name, json.dumps(found["looks"]), flush=True)
            save()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real_data", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("name", nargs="*", metavar="SET", help=f"some of: {'; '.join(SETS)}")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 0 on")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if unknown := set(options.name) - set(SETS):
        parser.error(f"no such set: {sorted(unknown)}. There are: {'; '.join(SETS)}")
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}

    def save() -> None:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")

    for name in () if options.report else options.name or SETS:
        for variant in options.variants:
            try:
                run(name, variant, options.seeds, results.setdefault(name, {}), save, SETS[name])
            except NotInstalled as error:
                print(f"{name} is left out. {error}")
                break
        else:
            looked(name, results[name], save, SETS[name])
    PAGE.write_text(page(results), "utf-8")


if __name__ == "__main__":
    main()
