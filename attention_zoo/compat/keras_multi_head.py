"""The layers of the package keras-multi-head 0.29."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attention_zoo.core import checks
from attention_zoo.layers import multi_head


def MultiHeadAttention(
    head_num: int, activation: Any = "relu", *, history_only: bool = False, **kwargs: Any
) -> multi_head.MultiHeadAttention:
    """The layer that `keras_multi_head.MultiHeadAttention` 0.29 was, with `activation=None`.

    It is `MultiHeadAttention(num_heads=head_num, use_causal_mask=history_only)`, whose weights are
    the package's: `query_kernel` is Wq, `query_bias` bq, and so on to Wo and bo. A list of query,
    key and value there is three arguments here, `layer(query, value, key)`, all of one width.

    Masking: as in `MultiHeadAttention`. In the package a masked query attends like any other, and
    one that sees no key to all equally; for the steps that are visible the two are equal.

    Args:
        head_num: the number of heads, which divides the width.
        activation: None or `"linear"`. The package's default, relu on each projection, has no
            counterpart.
        history_only: whether a step sees only steps up to itself.
        **kwargs: `use_bias`, the initializers, regularizers and constraints, and all else that
            `MultiHeadAttention` takes.

    Returns:
        A `MultiHeadAttention`: `(batch, time, features)` to the same.

    Raises:
        ValueError: for an activation; it says what to use.
        TypeError: for a flag that is not True or False.

    Example:

    >>> from attention_zoo.compat import MultiHeadAttention
    >>> layer = MultiHeadAttention(head_num=2, activation=None)
    >>> tuple(layer(np.ones((4, 20, 6), "float32")).shape)
    (4, 20, 6)
    """
    checks.boolean("history_only", history_only)
    if activation not in (None, "linear"):
        raise ValueError(
            "`activation` must be None: the projections have none here. To train again, pass None "
            "and put keras.layers.Activation behind the layer; a model trained with one (relu is "
            f"the package's default) cannot be carried over. Received: activation={activation!r}"
        )
    kwargs.setdefault("kernel_initializer", "glorot_normal")
    return multi_head.MultiHeadAttention(head_num, use_causal_mask=history_only, **kwargs)


class MultiHead:
    """What `keras_multi_head.MultiHead` 0.29 did: copies of a layer, side by side.

    ```
    output[..., i] = layer_i(x W_i + b_i)          with hidden_dim; layer_i(x) without
    ```

    In a functional model it becomes the layers it stands for, `layers` and with `hidden_dim` a
    Dense before each, in `projections`; the model is saved and loaded with those alone. It is no
    layer itself, so that Sequential and subclassed models do not take it.

    Args:
        layer: the layer to copy, or a list of layers with one output shape.
        layer_num: how many copies.
        hidden_dim: the width of a Dense before each; None puts none there.
        use_bias: whether the Dense has a bias.
        reg_index, reg_slice, reg_factor: None, None and 0 alone.
        name: the beginning of the projections' names.

    Raises:
        ValueError: for a penalty between the copies; it says what to use.

    Example:

    >>> import keras
    >>> from attention_zoo.compat import MultiHead
    >>> x = keras.Input((20, 6))
    >>> MultiHead(keras.layers.LSTM(3), layer_num=5)(x).shape
    (None, 3, 5)
    """

    def __init__(
        self,
        layer: Any,
        layer_num: int = 1,
        hidden_dim: int | None = None,
        use_bias: bool = True,
        reg_index: Any = None,
        reg_slice: Any = None,
        reg_factor: float = 0.0,
        *,
        name: str = "multi_head",
    ):
        checks.positive_int("layer_num", layer_num)
        checks.positive_int("hidden_dim", hidden_dim, none=True)
        checks.boolean("use_bias", use_bias)
        if reg_index is not None or reg_slice is not None or reg_factor != 0:
            raise ValueError(
                "`reg_index`, `reg_slice` and `reg_factor` have no counterpart: a penalty between "
                "layers is written in your training step. "
                f"Received: reg_index={reg_index!r}, reg_factor={reg_factor!r}"
            )
        several = isinstance(layer, (list, tuple))
        for one in layer if several else [layer]:
            if not isinstance(one, keras.layers.Layer):
                raise TypeError(f"`layer` must be a Keras layer. Received: layer={one!r}")
        self.layers = list(layer) if several else _copies(layer, layer_num)
        self.projections = [
            keras.layers.Dense(
                hidden_dim,
                use_bias=use_bias,
                kernel_initializer="random_uniform",
                name=f"{name}_{number}",
            )
            for number in range(1, len(self.layers) + 1)
            if hidden_dim is not None
        ]

    def __call__(self, inputs: Any) -> Any:
        """Return the outputs of all the layers, on a new last axis."""
        parts = [project(inputs) for project in self.projections] or [inputs] * len(self.layers)
        return ops.stack([layer(x) for layer, x in zip(self.layers, parts, strict=True)], axis=-1)


def _copies(layer: keras.layers.Layer, count: int) -> list[keras.layers.Layer]:
    config = layer.get_config()
    names = [f"{layer.name}_{number}" for number in range(1, count + 1)]
    return [type(layer).from_config({**config, "name": name}) for name in names]
