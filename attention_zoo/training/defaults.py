"""The default for the data in hand: which architecture, and how large."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from attention_zoo import models
from attention_zoo.data.dataset import Dataset
from attention_zoo.training.recipe import Recipe, default_recipe

#: The last sees 40 steps of its input, 72 with a stride of 2. On held-out parts of the training
#: sets of OSULeaf and ArrowHead that was worth more than the width of the three of Wang et al.,
#: 2017, whose last sees 14.
_CONVOLUTIONS = {
    "filters": [64] * 5,
    "kernel_sizes": [8, 5, 3, 3, 3],
    "dilation_rates": [1, 1, 2, 4, 8],
}

#: Attention has at most so many steps where a stride of the first convolution can make it so.
_STEPS = 240

#: Of the first convolution; its kernel of 8 steps would leave steps out with more.
_MOST_STRIDE = 8

#: Location scores have a weight for each pair of steps: series of more get additive scores.
_LOCATION_STEPS = 64


def default_model(
    kind: str,
    input_shape: Sequence[int | None],
    given: Collection[str] = (),
    *,
    per_step: bool = False,
    heads: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return the architecture for data of a kind and shape, and the arguments that suit them.

    | data | architecture | attention | weights |
    |---|---|---|---|
    | a table | `dense` | over the features | 100 F |
    | series of classes | `conv_after` | conjunctive, over at most 240 steps | 59,500 and 512 F |
    | other series, up to 64 steps | `gru` | temporal, by location | 3,400, 96 F and T² |
    | other series | `gru` | temporal, additive | 6,600 and 96 F |

    F is the number of features, T of steps. docs/real_data.md has what they reach.

    Args:
        kind: `"binary"`, `"multiclass"` or `"regression"`.
        input_shape: of a sample: `(features,)` or `(time, features)`, with the longest time.
        given: the names of arguments that the user gave: where the convolutions do not take one
            of them, such as `units`, the architecture is `gru`.
        per_step: whether each step has a target.
        heads: whether there are several targets.

    Returns:
        The name of a factory, and arguments of it.

    Example:

    >>> from attention_zoo.training.defaults import default_model
    >>> default_model("multiclass", (427, 1))[1]["strides"]
    [2, 1, 1, 1, 1]
    """
    if len(input_shape) == 1:
        return "dense", {}
    steps = input_shape[0] or 1
    several = per_step or heads or kind == "regression"
    if not several and all(models.takes("conv_after", name) for name in given):
        config: dict[str, Any] = {"attention": "conjunctive"}
        if not _CONVOLUTIONS.keys() & set(given):
            config |= {**_CONVOLUTIONS, "strides": [_stride(steps), 1, 1, 1, 1]}
        return "conv_after", config
    if steps <= _LOCATION_STEPS:
        return "gru", {}
    return "gru", {"attention": {"class_name": "temporal", "config": {"score": "additive"}}}


def _stride(steps: int) -> int:
    """The smallest power of 2 that leaves few enough steps."""
    return min(_MOST_STRIDE, 2 ** max(0, math.ceil(math.log2(steps / _STEPS))))


def recipe_for(
    data: Dataset,
    given: Collection[str] = (),
    batch_size: int | None = None,
    *,
    per_step: bool = False,
) -> Recipe:
    """Return the default recipe for a user's data, which `az.train(None, x, y)` trains.

    Tables have `dense`, series of classes `conv_after`, other series `gru`: see docs/which.md.

    Args:
        data: what trains, from `from_arrays` or `read`.
        given: the names of arguments of the factory that will replace the default's: where the
            convolutions do not take one of them, the architecture is `gru`.
        batch_size: samples a step; None for the default.
        per_step: whether each step has a target.

    Returns:
        A `Recipe`.

    Example:

    >>> data = az.training.from_arrays(np.zeros((40, 30, 2)), np.arange(40) % 3)
    >>> az.training.recipe_for(data).architecture
    'conv_after'
    """
    name, config = default_model(
        data.kind, data.x.shape[1:], given, per_step=per_step, heads=bool(data.heads)
    )
    usual = default_recipe(name, None, data.kind, len(data), batch_size)
    return usual.changed(config={**usual.config, **config})
