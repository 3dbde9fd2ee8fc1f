"""Data as a trained model knows them: its columns, its kind, the numbers of its classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from attention_zoo.data.dataset import Dataset
from attention_zoo.layers.traversal import all_layers


def align_to_card(data: Dataset, card: Any, model: keras.Model, name: str) -> Dataset:
    """Data for a model that was trained on others.

    Args:
        data: with columns in any order, and classes numbered by themselves.
        card: of the model.
        model: the model itself.
        name: of the model, for the errors.

    Returns:
        The data with the card's columns in its order, its classes by its numbers, and padding by
        the value that the model takes for padding.

    Raises:
        ValueError: for other columns, for labels that the model does not know, and for padding
            where the model knows none.
    """
    outputs = model.outputs[0].shape[-1]
    if data.mask_value is not None:
        padding = padding_of(model, name)
        hidden = np.all(data.x == data.mask_value, axis=-1, keepdims=True)
        filled = np.where(hidden, np.float32(padding), data.x)
        data = dataclasses.replace(data, x=filled, mask_value=padding)
    kind = card.kind
    if kind is None and (card.classes or data.kind != "regression"):
        kind = "multiclass" if outputs > 1 else "binary"
    return _aligned(data, card.names, kind, card.classes, outputs, name)


def align_to_training(data: Dataset, train: Dataset, name: str) -> Dataset:
    """Data that validate or test, with the columns and the classes of those that train.

    Raises:
        ValueError: for other columns, classes, outputs or sizes of a sample than those of `train`,
            naming the argument that has them.
    """
    if set(data.heads or ()) != set(train.heads or ()):
        raise ValueError(
            f"`{name}` must have the outputs {sorted(train.heads or ['y'])} as the training data. "
            f"Received: {sorted(data.heads or ['y'])}"
        )
    # Series may be of another length where the model takes any
    if data.x.ndim != train.x.ndim or data.x.shape[-1] != train.x.shape[-1]:
        raise ValueError(
            f"`{name}` must have samples of shape {train.x.shape[1:]} as the training data. "
            f"Received: {data.x.shape[1:]}"
        )
    said = f"the training data of `{name}`"
    found = _aligned(data, train.names, train.kind, train.classes, train.outputs, said)
    found = dataclasses.replace(found, mask_value=train.mask_value, vector=train.vector)
    if found.y.shape[1:] != train.y.shape[1:]:
        raise ValueError(
            f"`{name}` must have targets of shape {train.y.shape[1:]} for a sample as the training "
            f"data. Received: {found.y.shape[1:]}"
        )
    if not train.heads:
        return found
    heads = {
        each: align_to_training(data.heads[each], head, name)  # type: ignore[index]
        for each, head in train.heads.items()
    }
    return dataclasses.replace(found, heads=heads)


def _aligned(
    data: Dataset,
    names: list[str] | None,
    kind: str | None,
    classes: list[Any] | None,
    outputs: int,
    name: str,
) -> Dataset:
    x, names = in_order(data.x, data.names, names, name)
    y = np.array(data.classes)[data.y.astype(int)] if data.classes else data.y
    if kind == "multiclass" and not classes and y.dtype.kind not in "US":
        classes = list(range(outputs))
    y = as_codes(y, classes, kind, name, outputs).astype("float32")
    return dataclasses.replace(data, x=x, y=y, names=names, kind=kind or data.kind, classes=classes)


def in_order(
    x: np.ndarray, names: list[str] | None, known: list[str] | None, name: str
) -> tuple[np.ndarray, list[str] | None]:
    """x and its names in the order of the `known` ones, where both are known: the columns of a
    table, the steps of one that was made a series, else the features."""
    if not names or not known or names == known:
        return x, names
    missing, others = _without(known, names), _without(names, known)
    if missing or others:
        said = [f"Missing: {_listed(missing)}."] if missing else []
        said += [f"Unknown: {_listed(others)}."] if others else []
        raise ValueError(f"The data must have the columns that {name} knows. {' '.join(said)}")
    axis = 1 if x.ndim == 2 or x.shape[2] == 1 else 2
    return np.take(x, [names.index(each) for each in known], axis), known


def padding_of(model: keras.Model, name: str) -> float:
    """The value whose steps the model takes for padding; ValueError if there is none."""
    found = [la for la in all_layers(model) if isinstance(la, keras.layers.Masking)]
    if not found:
        raise ValueError(
            f"The data have a mask, and {name} has no Masking layer: it would read the padding as "
            "data. Give it whole series, or train it on series with a mask."
        )
    return float(found[0].mask_value)


def as_codes(
    y: np.ndarray, classes: Sequence[Any] | None, kind: str | None, name: str, outputs: int
) -> np.ndarray:
    """Labels as the numbers of a model's classes; quantities as they are."""
    text = y.dtype.kind in "US"
    if kind == "regression":
        if text:
            raise ValueError(f"The target is text, and {name} predicts a quantity.")
        return y
    if not classes and not text:
        if kind != "binary":
            return y
        classes = [0, 1]
    found, codes = np.unique(y, return_inverse=True)
    labels = found.tolist()
    needed = max(2, outputs)
    if not classes and len(labels) < needed:
        raise ValueError(
            f"{name} does not say what its {needed} classes are called, and the target has "
            f"{len(labels)} of them: which is which is not known. Give labels as numbers, or save "
            "a preset with about={'classes': [...]}."
        )
    # Without a card, text is taken to be numbered in its order, as our training does
    classes = list(classes or labels)
    if kind == "binary" and len(classes) > 2:
        raise ValueError(f"The target must have the 2 classes of {name}. Received: {classes}")
    # A column is numbers in one file and text in another, where that one has text as well
    numbers = {str(label): number for number, label in enumerate(classes)}
    numbers |= {label: number for number, label in enumerate(classes)}
    unknown = [label for label in labels if label not in numbers and str(label) not in numbers]
    if unknown:
        raise ValueError(
            f"The target has the class {unknown[0]!r}, which {name} does not know. "
            f"Its classes: {classes}"
        )
    own = [numbers[label] if label in numbers else numbers[str(label)] for label in labels]
    return np.array(own)[codes.reshape(y.shape)]


def _without(names: list[str], others: list[str]) -> list[str]:
    return [name for name in names if name not in set(others)]


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
