"""Attention on public data: what is chosen by default, beside what others reach.

    python -m benchmarks.real_data                    everything that is not in the JSON yet
    python -m benchmarks.real_data ArrowHead digits   some sets
    python -m benchmarks.real_data --seeds 3          fewer seeds
    python -m benchmarks.real_data --report           the page anew, from the stored JSON

The data are read from the packages that ship them (the extra `real-data`). Each run is stored as
soon as it ends, and what is stored is not run again. KERAS_BACKEND=jax is the fastest here.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from attention_zoo.training import Dataset, measure
from attention_zoo.training.defaults import recipe_for
from attention_zoo.training.fit import fit
from attention_zoo.training.memory import temporary_models
from attention_zoo.training.recipe import Recipe
from attention_zoo.training.study import uniform_control
from benchmarks.environments import ROOT
from benchmarks.real_baselines import BASELINES, ONCE, arranged, baseline
from benchmarks.real_looks import IMAGES, PICTURES, draw, file_of, look
from benchmarks.real_page import VARIANTS, page
from benchmarks.real_sets import SETS, NotInstalled, RealSet

RESULTS = ROOT / "benchmarks" / "real_data.json"
PAGE = ROOT / "docs" / "real_data.md"


def recipe_of(variant: str, data: Dataset) -> Recipe:
    """What a variant of ours is trained by."""
    usual = recipe_for(data)
    if variant == "pooled":
        return usual.changed(config={**usual.config, "attention": None})
    if variant == "uniform":
        attention = usual.config.get("attention", "feature")
        return uniform_control(usual.changed(config={**usual.config, "attention": attention}))
    return usual


def pools_by_gates(data: Dataset) -> bool:
    """Whether the default's answer is the mean of gated logits: with uniform gates it is that of
    mean pooling and an output layer."""
    return recipe_of("default", data).config.get("attention") == "conjunctive"


def run(
    name: str, variant: str, seeds: int, found: dict[str, Any], save: Callable[[], None],
    real: RealSet,
) -> None:  # fmt: skip
    """The seeds of one variant of one set that are not stored yet."""
    runs = found.setdefault("runs", {}).setdefault(variant, {})
    wanted = [seed for seed in range(1 if variant in ONCE else seeds) if str(seed) not in runs]
    if not wanted:
        return
    train, test = real.load()
    if variant == "uniform" and pools_by_gates(train):
        del found["runs"][variant]  # it is the model of `pooled`
        return
    found["train"], found["test"] = list(train.x.shape), list(test.x.shape)
    padding = train.mask_value
    lengths = None if padding is None else np.any(train.x != padding, -1).sum(1)
    found["lengths"] = None if lengths is None else [int(lengths.min()), int(lengths.max())]
    for seed in wanted:
        measured = _others(variant, train, test, seed) if variant in BASELINES else None
        if variant not in BASELINES:
            with temporary_models():
                measured = _ours(variant, train, test, seed)
        if measured is None:
            return
        runs[str(seed)] = measured
        print(name, variant, seed, json.dumps(measured), flush=True)
        save()


def _ours(variant: str, train: Dataset, test: Dataset, seed: int) -> dict[str, Any]:
    begun, processor = time.perf_counter(), time.process_time()
    recipe = recipe_of(variant, train)
    model = fitted(recipe, train, seed)
    spent = _spent(begun, processor)
    return {
        **measure(model, test), "parameters": model.count_params(), **spent,
        "epochs": recipe.phases[0].epochs, "backend": keras.backend.backend(),
    }  # fmt: skip


def fitted(recipe: Recipe, data: Dataset, seed: int) -> keras.Model:
    """The recipe's model, trained on all of the data with one seed."""
    return fit(recipe.changed(seed=seed), data)[0]


def _others(variant: str, train: Dataset, test: Dataset, seed: int) -> dict[str, Any] | None:
    model = baseline(variant, train, seed)
    if model is None:
        return None
    from sklearn.base import clone

    x, held_out = arranged(variant, train), arranged(variant, test)
    if variant != "forest":
        # Numba compiles what it runs first
        few = np.concatenate([np.flatnonzero(train.y == label)[:2] for label in set(train.y)])
        clone(model).fit(x[few], train.y[few]).predict(x[:2])
    begun, processor = time.perf_counter(), time.process_time()
    model.fit(x, train.y)
    # The nearest neighbour has nothing to train: all it does it does to predict
    spent = _spent(begun, processor)
    predicted = model.predict(held_out)
    if variant in ONCE:
        spent = _spent(begun, processor)
    return {"accuracy": float(np.mean(predicted == test.y)), **spent}


def _spent(begun: float, processor: float) -> dict[str, float]:
    return {
        "seconds": round(time.perf_counter() - begun, 2),
        "processor": round(time.process_time() - processor, 2),
    }


def looked(name: str, found: dict[str, Any], save: Callable[[], None], real: RealSet) -> None:
    """Where the model of seed 0 looks and whether to believe it, if that is not stored, and its
    picture, if that is not there."""
    pictured = name not in PICTURES or (IMAGES / file_of(name)).exists()
    if "looks" in found and pictured:
        return
    train, test = real.load()
    recipe = recipe_of("default", train)
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
    every = [*VARIANTS, *BASELINES]
    parser.add_argument("name", nargs="*", metavar="SET", help=f"some of: {'; '.join(SETS)}")
    parser.add_argument("--variants", nargs="*", choices=every, default=every)
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 0 on")
    parser.add_argument("--no-looks", action="store_true", help="accuracies alone")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if unknown := set(options.name) - set(SETS):
        parser.error(f"no such set: {sorted(unknown)}. There are: {'; '.join(SETS)}")
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}

    def save() -> None:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")

    for name in () if options.report else options.name or SETS:
        found = results.setdefault(name, {})
        try:
            for variant in options.variants:
                run(name, variant, options.seeds, found, save, SETS[name])
        except NotInstalled as error:
            print(f"{name} is left out. {error}")
            continue
        if not options.no_looks and {"default", "pooled"} <= set(found["runs"]):
            looked(name, found, save, SETS[name])
    PAGE.write_text(page(results), "utf-8")


if __name__ == "__main__":
    main()
