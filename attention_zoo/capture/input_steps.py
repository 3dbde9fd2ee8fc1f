"""From the steps that a layer attends to back to the steps of the model's input."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.capture.scores import Capture
from attention_zoo.layers.keras_hooks import KERAS_LAYERS
from attention_zoo.layers.masked_conv1d import MaskedConv1D
from attention_zoo.layers.positional_encoding import PositionalEncoding

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.SeparableConv1D, keras.layers.DepthwiseConv1D)
_POOLINGS = (keras.layers.MaxPooling1D, keras.layers.AveragePooling1D)
#: Layers whose output at a step depends on their input at that step alone.
_STEP_BY_STEP = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.Embedding,
    keras.layers.LayerNormalization,
    keras.layers.Masking,
    keras.layers.Multiply,
    keras.layers.Normalization,
    keras.layers.ReLU,
    keras.layers.SpatialDropout1D,
    PositionalEncoding,
)


class Steps(NamedTuple):
    """Where the steps of a tensor lie on the steps of the model's input.

    Attributes:
        stride: step j stands for the steps `[start + j * stride, start + (j + 1) * stride)`.
        start: the first step of the input that step 0 stands for.
        sees: from which to which step of the input step j depends, counted from `j * stride`; None
            where that is not bounded or not known.
        axis: `"step"`, or `"feature"` where the features have taken the place of the steps.
        masking: the layer that finds the padding of the input, or None.
    """

    stride: int = 1
    start: int = 0
    sees: tuple[int, int] | None = (0, 0)
    axis: str = "step"
    masking: Any = None


def input_steps(model: keras.Model) -> dict[str, dict[str, Steps]]:
    """Where the steps lie that each attention layer of a model attends to.

    Args:
        model: a built model.

    Returns:
        `{layer name: {axis of its scores: Steps}}`, of the layers of a functional or Sequential
        model of one input whose way from the input is known.
    """
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1:
        return {}
    known: dict[int, Steps | None] = {id(inputs[0]): Steps()}
    found: dict[str, Any] = {}
    for layer in model.layers:
        if not hasattr(layer, "score_axes") and not isinstance(layer, KERAS_LAYERS):
            continue
        for node in layer._inbound_nodes:  # of this model and of others
            tensors = [one for one in node.input_tensors if len(one.shape) == 3]
            steps = [_steps(one, known) for one in tensors[:2]]
            if steps and None not in steps:
                axes = {"query": steps[0], "key": steps[-1], "step": steps[-1]}
                found.setdefault(layer.name, axes)
    return found


def resolution(model: keras.Model) -> dict[str, dict[str, int]] | None:
    """Of each layer that attends to steps which see several steps of the input: how many, `sees`,
    and for how many one stands, `stride`. None if there is no such layer."""
    found = {}
    for name, axes in input_steps(model).items():
        steps = axes.get("step")
        if steps is not None and steps.sees is not None and steps.sees != (0, 0):
            sees = steps.sees[1] - steps.sees[0] + 1
            found[name] = {"sees": sees, "stride": steps.stride}
    return found or None


def _steps(tensor: Any, known: dict[int, Steps | None]) -> Steps | None:
    """Where the steps of a tensor of the model lie, by the layers before it."""
    if id(tensor) not in known:
        operation, node, _ = tensor._keras_history
        # Without the masks, which are tensors of the graph as well
        given = [one for one in operation._inbound_nodes[node].input_tensors if one.dtype != "bool"]
        before = [_steps(one, known) for one in given if len(one.shape) > 1]
        known[id(tensor)] = _after(operation, before, given[0], tensor) if before else None
    return known[id(tensor)]


def _after(layer: Any, before: list[Steps | None], x: Any, y: Any) -> Steps | None:
    """Where the steps of the output of a layer lie, by those of its inputs."""
    first = before[0]
    if first is None or any(one is None or one[:2] != first[:2] for one in before):
        return None
    window = _window(layer, x.shape[1])
    if window is not None:
        size, stride, left, start = window
        sees = first.sees
        if sees is not None:
            sees = (sees[0] - left * first.stride, sees[1] + (size - 1 - left) * first.stride)
        return first._replace(
            stride=stride * first.stride, start=first.start + start * first.stride, sees=sees
        )
    if isinstance(layer, keras.layers.Permute):
        return first._replace(axis="feature", sees=None)
    if len(y.shape) < 2 or y.shape[1] != x.shape[1]:
        return None
    masking = isinstance(layer, (keras.layers.Masking, keras.layers.Embedding))
    if masking and first == Steps():
        first = first._replace(masking=layer)
    fields = [one.sees for one in before if one is not None]
    if not isinstance(layer, _STEP_BY_STEP) or None in fields:
        return first._replace(sees=None)
    lows, highs = zip(*fields, strict=True)  # type: ignore[arg-type]
    return first._replace(sees=(min(lows), max(highs)))


def _window(layer: Any, length: int | None) -> tuple[int, int, int, int] | None:
    """Of a layer with a window that slides over time: its size, its stride, how many steps before
    `j * stride` it begins, and the first step that its output's step 0 stands for."""
    if isinstance(layer, (keras.layers.ZeroPadding1D, keras.layers.Cropping1D)):
        sign = 1 if isinstance(layer, keras.layers.ZeroPadding1D) else -1
        left = sign * (layer.padding if sign > 0 else layer.cropping)[0]
        return 1, 1, left, -left
    if isinstance(layer, _CONVOLUTIONS):
        size = (layer.kernel_size[0] - 1) * layer.dilation_rate[0] + 1
    elif isinstance(layer, _POOLINGS):
        size = layer.pool_size[0]
    else:
        return None
    stride, left = layer.strides[0], 0
    if isinstance(layer, MaskedConv1D):
        left = (size - stride) // 2
    elif layer.padding == "same":
        left = max(size - stride + -(length or 0) % stride, 0) // 2
    elif layer.padding == "causal":
        left = size - 1
    return size, stride, left, (size - stride) // 2 - left


