"""The outputs of a model: which of them is meant, and its values as numbers to compare."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from attention_zoo.core import arrays
from attention_zoo.core.registry import one_of


def output_index(model: keras.Model, output: str | int | None, predictions: Any) -> int:
    """The number of the output that is meant, in the order of `keras.tree.flatten`.

    Args:
        model: a built model.
        output: the name of one of its outputs, or its number; None for the only one. The names
            are those of the model's dictionary of outputs, else those of its layers.
        predictions: what the model returned, whose structure tells the outputs of a subclassed
            model.

    Raises:
        ValueError: names the outputs, where there are several and `output` is None.
    """
    names = output_names(model, predictions)
    where = f"The model {model.name!r} has the outputs {', '.join(names)}"
    if output is None:
        if len(names) == 1:
            return 0
        raise ValueError(f"{where}: name the one that is meant, output={names[0]!r}.")
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
    """The names of the outputs, in the order of `keras.tree.flatten`."""
    graph = bool(getattr(model, "outputs", None))
    structure = predictions
    if graph:
        structure = model.outputs if isinstance(model, keras.Sequential) else model.output
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    if graph and not any(isinstance(part, str) for path in paths for part in path):
        return [tensor._keras_history.operation.name for tensor in model.outputs]
    return ["/".join(map(str, path)) or "output" for path in paths]


def output_values(predictions: Any, index: int) -> np.ndarray:
    """One of the outputs, by its `output_index`, as `(samples, places, values)`, float64: a place
    for each step of a sequence of outputs, otherwise a single one."""
    found = np.asarray(keras.tree.flatten(predictions)[index], "float64")
    if found.ndim == 1:
        found = found[:, None]
    return found.reshape(len(found), -1, found.shape[-1])


def predicted_classes(predictions: Any, index: int | None) -> np.ndarray:
    """The class that is predicted for each sample; `index` is None where no output was named."""
    every = keras.tree.flatten(predictions)
    if len(every) > 1 and index is None:
        raise ValueError(
            f"The model has {len(every)} outputs: say which of them the classes are of, "
            "explain(model, x, output=...)."
        )
    outputs = np.asarray(every[index or 0])
    outputs = outputs.reshape(len(outputs), -1)
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0.5).astype(int)
    return outputs.argmax(1)


def are_probabilities(model: keras.Model, values: np.ndarray, index: int) -> bool:
    """Whether the values of that output are probabilities: by the activation that made them,
    where it is known, else by the values."""
    activation = None
    if getattr(model, "outputs", None):
        activation = getattr(model.outputs[index]._keras_history.operation, "activation", None)
    if activation is not None:
        probabilities = (keras.activations.sigmoid, keras.activations.softmax)
        return keras.activations.get(activation) in probabilities
    within = bool(np.all((values >= 0) & (values <= 1)))
    return within and (values.shape[-1] == 1 or bool(np.all(np.abs(values.sum(-1) - 1) < 1e-3)))


def output_scale(model: keras.Model, values: np.ndarray, index: int) -> float:
    """The unit of changes of an output: 1 for probabilities, for other quantities their standard
    deviation over the samples."""
    if are_probabilities(model, values, index):
        return 1.0
    return float(np.sqrt(values.var(axis=0).mean())) or 1.0


def total_variation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Half the sum of the absolute differences of the values, `(..., samples)`, the mean over
    places; of one value, such as the probability of the second of two classes, its difference."""
    off = np.abs(after - before)
    off = off[..., 0] if off.shape[-1] == 1 else off.sum(-1) / 2
    return off.mean(-1)


def check_targets(y: Any, predicted: np.ndarray, probabilities: bool) -> np.ndarray:
    """y as classes `(samples, places)`, or as quantities of the shape of the predictions.

    ValueError where it is neither, and for classes that the model does not have.
    """
    y = arrays.numeric("y", y)
    arrays.finite("y", y)
    samples, places, values = predicted.shape
    if y.shape[:1] == (samples,):
        if values > 1 and y.size == samples * places:
            _refuse_others(y, values, f"0 to {values - 1}")
            return y.reshape(samples, places)
        if y.size == predicted.size:
            if probabilities and _whole(y):
                _refuse_others(y, 2, "0 and 1, one-hot" if values > 1 else "0 and 1")
            return y.reshape(predicted.shape)
    raise ValueError(
        "`y` must have one target a sample, or the shape of the predictions. "
        f"Received: {y.shape} for {samples} samples"
    )


def _whole(y: np.ndarray) -> bool:
    return bool(np.all(y == np.round(y)))


def _refuse_others(y: np.ndarray, classes: int, allowed: str) -> None:
    """ValueError for targets that are none of 0 to `classes` - 1."""
    others = np.setdiff1d(y, np.arange(classes))
    if others.size:
        named = ", ".join(f"{value:g}" for value in others[:5])
        named += ", ..." if others.size > 5 else ""
        raise ValueError(f"`y` must be the model's classes, {allowed}. Received: {named}")


def sample_metric(
    y: np.ndarray, predicted: np.ndarray, probabilities: bool
) -> tuple[str, np.ndarray]:
    """The metric of each sample, `(samples,)`: `("accuracy", shares)` of the places whose class is
    right, else `("mean absolute error", errors)`. `y` is what `check_targets` returned."""
    right = None
    classes = probabilities and _whole(y)
    if y.ndim == 2:
        right = predicted.argmax(-1) == y
    elif classes and predicted.shape[-1] == 1:
        right = (predicted > 0.5) == (y > 0.5)
    elif classes:
        right = predicted.argmax(-1) == y.argmax(-1)
    if right is not None:
        return "accuracy", right.reshape(len(right), -1).mean(-1)
    return "mean absolute error", np.abs(predicted - y).mean((1, 2))
