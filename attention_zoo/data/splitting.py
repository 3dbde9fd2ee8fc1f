"""Which samples train, which validate and which test."""

from __future__ import annotations

import numpy as np

from attention_zoo.data.dataset import Dataset

#: The share of the samples that validates, and that tests.
_HELD = 0.15


def split(data: Dataset, seed: int) -> tuple[Dataset, Dataset, Dataset]:
    """Train, validation and test: 70, 15 and 15 % of the samples, shuffled, none shared.

    Where there are classes each part has its share of every class. Data that are ordered are not
    shuffled: the test samples are the last, those that validate come right before them.

    Raises:
        ValueError: for data from which nothing can be learned, and for too few.
    """
    check_learnable(data)
    rng = np.random.default_rng(seed)
    part = _parts(data, rng)
    train, validation, test = (np.flatnonzero(part == k) for k in range(3))
    if data.ordered:
        _check_ordered(data, train)
        return data.take(train), data.take(validation), data.take(test)
    train, validation, test = (rng.permutation(rows) for rows in (train, validation, test))
    return data.take(train), data.take(validation), data.take(test)


def split_off(data: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """What trains, and a share of the samples that validates: of each class where there are
    classes; the last ones where the data are ordered.

    Raises:
        ValueError: where that would leave none on either side.
    """
    count = len(data.x)
    labels = _labels(data) if data.y.ndim == 1 and not data.ordered else np.zeros(count)
    rng = np.random.default_rng(seed)
    held = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[::-1] if data.ordered else rng.permutation(members)
        held.append(members[: min(round(share * len(members)), len(members) - 1)])
    chosen = np.sort(np.concatenate(held))
    if len(chosen) == 0:
        raise ValueError(
            f"No sample is left to validate on: a share of {share} of {count} samples. Give more "
            "samples, or a larger share."
        )
    return data.take(np.setdiff1d(np.arange(count), chosen)), data.take(chosen)


def folds(
    data: Dataset, count: int, seed: int
) -> tuple[list[tuple[Dataset, Dataset]], Dataset, Dataset]:
    """The samples for cross-validation: pairs of what trains and what validates, all but the test
    samples, and the test samples, which are those of `split`.

    Each sample but those of the test validates in one fold and trains in the others; where there
    are classes each fold has its share of every class. Data that are ordered are cut into one part
    more than there are folds: each part but the first validates what was trained on all parts
    before it (a rolling origin: Tashman, 2000, International Journal of Forecasting 16).

    Args:
        data: the samples.
        count: how many folds, 2 or more.
        seed: of the shuffling.

    Raises:
        ValueError: for data from which nothing can be learned, and for too few.
    """
    check_learnable(data)
    rng = np.random.default_rng(seed)
    part = _parts(data, rng)
    rest, test = np.flatnonzero(part != 2), np.flatnonzero(part == 2)
    if len(rest) <= count:
        raise ValueError(
            f"`folds` must be less than the number of samples that are not for the test, "
            f"{len(rest)}. Received: folds={count}"
        )
    if data.ordered:
        blocks = np.array_split(rest, count + 1)
        pairs = [(np.concatenate(blocks[: k + 1]), blocks[k + 1]) for k in range(count)]
        _check_ordered(data, pairs[0][0])
    else:
        rest, test = rng.permutation(rest), rng.permutation(test)
        # One class after the other, so that each fold has its share of every class
        turn = np.empty(len(rest), dtype=int)
        turn[np.argsort(_labels(data)[rest], kind="stable")] = np.arange(len(rest)) % count
        pairs = [(rest[turn != k], rest[turn == k]) for k in range(count)]
    parts = [(data.take(train), data.take(validation)) for train, validation in pairs]
    return parts, data.take(rest), data.take(test)


def check_learnable(data: Dataset) -> None:
    """ValueError for data whose target is the same everywhere, or another in each sample."""
    if not data.classes:
        if np.all(data.y == data.y[0]):
            raise ValueError(f"`y` is constant ({data.y[0]:g}): there is nothing to learn.")
        return
    if len(data.classes) < 2:
        raise ValueError(
            f"`y` has one class only ({data.classes[0]!r}): there is nothing to learn."
        )
    if len(data.classes) > max(2, len(data.y) // 2):
        raise ValueError(
            f"`y` has {len(data.classes)} classes in {len(data.y)} samples. If it is a quantity, "
            "choose the kind 'regression'."
        )


def _labels(data: Dataset) -> np.ndarray:
    """The classes; one for all where there are none."""
    return data.y if data.classes else np.zeros(len(data.y))


def _parts(data: Dataset, rng: np.random.Generator) -> np.ndarray:
    """For each sample 0 to train, 1 to validate, 2 to test."""
    labels = np.zeros(len(data.y)) if data.ordered else _labels(data)
    part = np.zeros(len(labels), dtype=int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[::-1] if data.ordered else rng.permutation(members)
        held = max(1, round(_HELD * len(members))) if len(members) >= 3 else 0
        part[members[:held]] = 2
        part[members[held : 2 * held]] = 1
    if not (np.any(part == 1) and np.any(part == 2)):
        raise ValueError(
            f"Too few samples to hold some out: 3 or more of a class are needed. "
            f"Received: {len(labels)} samples"
        )
    return part


def _check_ordered(data: Dataset, train: np.ndarray) -> None:
    """ValueError where the earliest samples, which are the first to be learned from, have one
    class only."""
    codes = np.unique(data.y[train])
    if data.classes and len(codes) < 2:
        raise ValueError(
            f"The first {len(train)} samples, in their order, have one class only "
            f"({data.classes[int(codes[0])]!r}): nothing can be learned from them. Leave `ordered` "
            "out if time does not matter, or take fewer folds."
        )
