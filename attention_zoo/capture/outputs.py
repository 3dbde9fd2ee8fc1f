"""Which of a model's outputs is a measure about?"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.core.registry import one_of


def chosen_output(model: keras.Model, output: str | int | None, predictions: Any) -> int:
    """The number of the output that is asked about, in the order of `keras.tree.flatten`.

    Args:
        model: a built model.
        output: the name of one of its outputs, or its number; None for the only one. The names
            are those of the dictionary that the model answers with, else those of its layers.
        predictions: what the model answered, whose structure tells the outputs of a model that
            is subclassed.

    Raises:
        ValueError: names the outputs, where there are several and `output` is None.
    """
    names = output_names(model, predictions)
    where = f"The model {model.name!r} has the outputs {', '.join(names)}"
    if output is None:
        if len(names) == 1:
            return 0
        raise ValueError(f"{where}: name the one that is asked about, output={names[0]!r}.")
    if isinstance(output, str):
        if names.count(output) > 1:
            raise ValueError(f"{where}: {output!r} is several of them, give its number.")
        if output not in names:
            raise one_of("output", output, names)
        return names.index(output)
    if isinstance(output, bool) or not isinstance(output, (int, np.integer)):
        raise TypeError(f"`output` must be a name or a number. Received: output={output!r}")
    if len(names) == 1:
        raise ValueError(
            "`output` chooses one of several outputs: leave it out. One of the values of an "
            f"output, such as a class, is a `target`. {where}. Received: output={output!r}"
        )
    if not 0 <= output < len(names):
        raise ValueError(
            f"`output` must be between 0 and {len(names) - 1}. {where}. Received: output={output!r}"
        )
    return int(output)


def output_names(model: Any, predictions: Any) -> list[str]:
    """What the outputs are called, in the order of `keras.tree.flatten`."""
    graph = bool(getattr(model, "outputs", None))
    structure = predictions
    if graph:
        structure = model.outputs if isinstance(model, keras.Sequential) else model.output
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    if graph and not any(isinstance(part, str) for path in paths for part in path):
        return [tensor._keras_history.operation.name for tensor in model.outputs]
    return ["/".join(map(str, path)) or "output" for path in paths]
