"""Recurrent cells from their dictionaries and back, Keras's own and registered ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from attention_zoo.core.registry import one_of

_CELLS = ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells")


def width_of(cell: keras.layers.Layer) -> int:
    """The width of a recurrent cell's output."""
    sizes = getattr(cell, "output_size", None) or cell.state_size
    return sizes[0] if isinstance(sizes, (list, tuple)) else sizes


def make_cell(cell: Any, dtype: Any) -> keras.layers.Layer:
    """A recurrent cell from itself or its dictionary: Keras's own, or one that is registered."""
    if isinstance(cell, Mapping) and isinstance(cell.get("config"), Mapping):
        name, config = str(cell.get("class_name")), {"dtype": dtype, **cell["config"]}
        if name == "StackedRNNCells" and isinstance(config.get("cells"), (list, tuple)):
            cells = [make_cell(part, dtype) for part in config["cells"]]
            return keras.layers.StackedRNNCells(**{**config, "cells": cells})
        cls = getattr(keras.layers, name) if name in _CELLS else None
        cls = cls or keras.saving.get_registered_object(name)
        if cls is None:
            raise one_of("cell", name, _CELLS)
        cell = cls.from_config(config)
    if not isinstance(cell, keras.layers.Layer) or not hasattr(cell, "state_size"):
        raise TypeError(
            "`cell` must be a recurrent cell such as keras.layers.LSTMCell(32), or its dictionary "
            f"with 'class_name' and 'config'. Received: cell={cell!r}"
        )
    return cell


def describe_cell(cell: keras.layers.Layer) -> dict[str, Any]:
    """The dictionary that `make_cell` makes an equal cell of."""
    config = cell.get_config()
    if isinstance(cell, keras.layers.StackedRNNCells):
        config["cells"] = [describe_cell(part) for part in cell.cells]
    return {"class_name": keras.saving.get_registered_name(type(cell)), "config": config}
