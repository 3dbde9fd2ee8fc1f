"""Attention, gradients, occlusion and chance against truths that are known.

    python -m benchmarks.saliency                     every task, seed 0: an hour on two cores
    python -m benchmarks.saliency syn1 --seeds 3      some tasks, the seeds 0, 1, 2
    python -m benchmarks.saliency retain recurrent --seeds 3     what others published, here
    python -m benchmarks.saliency --report            the page anew, from the stored JSON

What is stored is not measured again. Models of seed 0 are the presets, where there is one; all
others are trained here, by the recipes of the presets.
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any, NamedTuple

import keras
import numpy as np

import attention_zoo as az
from attention_zoo import tasks
from attention_zoo.data.dataset import Dataset
from attention_zoo.metrics.attribution import (
    convergence_delta,
    integrated_gradients,
    random_attribution,
    saliency,
)
from attention_zoo.metrics.leave_one_out import occlusion
from attention_zoo.metrics.localization import matched, relevance_mass_accuracy
from attention_zoo.metrics.perturbation import perturb
from attention_zoo.metrics.precision_recall import (
    area_under_precision,
    area_under_recall,
    auprc,
)
from attention_zoo.metrics.rescaling import temporal_saliency_rescaling
from attention_zoo.training import Recipe, from_task, load_recipe
from attention_zoo.training.fit import fit
from attention_zoo.training.study import softmax_control
from benchmarks.environments import ROOT
from benchmarks.saliency_page import page
from benchmarks.saliency_published import PUBLISHED

RESULTS = ROOT / "benchmarks" / "saliency.json"
PAGE = ROOT / "docs" / "saliency.md"

#: The share of the cells that is redrawn, and how often.
ERASED, REDRAWN = 0.1, 5
#: Of integrated gradients.
POINTS = 256
_BATCH = 1000
#: Up to so many cells, occlusion is the mean of 5 draws.
_FEW = 100


class Case(NamedTuple):
    """A task, and the recipe that its model is trained by."""

    recipe: Recipe
    #: The preset that the recipe made, or "".
    preset: str
    #: How many samples are explained.
    samples: int


def cases() -> dict[str, Case]:
    """The rows of the tables, by name."""
    found = {}
    for process in tasks.saliency.PROCESSES:
        for box in tasks.saliency.BOXES:
            found[f"{box}, {process}"] = _boxes(box, process)
    for name in ("lstm_before.hidden_state", *(f"dense.syn{i}" for i in range(1, 7)),
                 "dense.planted_feature", "lstm_after.planted_step",
                 "lstm_before.planted_channel", "gru.moving_step"):  # fmt: skip
        samples = 100 if name.endswith("hidden_state") else 1000
        found[name.partition(".")[2]] = Case(load_recipe(name), name, samples)
    return found


def _boxes(box: str, process: str) -> Case:
    # The recipe of the preset whose attention has the axis that the box is narrow in
    preset = f"lstm_before.boxes_{'rare_feature' if box.endswith('feature') else 'rare_time'}"
    recipe = load_recipe(preset)
    config = {"box": box, "process": process}
    if (box, process) in (("rare_time", "gaussian"), ("rare_feature", "gaussian")):
        return Case(recipe, preset, 100)
    attention = recipe.config["attention"]
    if box.startswith("moving") and not box.endswith("feature"):
        # Where the box is must be read from the steps themselves
        content = {**attention["config"], "score": "additive", "units": 16}
        attention = {**attention, "config": content}
    recipe = recipe.changed(task_config=config, config={**recipe.config, "attention": attention})
    return Case(recipe, "", 100)


def run(case: Case, seed: int) -> dict[str, Any]:
    """All methods on one task with the models of one seed."""
    recipe = case.recipe.changed(seed=seed)
    task = tasks.get(str(recipe.task), **recipe.task_config)
    test = from_task(task, case.samples, seed, "test")
    x = test.x
    model = az.load(case.preset) if case.preset and seed == 0 else _trained(recipe)
    softmax = _trained(softmax_control(recipe))
    ours, plain = (next(iter(az.attention_scores(m, x).values())) for m in (model, softmax))
    base = x.mean(0)
    integrated = integrated_gradients(model, x, baselines=base, n_steps=POINTS, batch_size=_BATCH)
    draws = 5 if x[0].size <= _FEW else 1
    magnitudes = {
        "attention": (model, ours),
        "softmax attention": (softmax, plain),
        "truth on that axis": (model, matched(test.relevance, ours).astype("float32")),
        "gradient": (model, saliency(model, x)),
        "integrated gradients": (model, integrated),
        "occlusion": (model, occlusion(model, x, draws=draws, batch_size=_BATCH)),
        "random": (model, random_attribution(x)),
    }
    if x.ndim == 3:
        rescaled = temporal_saliency_rescaling(model, x, variant="feature", batch_size=_BATCH)
        magnitudes["rescaled gradient"] = model, rescaled
    whole = {m: _accuracy(m, x, test.y) for m in (model, softmax)}
    found = {}
    for name, (by, scores) in magnitudes.items():
        found[name] = measured(by, whole[by], test, scores)
    return {
        "accuracy": whole[model],
        "softmax accuracy": whole[softmax],
        "gap": float(np.abs(convergence_delta(model, x, integrated, baselines=base)).mean()),
        "axes": list(ours.shape[1:]),
        "shape": list(x.shape),
        "architecture": recipe.architecture,
        "attention": recipe.config["attention"]["class_name"],
        "preset": case.preset if seed == 0 else "",
        "backend": keras.backend.backend(),
        "methods": found,
    }


def measured(model: keras.Model, whole: float, test: Dataset, scores: np.ndarray) -> dict:
    """All measures of one method's scores, on the cells of the input."""
    x, scores = test.x, np.abs(scores)
    cells = matched(test.relevance, np.empty(x.shape, "bool"))
    spread = np.broadcast_to(scores[..., None] if scores.ndim < x.ndim else scores, x.shape)
    left = [
        _accuracy(model, perturb(x, spread, ERASED, seed=number), test.y)
        for number in range(REDRAWN)
    ]
    return {
        "auprc": auprc(spread, cells),
        "aup": area_under_precision(spread, cells),
        "aur": area_under_recall(spread, cells),
        "rma": float(relevance_mass_accuracy(spread, cells).mean()),
        "lost": whole - statistics.fmean(left),
    }


