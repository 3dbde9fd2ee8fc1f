"""A model and data to its attention scores, in one pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from attention_zoo.capture.inference import fixed_batch_size, preserved_state
from attention_zoo.capture.inputs import check_inputs, check_model, does_not_fit, pack_inputs
from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.layers.recorder import ScoreRecord
from attention_zoo.layers.score_model import ScoreModel, call_recorded
from attention_zoo.models.cache import ModelCache


@by_identity
class Capture(NamedTuple):
    """What was captured in one pass over the data.

    Attributes:
        predictions: the model's outputs.
        scores: `{layer name: array (samples, ...)}`.
        masks: what each layer could attend to, `{layer name: booleans (samples, [segments,]
            indices)}`; without the layers that had no mask.
        axes: what the axes of the scores after the samples are, `{layer name: names}`.
        attended: which of those sums to 1, `{layer name: name}`.
        contributions: what each step adds to the model's logits, `{layer name: array (samples,
            steps, logits)}`, of the layers whose steps the model adds up.
    """

    predictions: Any
    scores: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    axes: dict[str, tuple[str, ...]]
    attended: dict[str, str]
    contributions: dict[str, np.ndarray]


def attention_scores(model: keras.Model, x: Any, batch_size: int = 256) -> dict[str, np.ndarray]:
    """The scores of each attention layer of a model on `x`.

    One pass over the data in batches; the model is left as it is. The scores are those that
    `predict` uses: they sum to 1 over what the mask leaves, and are exactly 0 on padding.

    Args:
        model: a built Keras model, trained or loaded, with attention layers of this package or
            Keras's own `Attention`, `AdditiveAttention`, `MultiHeadAttention`,
            `GroupQueryAttention`.
        x: an array `(samples, ...)` that fits the model's input; for a model of several inputs a
            list of arrays, or a dictionary by the inputs' names, paired with the inputs as the
            model's `predict` pairs them, and refused where it refuses them.
        batch_size: how many samples go through at once.

    Returns:
        `{layer name: array (samples, ...)}`, shaped as the layer's `return_attention_scores`. A
        layer in a nested model or layer has the names of both, `sentence/attention`; under
        `TimeDistributed` its scores have the steps that are distributed over as their first axis,
        `(samples, segments, ...)`. A layer that is used more than once has further entries
        `name@2`, `name@3`, in the order in which the model computes them, which may be another
        than that of the calls; one that attends on several levels has one a level, `name/1`,
        `name/2`.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: if the model is not built, has no attention layer or one inside the cell of a
            recurrent layer, or x does not fit it.

    Example:

    >>> model = az.load("lstm_after")
    >>> x, y, relevance = az.tasks.get("planted_step").sample(3, split="test")
    >>> {name: scores.shape for name, scores in az.attention_scores(model, x).items()}
    {'attention': (3, 20)}
    """
    return capture_scores(model, x, batch_size).scores


def with_scores(model: keras.Model, contributions: bool = False) -> keras.Model:
    """A model over the same weights whose extra outputs are its attention scores.

    An ordinary Keras model, to be called, trained, saved, served and exported. It returns a flat
    dictionary, which some backends sort by name:

    ```
    predictions first     "predictions", or the keys of the model's own dictionary of outputs, or
                          "predictions_1", "predictions_2", ... for a list of them
    then the scores       "attention_" and the layer's name, as `attention_scores` has it, in which
                          what is neither letter nor digit is "_": "attention_sentence_pooling"
    then, if wanted,      "contributions_" and the layer's name: see `Explanation.contributions`
    ```

    The weights are shared: training one model trains the other. To train it, give losses and
    targets for the predictions only, `compile(loss={"predictions": "mse"})` and
    `fit(x, {"predictions": y})`. A layer that is used twice has the outputs `attention_name` and
    `attention_name_2`. On long sequences the scores take the memory that the layer alone does not.

    Args:
        model: a built functional, Sequential or subclassed model with attention layers of this
            package or Keras's own.
        contributions: whether what each step adds to the logits is an output too.

    Returns:
        A functional model with the inputs of `model`; for a subclassed one, whose inputs Keras does
        not know, a model that wraps it. Both are loaded by `keras.models.load_model` once
        `attention_zoo` is imported.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: if the model is not built, has no attention layer or one inside the cell of a
            recurrent layer, or two outputs would have one name.

    Example:

    >>> model = az.with_scores(az.load("lstm_after"))
    >>> x = az.tasks.get("planted_step").sample(3, split="test").x
    >>> {name: output.shape for name, output in model.predict(x, verbose=0).items()}
    {'predictions': (3, 1), 'attention_attention': (3, 20)}
    """
    check_model(model)
    checks.boolean("contributions", contributions)
    scored = ScoreModel(model, contributions)
    if not getattr(model, "inputs", None):
        return scored
    inputs = pack_inputs(model, model.inputs if len(model.inputs) > 1 else model.inputs[0])
    return keras.Model(inputs, scored(inputs), name=model.name)


def capture_scores(model: keras.Model, x: Any, batch_size: int = 256) -> Capture:
    """The model's predictions and its attention scores, from the same pass over `x`.

    Arguments and errors are those of `attention_scores`.
    """
    checks.positive_int("batch_size", batch_size)
    check_model(model)
    capturing = capture_model(model)
    x = check_inputs(model, x)
    try:
        found = keras.tree.map_structure(
            _readable, capturing.predict(x, batch_size=batch_size, verbose=0)
        )
    except (ValueError, TypeError, RuntimeError, LookupError, AttributeError) as error:
        if getattr(model, "inputs", None):
            raise
        # What a subclassed model takes is not known before it is tried
        raise ValueError(does_not_fit(model, x)) from error
    # In the order of the calls, which compilers do not keep
    names = [name for name in capturing.axes if name in found["scores"]]
    return Capture(
        found["predictions"],
        {name: found["scores"][name] for name in names},
        {name: found["masks"][name] for name in names if name in found["masks"]},
        {name: capturing.axes[name] for name in names},
        {name: capturing.attended[name] for name in names},
        {n: found["contributions"][n] for n in names if n in found["contributions"]},
    )


def _readable(array: np.ndarray) -> np.ndarray:
    """NumPy itself does not know bfloat16: files and tables would not take it."""
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


class CaptureModel(keras.Model):
    """A model that returns its predictions, scores and masks; called on a pair, it takes the
    scores of some layers from the second of the two."""

    def __init__(self, model: keras.Model, *, replaces: bool = False):
        # The dtype policy of the process must not touch the inputs of a model of another
        super().__init__(name="capture", autocast=False)
        self.model = model
        # Past Keras's tracking: what the last tracing found out
        self.__dict__.update(axes={}, attended={}, replaced=set(), replaces=replaces)
        # Else JAX builds it by a call on the first batch, each operation compiled by itself
        self.built = model.built

    def predict(self, x: Any, batch_size: int = 256, **kwargs: Any) -> Any:
        with preserved_state(self.model):
            size = fixed_batch_size(self.model) or batch_size
            return super().predict(x, batch_size=size, **kwargs)

    def call(self, inputs: Any) -> dict[str, Any]:
        inputs, others = inputs if self.replaces else (inputs, {})

        def replace(name: str) -> Any:
            if name in others:
                self.replaced.add(name)
            return others.get(name)

        outputs, records = call_recorded(
            self.model, pack_inputs(self.model, inputs), replace=replace if self.replaces else None
        )
        for name, record in records.items():
            self.axes[name], self.attended[name] = _axes(record)
        return {
            "predictions": outputs,
            "scores": {name: record.scores for name, record in records.items()},
            "masks": {n: record.mask for n, record in records.items() if record.mask is not None},
            "contributions": {
                n: record.contributions
                for n, record in records.items()
                if record.contributions is not None
            },
        }


def _axes(record: ScoreRecord) -> tuple[tuple[str, ...], str]:
    """The names of the axes of the scores, and of the one that is attended over."""
    own = len(record.scores.shape) - 1 - record.segments
    layer = record.layer
    choices = getattr(layer, "score_axes", (("query", "key"), ("head", "query", "key")))
    names = next((axes for axes in choices if len(axes) == own), None)
    if names is None:
        names = tuple(f"axis {i}" for i in range(1, own + 1))
    attended = getattr(layer, "attended_axis", None) or names[-1]
    segments = tuple("segment" if i == 0 else f"segment {i + 1}" for i in range(record.segments))
    return segments + names, attended if attended in names else names[-1]


_MODELS: ModelCache[CaptureModel] = ModelCache()


def capture_model(model: keras.Model, *, replaces: bool = False) -> CaptureModel:
    """The model's `CaptureModel`, compiled once for as long as a functional model lives, and again
    when its `Normalization` is adapted.

    It holds another model of the same layers, since one that held the model would keep it alive.
    """
    if not (type(model).__module__.startswith("keras.") and model.inputs):
        return CaptureModel(model, replaces=replaces)

    def make() -> CaptureModel:
        # Of a list, since Keras warns where the names of a dictionary are not those of the tensors
        outputs = model.outputs[0] if isinstance(model, keras.Sequential) else model.output
        return CaptureModel(keras.Model(model.inputs, outputs), replaces=replaces)

    return _MODELS.get(model, replaces, make)
