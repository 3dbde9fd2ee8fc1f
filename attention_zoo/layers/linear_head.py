"""The linear layers between an attention layer and a model's answer, if there is nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from attention_zoo.core.identity import by_identity
from attention_zoo.ops.backend import affine, matmul


@by_identity
class LinearHead(NamedTuple):
    """How a model's answer follows from the sum over the steps of an attention layer.

    Attributes:
        dense: the `keras.layers.Dense` on that sum, one after the other.
        activation: what follows on their output, or None.
    """

    dense: tuple[keras.layers.Dense, ...]
    activation: Any

    def project(self, contributions: Any) -> Any:
        """What each step adds to the logits, `(batch, steps, logits)`, for what it adds to the
        attention layer's output, `(batch, steps, units)`."""
        for layer in self.dense:
            contributions = matmul(ops.cast(contributions, layer.compute_dtype), layer.kernel)
        return contributions

    def answer(self, total: Any) -> Any:
        """The model's answer for the sum of the projected contributions, `(batch, logits)`."""
        total = ops.convert_to_tensor(total, dtype="float32")
        if self.dense:
            bias = ops.zeros((1, self.dense[0].kernel.shape[0]), "float32")
            for layer in self.dense:
                bias = affine(bias, ops.cast(layer.kernel, "float32"), layer.bias)
            total = total + bias
        return total if self.activation is None else self.activation(total)


def linear_head(model: keras.Model, layer: keras.layers.Layer) -> LinearHead | None:
    """The head of a functional model of one output on the output of `layer`; None where the model
    is another one, or what follows on the layer is more than dense layers and a last activation.
    """
    outputs = getattr(model, "outputs", None)
    if not outputs or len(outputs) > 1:
        return None
    dense: list[keras.layers.Dense] = []
    activation, tensor = None, outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        own = _activation(operation)
        if own is not None and (dense or activation is not None):
            return None
        activation = own or activation
        if operation is layer:
            return LinearHead(tuple(dense), activation)
        if isinstance(operation, keras.layers.Dense):
            if operation.quantization_mode is not None:
                return None
            dense.insert(0, operation)
        elif not isinstance(operation, _LINEAR):
            return None
        tensor = operation._inbound_nodes[node].input_tensors[0]


#: What leaves a sum as it is once the model is trained, but for its activation.
_LINEAR = (keras.layers.Dropout, keras.layers.Activation, keras.layers.Softmax)


def _activation(operation: Any) -> Any:
    """What an operation puts its output through; None for nothing."""
    if isinstance(operation, keras.layers.Softmax):
        return operation
    found = keras.activations.get(getattr(operation, "activation", None))
    return None if found is keras.activations.linear else found
