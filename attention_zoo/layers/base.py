"""The skeleton of every attention layer: mask, score, normalize, drop, apply."""

from __future__ import annotations

import inspect
import zlib
from typing import Any, ClassVar

import keras
from keras import constraints, initializers, ops, regularizers

from attention_zoo.core import checks
from attention_zoo.layers import sharpening
from attention_zoo.layers.arguments import arguments_of, from_saved, refuse_unknown
from attention_zoo.layers.recorder import ACTIVE
from attention_zoo.layers.shapes import same_size, shape_of
from attention_zoo.ops import masks, normalizers
from attention_zoo.ops.backend import cast
from attention_zoo.ops.dropout import dropout


class AttentionLayer(keras.layers.Layer):
    """The base class of attention layers: their common arguments, weights and scores.

    A subclass makes its weights in `build` by `_add_kernel` and `_add_bias`. Its `call` masks the
    inputs by `_prepare`, turns logits into scores by `_attend`, drops some by `_drop`, applies
    them, and ends with `_finish`. `compute_output_shape` and `_scores_shape` take the shapes of
    the call's tensors; the symbolic call follows from them.

    Args:
        normalizer: how logits become scores: `"softmax"`, `"sparsemax"`, `"entmax15"`,
            `{"name": "entmax", "alpha": 1.3}`, `"sigmoid"`, `"normalized_sigmoid"` or
            `"uniform"`, the control that gives every visible position the same score.
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

    Raises:
        ValueError: for a value that is not allowed.
        TypeError: for an argument that the layer does not have; it names the one that is meant.

    Example:

    >>> isinstance(az.layers.get("temporal", temperature=0.5), az.layers.AttentionLayer)
    True
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

    def _add_kernel(self, name: str, shape: tuple, initializer: Any = None) -> Any:
        """A trainable weight under the kernel's initializer, regularizer and constraint."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=self._distinct(initializer or self.kernel_initializer, name),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _add_bias(self, name: str, shape: tuple) -> Any:
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
        """The initializer of one weight: a copy for each but the first, whose seed follows from
        the given one's and the weight's name. Keras's are stateless: twice, they draw the same."""
        seed = getattr(initializer, "seed", None)
        draws = isinstance(initializer, keras.Initializer) and isinstance(seed, int)
        if not self.weights or not draws:
            return initializer
        config = {**initializer.get_config(), "seed": zlib.crc32(f"{seed} {name}".encode())}
        return type(initializer).from_config(config)

    def _cast(self, x: Any) -> Any:
        """A tensor of the compute dtype and of finite numbers, of integers and lists too."""
        return cast(ops.convert_to_tensor(x), self.compute_dtype)

    def _prepare(
        self, inputs: Any, mask: Any, width: int | None = None, name: str = "mask"
    ) -> tuple[Any, Any]:
        """Steps, 0 where masked, and the mask; with `width` the steps must have it, where Keras's
        `input_spec` does not see to that."""
        x = self._cast(inputs)
        if width is not None:
            same_size(self, "features", width, x.shape[-1])
        mask = masks.standardize(mask, x.shape[:-1], name=name)
        return masks.apply_mask(x, mask), mask

    def _attend(self, logits: Any, mask: Any = None, *, axis: int = -1) -> Any:
        """Scores of the logits over `axis`, exactly 0 where `mask` is False, unless a recorder
        replaces them (see `capture.predict_with_scores`)."""
        scores, recorder = self._normalize(logits, mask, axis=axis), ACTIVE.get()
        return scores if recorder is None else recorder.intervene(self, scores, mask, axis)

    def _normalize(self, logits: Any, mask: Any = None, *, axis: int = -1) -> Any:
        return normalizers.normalize(
            self.normalizer, logits, mask, axis=axis, temperature=self.temperature
        )

    def _drop(self, scores: Any, training: bool | None) -> Any:
        """The scores after dropout, which acts in training only."""
        seed = self._dropout_seed(training)
        return scores if seed is None else dropout(scores, self.dropout, seed)

    def _dropout_seed(self, training: bool | None) -> Any:
        """The seed of this call's dropout, or None where nothing is dropped."""
        return self._seeds.next() if training and self.dropout > 0 else None

    def _finish(
        self,
        outputs: Any,
        scores: Any,
        return_attention_scores: bool,
        *,
        axis: int = -1,
        penalized: Any = None,
        contributions: Any = None,
    ) -> Any:
        """What `call` returns: the outputs, with the scores if they were asked for.

        `scores` is a tensor, or a tuple of them for a layer that attends on several levels. The
        penalty on each, whose attended axis is `axis`, is added to the losses here; `penalized`
        stands in for scores that are not all distributions. `contributions` is what each step
        adds to the output before its activation, `(batch, steps, units)`, for a layer whose output
        is such a sum.
        """
        if self.scores_regularizer is not None:
            penalized = scores if penalized is None else penalized
            for level in penalized if isinstance(penalized, tuple) else (penalized,):
                rows = ops.cast(ops.moveaxis(level, axis, -1), self.variable_dtype)
                self.add_loss(self.scores_regularizer(rows))
        if (recorder := ACTIVE.get()) is not None:
            recorder.record(self, scores, contributions)
        return (outputs, scores) if return_attention_scores else outputs

    def _scores_shape(self, *shapes: Any) -> tuple:
        """The shape of the scores, or a tuple of shapes, for the shapes of the call's tensors."""
        return tuple(shapes[0])

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output: none where the layer removes the time axis."""
        return None if self.kind == "pool" else previous_mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the output, without the scores, for an input of that shape."""
        return tuple(input_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic output of a call, with the scores if they are asked for."""
        call = inspect.signature(self.call)
        given = call.bind(*args, **kwargs).arguments
        names = list(call.parameters)
        # `query_shape` is the shape of `query`; another name that of the argument in its place
        wanted = [name.removesuffix("_shape") for name in _parameters(self.compute_output_shape)]
        wanted = [name if name in names else names[i] for i, name in enumerate(wanted)]
        shapes = [shape_of(given.get(name)) for name in wanted]
        outputs = self._spec(self.compute_output_shape(*shapes))
        if not given.get("return_attention_scores"):
            return outputs
        scores = self._scores_shape(*shapes)
        several = isinstance(scores[0], tuple)
        return outputs, tuple(map(self._spec, scores)) if several else self._spec(scores)

    def _spec(self, shape: tuple) -> keras.KerasTensor:
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


def _parameters(method: Any) -> list[str]:
    return list(inspect.signature(method).parameters)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str, list, tuple, dict)):
        return value
    return keras.saving.serialize_keras_object(value)
