"""The skeleton of every attention layer: score, mask, normalize, drop, apply."""

from __future__ import annotations

import zlib
from typing import Any, ClassVar

import keras
from keras import constraints, initializers, ops, regularizers

from attention_zoo.core import checks
from attention_zoo.layers import recorder, sharpening
from attention_zoo.layers.arguments import arguments_of, from_saved, refuse_unknown
from attention_zoo.ops import normalizers
from attention_zoo.ops.arithmetic import cast
from attention_zoo.ops.dropout import dropout


class AttentionLayer(keras.layers.Layer):
    """What all attention layers share.

    A subclass computes logits and calls `attend` on them, `drop` on the scores before it applies
    them, and `finish` on its output.

    Args:
        normalizer: how logits become scores: `"softmax"`, `"sparsemax"`, `"entmax15"`,
            `{"name": "entmax", "alpha": 1.3}`, `"sigmoid"`, `"normalized_sigmoid"` or
            `"uniform"`, the control that attends to all alike.
        temperature: the logits are divided by it: below 1 sharpens, above 1 softens.
        dropout: the fraction of the scores dropped in training. The scores that are returned are
            those before the dropout. Which are dropped depends on the seed and their place alone,
            not on the backend or on whether the scores are returned.
        scores_regularizer: a penalty on the scores, such as `"entropy"`,
            `EntropyRegularizer(0.1)` or any Keras regularizer; it sees the attended axis last.
        use_bias: whether the logits have a bias.
        kernel_initializer, bias_initializer: as in `keras.layers.Dense`.
        kernel_regularizer, bias_regularizer: as in `keras.layers.Dense`.
        kernel_constraint, bias_constraint: as in `keras.layers.Dense`.
        seed: an integer that makes the dropout reproducible, or None.
        **kwargs: `name`, `dtype` and `trainable`, as in every Keras layer.
    """

    #: "gate" keeps the input's shape, "pool" removes the time axis, "sequence" mixes the steps.
    kind: ClassVar[str] = "gate"
    #: What the axes of the scores after the batch are; the first of as many as the scores have.
    score_axes: ClassVar[tuple[tuple[str, ...], ...]] = (("step",), ("step", "feature"))
    #: The axis that is attended over, of those; by default the last.
    attended_axis: ClassVar[str | None] = None

    def __init__(
        self,
        normalizer: normalizers.Spec = "softmax",
        temperature: float = 1.0,
        dropout: float = 0.0,
        scores_regularizer: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        refuse_unknown(type(self), kwargs)
        super().__init__(**kwargs)
        normalizers.check(normalizer)
        checks.positive("temperature", temperature)
        checks.rate("dropout", dropout)
        checks.boolean("use_bias", use_bias)
        checks.seed("seed", seed)
        self.normalizer = normalizer
        self.temperature = temperature
        self.dropout = dropout
        self.scores_regularizer = sharpening.get(scores_regularizer)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.seed = seed
        self.supports_masking = True
        if dropout > 0:
            self._seeds = keras.random.SeedGenerator(seed)

    def add_kernel(self, name: str, shape: tuple) -> Any:
        """A trainable matrix under the kernel's initializer, regularizer and constraint."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=self._distinct(self.kernel_initializer, name),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def add_bias(self, name: str, shape: tuple) -> Any:
        """A trainable bias, or None where `use_bias` is false."""
        if not self.use_bias:
            return None
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=self._distinct(self.bias_initializer, name),
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def _distinct(self, initializer: Any, name: str) -> Any:
        """The initializer of one weight: the given one for the layer's first weight, and for each
        other one a copy whose seed follows from the given one's and the weight's name.

        A Keras initializer is stateless: used twice, it draws the same values twice.
        """
        seed = getattr(initializer, "seed", None)
        draws = isinstance(initializer, keras.Initializer) and isinstance(seed, int)
        if not self.weights or not draws:
            return initializer
        config = {**initializer.get_config(), "seed": zlib.crc32(f"{seed} {name}".encode())}
        return type(initializer).from_config(config)

    def cast_inputs(self, x: Any) -> Any:
        """Integers and lists too become tensors of the compute dtype, of finite numbers."""
        return cast(ops.convert_to_tensor(x), self.compute_dtype)

    def attend(self, logits: Any, mask: Any = None, *, axis: int = -1) -> Any:
        """Scores of the logits over `axis`, exactly 0 where `mask` is False, unless a recorder
        replaces them (see `capture.predict_with_scores`)."""
        return recorder.intervene(self, self.normalize(logits, mask, axis=axis), mask, axis)

    def normalize(self, logits: Any, mask: Any = None, *, axis: int = -1) -> Any:
        """The scores that the logits alone give."""
        return normalizers.normalize(
            self.normalizer, logits, mask, axis=axis, temperature=self.temperature
        )

    def drop(self, scores: Any, training: bool | None) -> Any:
        """The scores after dropout, which acts in training only."""
        seed = self.dropout_seed(training)
        return scores if seed is None else dropout(scores, self.dropout, seed)

    def dropout_seed(self, training: bool | None) -> Any:
        """The seed of this call's dropout, or None where nothing is dropped."""
        return self._seeds.next() if training and self.dropout > 0 else None

    def finish(
        self,
        outputs: Any,
        scores: Any,
        return_attention_scores: bool,
        *,
        axis: int = -1,
        penalized: Any = None,
    ) -> Any:
        """What `call` returns: the outputs, with the scores if they were asked for.

        `scores` is a tensor, or a tuple of them for a layer that attends on several levels. The
        penalty on each, whose attended axis is `axis`, is added to the losses here; `penalized`
        stands in for scores that are not all distributions.
        """
        if self.scores_regularizer is not None:
            penalized = scores if penalized is None else penalized
            for level in penalized if isinstance(penalized, tuple) else (penalized,):
                rows = ops.cast(ops.moveaxis(level, axis, -1), self.variable_dtype)
                self.add_loss(self.scores_regularizer(rows))
        recorder.record(self, scores)
        return (outputs, scores) if return_attention_scores else outputs

    def compute_scores_shape(self, input_shape: tuple) -> tuple:
        """The shape of the attention scores for an input of that shape, or a tuple of shapes."""
        return tuple(input_shape)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the output, without the scores, for an input of that shape."""
        return tuple(input_shape)

    def compute_output_spec(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        """The symbolic output, with the scores if they are asked for."""
        outputs = self.spec(self.compute_output_shape(inputs.shape))
        if not return_attention_scores:
            return outputs
        shape = self.compute_scores_shape(inputs.shape)
        if isinstance(shape[0], tuple):
            return outputs, tuple(map(self.spec, shape))
        return outputs, self.spec(shape)

    def spec(self, shape: tuple) -> keras.KerasTensor:
        """A symbolic tensor of the compute dtype."""
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AttentionLayer:
        """The layer with these arguments, under their names of today or former ones."""
        return cls(**from_saved(cls, config))

    def get_config(self) -> dict[str, Any]:
        """Every argument of every `__init__` up to this class, as plain JSON values."""
        config = super().get_config()
        inherited = arguments_of(keras.layers.Layer)
        for name in arguments_of(type(self)):
            if name not in inherited:
                config.setdefault(name, _plain(getattr(self, name)))
        return config


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str, list, tuple, dict)):
        return value
    return keras.saving.serialize_keras_object(value)


def reject_rank(layer: keras.layers.Layer, shape: tuple, ranks: str, hint: str = "") -> ValueError:
    """The error for an input whose number of axes the layer has no use for."""
    return ValueError(
        f"{type(layer).__name__} takes inputs of {ranks}.{hint and ' ' + hint} "
        f"Received: an input of shape {tuple(shape)}"
    )


def fixed_size(layer: keras.layers.Layer, axis: str, size: int | None, hint: str = "") -> int:
    """`size`, which must be known when the layer is built; ValueError says what to do instead."""
    if size is None:
        raise ValueError(
            f"{type(layer).__name__} needs a fixed {axis} size, since its weights depend on it."
            f"{hint and ' ' + hint} Received: {axis} size None"
        )
    return size


def same_size(layer: keras.layers.Layer, axis: str, built: int, received: int | None) -> None:
    """Refuse an input of another size than the layer was built for."""
    if received is not None and received != built:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} was built for {built} {axis}. "
            f"Received: {received} {axis}"
        )
