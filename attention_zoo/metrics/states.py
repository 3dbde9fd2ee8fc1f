"""The states that a layer attends to, and how similar they are."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from attention_zoo.capture.inference import fixed_batch_size, preserved_state
from attention_zoo.capture.inputs import check_inputs, pack_inputs
from attention_zoo.capture.scores import capture_scores
from attention_zoo.core.identity import by_identity
from attention_zoo.layers.keras_hooks import hook
from attention_zoo.layers.traversal import all_layers
from attention_zoo.metrics.distributions import layer_name


def conicity(states: ArrayLike, mask: ArrayLike | None = None) -> np.ndarray:
    """Conicity: the mean cosine of states with their mean (Mohankumar et al., 2020,
    arXiv:2004.14243, section 3; Sai, Mohankumar and Khapra, 2018).

    ```
    conicity(V) = mean over t of cos(v[t], mean of V)
    ```

    Near 1 all states point one way: whatever the scores, their weighted mean is about the same
    vector, and attention to one state rather than to another says little. Near 0 they differ.

    Args:
        states: vectors, `(samples, steps, features)`.
        mask: booleans `(samples, steps)`; False leaves a state out.

    Returns:
        `(samples,)`, float64; a state of length 0 counts as a cosine of 0. NaN for a sample
        without a state.

    Raises:
        ValueError: for states of another rank, or a mask that does not fit.

    Example:

    >>> az.metrics.conicity([[[1, 0], [0, 1]], [[1, 1], [2, 2]]]).round(3)
    array([0.707, 1.   ])
    """
    states = np.asarray(states, "float64")
    if states.ndim != 3:
        raise ValueError(
            f"`states` must have the shape (samples, steps, features). Received: {states.shape}"
        )
    visible = np.ones(states.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    if visible.shape != states.shape[:2]:
        raise ValueError(
            f"`mask` must have the shape {states.shape[:2]}. Received: {visible.shape}"
        )
    states = np.where(visible[..., None], states, 0.0)
    counts = visible.sum(1)
    mean = states.sum(1) / np.maximum(counts, 1)[:, None]
    lengths = np.linalg.norm(states, axis=2) * np.linalg.norm(mean, axis=1)[:, None]
    cosines = np.einsum("btf,bf->bt", states, mean)
    cosines = np.divide(cosines, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    total = cosines.sum(1)
    return np.divide(total, counts, out=np.full(len(states), np.nan), where=counts > 0)


@by_identity
class States(NamedTuple):
    """What a layer attends to.

    Attributes:
        vectors: `(samples, steps, features)`.
        visible: booleans `(samples, steps)`, False where a step is masked.
    """

    vectors: np.ndarray
    visible: np.ndarray


def attended_states(
    model: keras.Model, x: Any, layer: str | None = None, *, batch_size: int = 256
) -> States:
    """The vectors that an attention layer weighs, on `x`: its values, `(batch, steps, features)`.

    For a layer called on one tensor these are its inputs, before the layer projects them; for one
    called on a query and a value, the value. Their similarity limits what attention can tell
    (Mohankumar et al., 2020, arXiv:2004.14243): see `conicity`.

    Args:
        model, x, layer, batch_size: as in `permutation_test`.

    Returns:
        `States`: the vectors, and which of them the layer could see.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `attention_scores`, for an unknown layer, and for one that attends to
            features rather than to states, is used more than once or wrapped.

    Example:

    >>> x = az.tasks.get("planted_step").sample(5, split="test").x
    >>> states = az.metrics.attended_states(az.load("lstm_after"), x)
    >>> states.vectors.shape, az.metrics.conicity(*states).shape
    ((5, 20, 32), (5,))
    """
    captured = capture_scores(model, x, batch_size)
    layer = layer_name(captured, layer)
    inside = all_layers(model, include_self=False)
    named = {id(one): one for one in inside if one.name == layer.rpartition("/")[2]}
    axes = captured.axes[layer]
    if captured.attended[layer] not in ("step", "key"):
        raise ValueError(f"{layer!r} attends to features, not to states: its scores are by {axes}.")
    if len(named) != 1 or any("segment" in axis for axis in axes) or "@" in layer:
        raise ValueError(
            f"The states that {layer!r} attends to cannot be read: it is wrapped, attends on "
            "several levels, is called more than once or shares its name."
        )
    reader = _Reader(model, next(iter(named.values())))
    size = fixed_batch_size(model) or batch_size
    with preserved_state(model):
        states = reader.predict(check_inputs(model, x), batch_size=size, verbose=0)
    states = np.asarray(states, "float64")
    visible = captured.masks.get(layer, np.ones(states.shape[:2], bool))
    return States(states, visible)


class _Reader(keras.Model):
    """A model that returns the values that one of its layers is called on."""

    def __init__(self, model: keras.Model, layer: keras.layers.Layer):
        super().__init__(name="reader", autocast=False)
        self.model = model
        # Past Keras's tracking: it is a part of the model already
        self.__dict__["layer"] = layer

    def call(self, inputs: Any) -> Any:
        layer, values = self.layer, []
        signature = inspect.signature(type(layer).call)

        def call(*args: Any, **kwargs: Any) -> Any:
            arguments = signature.bind(layer, *args, **kwargs).arguments
            first = list(arguments.values())[1]
            value = first[1] if isinstance(first, (list, tuple)) else arguments.get("value")
            value = arguments.get("memory") if value is None else value
            values.append(first if value is None else value)
            return type(layer).call(layer, *args, **kwargs)

        with hook(layer, "call", call):
            self.model(pack_inputs(self.model, inputs), training=False)
        return ops.cast(values[0], "float32")