def at_input_steps(model: keras.Model, x: Any, captured: Capture) -> Capture:
    """The scores, masks and contributions at the steps of the model's input.

    After convolutions with strides, a step of the scores stands for several steps of the input:
    these share its score equally, padding excepted. An axis of steps that are features by
    `keras.layers.Permute` is called `feature`. What is at the input's steps, or whose way from the
    input is not known, is left as it is.

    Args:
        model: a built model.
        x: its inputs, as `check_inputs` returns them.
        captured: what `capture_scores` returned for them.
    """
    if keras.tree.is_nested(x) or x.ndim < 2:
        return captured
    scores, masks = dict(captured.scores), dict(captured.masks)
    axes, attended = dict(captured.axes), dict(captured.attended)
    contributions = dict(captured.contributions)
    for name, by_axis in input_steps(model).items():
        for axis, steps in by_axis.items() if name in scores else ():
            if axis not in axes[name]:
                continue
            if steps.axis == "feature":
                axes[name] = tuple("feature" if one == axis else one for one in axes[name])
                attended[name] = "feature" if attended[name] == axis else attended[name]
                continue
            place = 1 + axes[name].index(axis)
            if steps[:2] == (1, 0) and scores[name].shape[place] == x.shape[1]:
                continue
            over = axis == attended[name]
            owner = (np.arange(x.shape[1]) - steps.start) // steps.stride
            visible = _visible(steps, x, owner, masks.get(name) if over else None)
            scores[name] = _spread(scores[name], place, owner, visible, shared=over)
            if over and name in masks:
                masks[name] = visible
            if over and name in contributions:
                contributions[name] = _spread(contributions[name], 1, owner, visible, shared=True)
    return captured._replace(
        scores=scores, masks=masks, axes=axes, attended=attended, contributions=contributions
    )


def _visible(steps: Steps, x: np.ndarray, owner: np.ndarray, mask: Any) -> np.ndarray:
    """Which steps of the input are not padding, `(samples, time)`."""
    if steps.masking is not None:
        found = steps.masking.compute_mask(keras.ops.convert_to_tensor(x, "float32"))
        if found is not None:
            return np.asarray(keras.ops.convert_to_numpy(found))
    if mask is None:
        return np.ones(x.shape[:2], bool)
    return np.asarray(mask[:, owner.clip(0, mask.shape[1] - 1)])


def _spread(
    scores: np.ndarray, place: int, owner: np.ndarray, visible: np.ndarray, *, shared: bool
) -> np.ndarray:
    """The scores with the steps of the input on an axis: each has its owner's, or a share of it."""
    size = scores.shape[place]
    owned = owner == np.arange(size)[:, None]
    share = (visible & owned.any(0)).astype(scores.dtype)
    owner = owner.clip(0, size - 1)
    if shared:
        share /= np.maximum(share @ owned.T.astype(scores.dtype), 1)[:, owner]
    shape = [n if axis in (0, place) else 1 for axis, n in enumerate(scores.shape)]
    shape[place] = len(owner)
    return np.asarray(np.take(scores, owner, place) * share.reshape(shape))
