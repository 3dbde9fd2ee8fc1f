"""A recurrent decoder that attends to a memory at each step."""

from __future__ import annotations

from typing import Any

import keras
from keras import tree

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.attention_cell import AttentionCell, decode
from attention_zoo.layers.cells import describe_cell, make_cell, width_of
from attention_zoo.layers.pairwise import ScoredAttention, check_score
from attention_zoo.layers.register import register
from attention_zoo.layers.shapes import check_fit, check_sequence, fixed_size, same_size, shape_of

_MODES = ("soft", "hard")


@register("attention_decoder")
class AttentionDecoder(ScoredAttention):
    """Runs a recurrent cell over a sequence and lets each of its steps attend to a memory.

    ```
    s[t] = cell([x[t]; a[t - 1]], s[t - 1])        [x[t]] alone without input feeding
    logits[t, j] = score(s[t], memory[j])
    scores[t] = normalizer(logits[t] / temperature)                              over j
    context[t] = sum_j scores[t, j] memory[j]
    output[t] = a[t] = tanh([context[t]; s[t]] C)  with units
    output[t] = [context[t]; s[t]], a[t] = context[t]                       without
    ```

    With `score="additive"` it is the decoder of Bahdanau, Cho and Bengio, 2015 (arXiv:1409.0473),
    whose context for step t comes from s[t - 1], as the one fed to step t does here; with
    `units` and `"general"` or `"dot"` that of Luong, Pham and Manning, 2015 (arXiv:1508.04025).

    With `monotonic`, the scores only move forward along the memory, which suits speech and
    spelling (Raffel et al., 2017, arXiv:1704.00784): sigmoid((logits + r) / temperature) is the
    probability to stop at a key, and the scores are the expected alignment, which may sum to
    less than 1. `"hard"` stops for certain where logits + r > 0, outside of training.

    Differs from TensorFlow Addons' AttentionWrapper: one layer that is called with its memory, on
    every backend.

    Masking: masked keys have scores of exactly 0, whatever they hold, NaN included; where no key
    is visible the context is 0. Masked steps of the inputs leave the
    state as it was; their outputs and scores are 0. The mask of the inputs is passed on.

    For your own loop, such as a beam search, and for `keras.layers.RNN` see `over`.

    Args:
        cell: a `keras.layers.LSTMCell`, `GRUCell`, `SimpleRNNCell`, `StackedRNNCells` or
            registered cell of your own, or its `{"class_name": ..., "config": ...}`, which takes
            this layer's dtype unless it has one.
        units: the width of the output; None is that of the memory and the cell together.
        score: `"additive"`, `"general"`, `"dot"` or `"scaled_dot"`.
        attention_units: the width of the additive score's hidden layer; None is the memory's.
        input_feeding: whether each step sees what the step before attended to.
        monotonic: None, `"soft"` or `"hard"`; it takes the place of the normalizer.
        noise: the deviation of the noise added to monotonic logits in training, which drives
            them apart; 1 in the paper.
        stop_bias: where the trainable scalar `r` starts; a negative one lets attention reach
            further along a long memory. There is none without `use_bias`.
        **kwargs: the arguments shared by all attention layers: see `AttentionLayer`; they are not
            those of the cell.

    Call arguments:
        inputs: `(batch, time, features)`.
        memory: `(batch, memory time, memory width)`.
        initial_state: the cell's first states, as `return_state` of an encoder gives them; by
            default zeros.
        inputs_mask: boolean, `(batch, time)`; True is visible.
        memory_mask: boolean, `(batch, memory time)`.
        return_attention_scores: also return the scores.
        training: whether dropout and noise are applied.

    Returns:
        `(batch, time, units)`, or `(batch, time, memory width + cell width)`; with
        `return_attention_scores` also the scores, `(batch, time, memory time)`.

    Raises:
        ValueError: for inputs of another rank than 3, of unknown widths or of others than built,
            of unequal batches, without a memory, or a state that is not the cell's.

    Example:

    >>> x = np.zeros((4, 7, 3), "float32")
    >>> memory = np.random.default_rng(0).normal(size=(4, 20, 5)).astype("float32")
    >>> decoder = az.layers.AttentionDecoder({"class_name": "GRUCell", "config": {"units": 6}})
    >>> y, scores = decoder(x, memory, return_attention_scores=True)
    >>> tuple(y.shape), tuple(scores.shape)
    ((4, 7, 11), (4, 7, 20))
    """

    kind = "sequence"
    score_axes = (("query", "key"),)

    def __init__(
        self,
        cell: Any,
        units: int | None = None,
        score: str = "additive",
        attention_units: int | None = None,
        input_feeding: bool = True,
        monotonic: str | None = None,
        noise: float = 0.0,
        stop_bias: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        checks.positive_int("units", units, none=True)
        check_score(score)
        checks.positive_int("attention_units", attention_units, none=True)
        checks.boolean("input_feeding", input_feeding)
        if monotonic is not None and monotonic not in _MODES:
            raise one_of("monotonic", monotonic, _MODES)
        if noise != 0:
            checks.positive("noise", noise)
        if monotonic is None and noise:
            raise ValueError(f"`noise` is for monotonic attention. Received: noise={noise!r}")
        if monotonic is not None and self.normalizer != "softmax":
            raise ValueError(
                "`normalizer` must be left out of monotonic attention, which has its own. "
                f"Received: normalizer={self.normalizer!r} with monotonic={monotonic!r}"
            )
        self.cell = make_cell(cell, self.dtype_policy)
        self.units = units
        self.score = score
        self.attention_units = attention_units
        self.input_feeding = input_feeding
        self.monotonic = monotonic
        self.noise = noise
        self.stop_bias = stop_bias
        if noise and self.dropout == 0:
            self._seeds = keras.random.SeedGenerator(self.seed)

    def build(self, inputs_shape: tuple, memory_shape: tuple | None = None) -> None:
        self._check(inputs_shape, memory_shape)
        self._input_width = fixed_size(self, "feature", inputs_shape[2])
        self._memory_width = fixed_size(self, "memory feature", (memory_shape or ())[2])
        state_width = width_of(self.cell)
        both = self._memory_width + state_width
        self._fed_width = self.units or self._memory_width
        self._output_width = self.units or both
        self._build_score(state_width, self._memory_width, self.attention_units)
        if self.units is not None:
            self.output_kernel = self._add_kernel("output_kernel", (both, self.units))
        self.stop = None
        if self.monotonic is not None and self.use_bias:
            self.stop = self.add_weight(
                name="stop", shape=(), initializer=keras.initializers.Constant(self.stop_bias)
            )
        if not self.cell.built:
            fed = self._fed_width if self.input_feeding else 0
            self.cell.build((inputs_shape[0], self._input_width + fed))
            self.cell.built = True

    def call(
        self,
        inputs: Any,
        memory: Any = None,
        initial_state: Any = None,
        inputs_mask: Any = None,
        memory_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
    ) -> Any:
        self._check(shape_of(inputs), shape_of(memory), initial_state)
        steps = self._prepare(inputs, inputs_mask, name="inputs_mask")
        memories = self._prepare(memory, memory_mask, name="memory_mask")
        outputs, scores = decode(self, steps, memories, initial_state, bool(training))
        return self._finish(outputs, scores, return_attention_scores)

    def over(self, memory: Any, memory_mask: Any = None) -> AttentionCell:
        """This built decoder's cell over one memory, for your own loop.

        Args:
            memory: `(batch, memory time, memory width)`, a value, not a functional model's
                symbol.
            memory_mask: boolean, `(batch, memory time)`.

        Returns:
            An `AttentionCell`, without dropout and noise: for inference.

        Raises:
            ValueError: before the layer is built, or for a symbolic memory.

        Example:

        >>> decoder = az.layers.AttentionDecoder(
        ...     {"class_name": "GRUCell", "config": {"units": 6}}, units=8)
        >>> decoder.build((None, None, 3), (None, None, 5))
        >>> cell = decoder.over(np.ones((4, 20, 5), "float32"))
        >>> output, state = cell(np.ones((4, 3), "float32"), cell.get_initial_state())
        >>> tuple(output.shape), tuple(state[-1].shape)
        ((4, 8), (4, 20))
        """
        if isinstance(memory, keras.KerasTensor) or not self.built:
            raise ValueError(
                "A built decoder goes over a memory that is a value. In a functional model, call "
                f"the decoder: decoder(inputs, memory). Received: built={self.built}, "
                f"memory={type(memory).__name__}"
            )
        return AttentionCell(
            self, *self._prepare(memory, memory_mask, self._memory_width, "memory_mask")
        )

    def _check(self, inputs: tuple, memory: tuple | None, initial_state: Any = None) -> None:
        if memory is None:
            raise ValueError(
                f"{type(self).__name__} needs a `memory` to attend to: decoder(inputs, memory). "
                "Alone, a sequence can attend to itself with SelfAttention. Received: memory=None"
            )
        check_sequence(self, inputs)
        check_fit(self, inputs, memory, memory)
        if self.built:
            same_size(self, "features", self._input_width, inputs[2])
            same_size(self, "memory features", self._memory_width, memory[2])
        if initial_state is not None:
            expected = tree.flatten(self.cell.state_size)
            received = [state.shape[-1] for state in tree.flatten(initial_state)]
            if received != expected:
                raise ValueError(
                    f"`initial_state` must be the states of the {type(self.cell).__name__}, of "
                    f"widths {expected}. Received: widths {received}"
                )

    def compute_output_shape(self, inputs_shape: tuple, memory_shape: tuple | None = None) -> tuple:
        self._check(inputs_shape, memory_shape)
        return (*inputs_shape[:2], self._output_width)

    def _scores_shape(self, inputs: tuple, memory: tuple) -> tuple:
        return (*inputs[:2], memory[1])

    def compute_output_spec(self, inputs: Any, memory: Any = None, *args: Any, **kw: Any) -> Any:
        initial_state = args[0] if args else kw.get("initial_state")
        self._check(shape_of(inputs), shape_of(memory), initial_state)
        return super().compute_output_spec(inputs, memory, *args, **kw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cell": describe_cell(self.cell)}
