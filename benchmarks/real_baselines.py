"""What others need for the same sets: scikit-learn's and aeon's classifiers, as they are built."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_zoo.training import Dataset

#: Their names in the JSON, and what heads their columns.
BASELINES = {
    "forest": "random forest",
    "dtw": "1-NN DTW",
    "minirocket": "MiniRocket + ridge",
}

#: Those that a seed does not change.
ONCE = ("dtw",)


def baseline(name: str, data: Dataset, seed: int) -> Any | None:
    """A new classifier, or None where it does not take the data."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if name == "forest":
        return RandomForestClassifier(500, random_state=seed)
    if data.x.ndim == 2:
        ridge = RidgeClassifierCV(np.logspace(-3, 3, 10))
        return make_pipeline(StandardScaler(), ridge) if name == "minirocket" else None
    if name == "dtw":
        from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

        return KNeighborsTimeSeriesClassifier(distance="dtw", distance_params={"window": 0.1})
    from aeon.classification.convolution_based import MiniRocketClassifier

    # Of fewer than 9 steps its kernels see nothing
    return MiniRocketClassifier(random_state=seed) if data.x.shape[1] >= 9 else None


def arranged(name: str, data: Dataset) -> np.ndarray:
    """The inputs as a classifier takes them: padded series are as long as the longest."""
    x = data.x
    if data.mask_value is not None:
        x = np.where(np.all(x == data.mask_value, axis=-1, keepdims=True), 0, x)
    if name == "forest" or x.ndim == 2:
        return x.reshape(len(x), -1)
    return np.ascontiguousarray(x.transpose(0, 2, 1))