def _trained(recipe: Recipe) -> keras.Model:
    task = tasks.get(str(recipe.task), **recipe.task_config)
    train = from_task(task, recipe.samples, recipe.seed, "train")
    return fit(recipe, train, from_task(task, 100, recipe.seed, "validation"))[0]


def _accuracy(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    answers = model.predict(x, batch_size=_BATCH, verbose=0).reshape(y.shape)
    return float(((answers > 0.5) == (y > 0.5)).mean())


def page_of_results() -> str:
    """The page of what is stored."""
    results = json.loads(RESULTS.read_text("utf-8"))
    return page({name: results[name] for name in (*cases(), *PUBLISHED) if name in results})


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.saliency", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    known = cases()
    names = [*known, *PUBLISHED]
    parser.add_argument("task", nargs="*", metavar="TASK", help=f"some of: {'; '.join(names)}")
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0 on")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if unknown := set(options.task) - set(names):
        parser.error(f"no such task: {sorted(unknown)}. There are: {'; '.join(names)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for seed in range(0 if options.report else options.seeds):
        for name in options.task or names:
            if str(seed) in results.get(name, {}):
                continue
            found = PUBLISHED[name](seed) if name in PUBLISHED else run(known[name], seed)
            print(name, seed, json.dumps(found), flush=True)
            results.setdefault(name, {})[str(seed)] = found
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            keras.utils.clear_session()
    PAGE.write_text(page_of_results(), "utf-8")


if __name__ == "__main__":
    main()
