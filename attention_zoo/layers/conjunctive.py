"""Logits at each step, weighed by a gate: their mean is the answer."""

from __future__ import annotations

from typing import Any

import keras
from keras import InputSpec, ops

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.base import AttentionLayer
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import check_sequence, fixed_size
from attention_zoo.ops import masks, normalizers
from attention_zoo.ops.backend import affine, cast, is_half, matmul, tanh

_FORMS = ("conjunctive", "additive", "instance")
_ACTIVATIONS = ("softmax", "sigmoid")


@register("conjunctive")
class ConjunctivePooling(AttentionLayer):
    """The mean of the logits of a sequence's steps, each weighed by a learned gate.

    ```
    gate[t] = sigmoid(v . tanh(x[t] V + c) / temperature)
    output = activation(mean_t gate[t] (x[t] W + b))       form="conjunctive"
    output = activation(mean_t ((gate[t] x[t]) W + b))     form="additive"
    output = activation(mean_t (x[t] W + b))               form="instance", without a gate
    ```

    Early et al., 2024 (Inherently Interpretable Time Series Classification via Multiple Instance
    Learning, arXiv:2311.10049); the additive form is that of Javed et al., 2022 (Additive MIL,
    arXiv:2206.01794). Before the activation the answer is a sum over the steps, so that what each
    step adds to it is known exactly. It takes the place of mean pooling and the output layer:
    `units` is the number of classes. Any length works.

    The gate of a step does not depend on the other steps. With a normalizer other than
    `"sigmoid"` the gates sum to 1, and the weighed logits are summed instead of averaged; with
    `"uniform"` that is the mean of the logits, as in `form="instance"`.

    Differs from Early et al.: masks, a temperature, and no bias after `v`.

    Masking: masked steps have gates of exactly 0, whatever they hold, NaN included, and do not
    count in the mean; a sample with no visible step has logits of 0. The mask is not passed on,
    since the time axis is gone.

    Args:
        units: the number of logits, as in `keras.layers.Dense`; None is the number of features.
        form: `"conjunctive"`: the gate weighs the logits, their bias included; `"additive"`: it
            weighs the features; `"instance"`: the mean of the logits, in which `normalizer` and
            `temperature` have no effect.
        attention_units: the width of the gate's hidden layer.
        activation: what the mean is put through: None, `"softmax"` or `"sigmoid"`.
        normalizer: how logits become gates, as in `AttentionLayer`.
        **kwargs: the other arguments shared by all attention layers: see `AttentionLayer`.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: boolean, `(batch, time)`; True is visible.
        return_attention_scores: also return the gates.
        training: whether dropout is applied, to the gates.

    Returns:
        `(batch, units)`; with `return_attention_scores` also the gates, `(batch, time)`, between 0
        and 1; for `form="instance"` 1 / n on each of the n visible steps.

    Raises:
        ValueError: for an input that is not one tensor of rank 3, of unknown width, or of another
            width than built; for an unknown form or activation.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype("float32")
    >>> y, gate = az.layers.ConjunctivePooling(5)(x, return_attention_scores=True)
    >>> tuple(y.shape), tuple(gate.shape)
    ((4, 5), (4, 20))
    """

    kind = "pool"
    score_axes = (("step",),)

    def __init__(
        self,
        units: int | None = None,
        form: str = "conjunctive",
        attention_units: int = 8,
        activation: str | None = None,
        normalizer: normalizers.Spec = "sigmoid",
        **kwargs: Any,
    ):
        super().__init__(normalizer=normalizer, **kwargs)
        checks.positive_int("units", units, none=True)
        if form not in _FORMS:
            raise one_of("form", form, _FORMS)
        checks.positive_int("attention_units", attention_units)
        if activation is not None and activation not in _ACTIVATIONS:
            raise one_of("activation", activation, _ACTIVATIONS)
        self.units = units
        self.form = form
        self.attention_units = attention_units
        self.activation = activation

    def build(self, input_shape: tuple) -> None:
        check_sequence(self, input_shape)
        features = fixed_size(self, "feature", input_shape[2])
        self.input_spec = InputSpec(ndim=3, axes={2: features})
        units = self.units or features
        self.kernel = self._add_kernel("kernel", (features, units))
        self.bias = self._add_bias("bias", (units,))
        if self.form != "instance":
            self.gate_kernel = self._add_kernel("gate_kernel", (features, self.attention_units))
            self.gate_bias = self._add_bias("gate_bias", (self.attention_units,))
            self.gate_vector = self._add_kernel("gate_vector", (self.attention_units, 1))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        x, mask = self._prepare(inputs, mask)
        scores = self._attend(self._gate_logits(x), mask)
        kept = ops.expand_dims(self._drop(scores, training), -1)
        parts = self._contributions(x, kept, mask)
        logits = cast(ops.sum(parts, axis=1), self.compute_dtype)
        outputs = keras.activations.get(self.activation)(logits)
        return self._finish(outputs, scores, return_attention_scores, contributions=parts)

    def _gate_logits(self, x: Any) -> Any:
        if self.form == "instance":
            return ops.zeros_like(x[..., 0])
        hidden = tanh(affine(x, self.gate_kernel, self.gate_bias))
        return ops.squeeze(matmul(hidden, self.gate_vector), -1)

    def _normalize(self, logits: Any, mask: Any = None, *, axis: int = -1) -> Any:
        if self.form == "instance":
            return normalizers.normalize("uniform", logits, mask, axis=axis)
        return super()._normalize(logits, mask, axis=axis)

    def _contributions(self, x: Any, gate: Any, mask: Any) -> Any:
        """What each step adds to the logits, `(batch, time, units)`, in float32 or more."""

        def whole(tensor: Any) -> Any:
            return ops.cast(tensor, "float32") if is_half(tensor.dtype) else tensor

        gate, count = whole(gate), ops.expand_dims(masks.count(mask, whole(x)), -1)
        if self.form != "instance" and normalizers.check(self.normalizer)[0] == "sigmoid":
            gate = gate / count
        parts = gate * whole(matmul(x, self.kernel))
        if self.bias is not None:
            bias = whole(self._cast(self.bias))
            parts = parts + bias * (1 / count if self.form == "additive" else gate)
        return masks.apply_mask(parts, mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.units or input_shape[2])

    def _scores_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape[:2])
