"""The layers of a model, however deep they are nested."""

from __future__ import annotations

import keras


def all_layers(
    layer: keras.layers.Layer, *, include_self: bool = True, recursive: bool = True
) -> list[keras.layers.Layer]:
    """The layers in a model or layer, in Keras's order, each once.

    Keras has no public name for it: `model.layers` has neither the layers of a nested model nor
    those of a wrapper or cell.

    Args:
        layer: a model or layer.
        include_self: whether it is the first of them itself.
        recursive: whether the layers in its layers are among them.
    """
    return list(layer._flatten_layers(recursive=recursive, include_self=include_self))
