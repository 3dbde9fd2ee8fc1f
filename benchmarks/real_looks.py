"""Where the plain models of `benchmarks.real_data` look, and whether to believe it."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import keras
import numpy as np

import attention_zoo as az
from attention_zoo.training import Dataset

#: On so many test samples, fewer where the series are long.
SAMPLES, SAMPLES_LONG = 100, 40

#: Series of more steps are long.
LONG = 200

#: The sets that have a picture, and the kind of picture.
PICTURES = {"ItalyPowerDemand": "bars", "BasicMotions": "heatmap", "ArrowHead": "heatmap"}
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"


def look(
    model: keras.Model, others: list[keras.Model], test: Dataset, runs: dict[str, Any]
) -> dict[str, Any]:
    """The page of trust of one model, and where its attention is."""
    own, uniform = (
        statistics.fmean(one["accuracy"] for one in runs[variant].values())
        for variant in ("default", "uniform" if "uniform" in runs else "pooled")
    )
    few = test.x.ndim == 3 and test.x.shape[1] > LONG
    page = az.trust(
        model, test.x, test.y, samples=SAMPLES_LONG if few else SAMPLES, others=others,
        retrained_uniform=("accuracy", uniform, own),
    )  # fmt: skip
    seen = az.explain(model, test.x, y=test.y)
    profile = seen.profile()
    mean = profile.mean(0)
    ranked = [int(i) for i in np.argsort(-mean)]
    return {
        "trust": page.to_dict(),
        "over": seen.layer().attended,
        "most": [test.names[i] if test.names else i for i in ranked[:3]],
        "indices": len(mean),
        # What the most attended tenth of each sample has of all its attention
        "tenth": float(np.mean(_tenth(profile, _visible(test)))),
    }


def _visible(test: Dataset) -> np.ndarray:
    if test.mask_value is None:
        return np.ones(test.x.shape[:2], bool)
    return np.any(test.x != test.mask_value, axis=-1)


def _tenth(profile: np.ndarray, visible: np.ndarray) -> list[float]:
    shares = []
    for row, real in zip(profile, visible, strict=True):
        row = np.sort(row[real])[::-1]
        shares.append(float(row[: max(1, round(len(row) / 10))].sum() / max(row.sum(), 1e-9)))
    return shares


def draw(name: str, model: keras.Model, test: Dataset) -> None:
    """Draw where the model looks."""
    seen = az.explain(model, test.x, y=test.y)
    if PICTURES[name] == "bars":
        figure = seen.plot(title=f"{name}: attention on each step, the test set")
    else:
        right = np.flatnonzero(seen.predicted == test.y.astype(int))
        first = int(right[0]) if len(right) else 0
        label = test.classes[int(test.y[first])] if test.classes else ""
        figure = seen.plot(
            kind="heatmap", sample=first,
            title=f"{name}: the first test series that was told right, class {label}",
        )  # fmt: skip
    figure.savefig(IMAGES / file_of(name), dpi=80)


def file_of(name: str) -> str:
    """The name of the file of a set's picture."""
    return f"real_{name.lower().replace(' ', '_')}.png"
