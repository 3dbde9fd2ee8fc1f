"""What a model predicted and where it looked, in one object."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from attention_zoo.capture.outputs import predicted_classes
from attention_zoo.capture.profile import profile
from attention_zoo.core.registry import one_of
from attention_zoo.explaining import frame, names, notebook, storage
from attention_zoo.metrics.localization import matched

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Explanation:
    """Predictions and attention scores of a model on some samples.

    Attributes:
        x: the inputs, `(samples, ...)`; a list of them for a model of several inputs.
        predictions: the model's outputs, from the same pass as the scores.
        scores: `{layer name: array (samples, ...)}`.
        truth: where the answer is, if that is known.
        y: the labels or targets, if they are known.
        masks: what each layer could attend to, `{layer name: booleans (samples, [segments,]
            indices)}`; without the layers that saw no mask.
        axes: what the axes of the scores after the samples are, `{layer name: names}`, such as
            `("step",)`, `("feature",)`, `("step", "feature")` or `("head", "query", "key")`.
        attended: which of those axes is attended over, `{layer name: name}`.
        step_names, feature_names: labels of the time steps and of the features, or None.
        output: the number of the output that `y` and `predicted` are of, among the flattened
            predictions; None where that was not said.
    """

    x: Any
    predictions: Any
    scores: dict[str, np.ndarray]
    truth: np.ndarray | None = None
    y: np.ndarray | None = None
    masks: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    axes: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    attended: dict[str, str] = dataclasses.field(default_factory=dict)
    step_names: list[str] | None = None
    feature_names: list[str] | None = None
    output: int | None = None

    def __len__(self) -> int:
        return len(next(iter(self.scores.values())))

    def __repr__(self) -> str:
        layers = ", ".join(f"{name} {self.axes.get(name, ())}" for name in self.scores)
        return f"<Explanation of {len(self)} samples: {layers}>"

    def _repr_html_(self) -> str:
        """The layers, and the bars of the first of them: what a notebook shows."""
        return notebook.page(self)

    def _repr_png_(self) -> bytes:
        """The bars of the first layer, for what shows no HTML."""
        return notebook.png(self)

    def name(self, layer: str | None = None) -> str:
        """The name of a layer, by default of the first; ValueError for an unknown one."""
        if layer is None:
            return next(iter(self.scores))
        if layer not in self.scores:
            raise one_of("layer", layer, self.scores)
        return layer

    def layer(self, name: str | None = None) -> np.ndarray:
        """The scores of one layer, by default the first; ValueError for an unknown name."""
        return self.scores[self.name(name)]

    def attended_axis(self, layer: str | None = None) -> int | None:
        """The number of the axis of the scores that is attended over; None if it is not known."""
        name = self.name(layer)
        if name not in self.axes:
            return None
        return 1 + self.axes[name].index(self.attended[name])

    def profile(self, layer: str | None = None) -> np.ndarray:
        """Attention per index of the attended axis: `(samples, indices)`, averaged over the
        other axes (features, steps, heads or queries)."""
        return profile(self.layer(layer), self.attended_axis(layer))

    def truth_of(self, layer: str | None = None) -> np.ndarray | None:
        """Which cells of a layer's scores are the answer, of their shape; None if that is not
        known. A truth `(samples, indices)` is that of the attended axis."""
        if self.truth is None:
            return None
        scores, axis = self.layer(layer), self.attended_axis(layer)
        if axis and self.truth.shape == (len(scores), scores.shape[axis]):
            shape = tuple(n if i in (0, axis) else 1 for i, n in enumerate(scores.shape))
            return np.broadcast_to(self.truth.reshape(shape) > 0, scores.shape)
        return matched(self.truth, scores, "truth")

    def expected(self, layer: str | None = None) -> np.ndarray | None:
        """How often the answer is at each index, between 0 and 1; None if it is not known."""
        truth = self.truth_of(layer)
        return None if truth is None else profile(truth, self.attended_axis(layer)).mean(0)

    def index_names(self, layer: str | None = None) -> list[str] | None:
        """The labels of the attended axis, where there are any."""
        axis = self.attended_axis(layer)
        size = None if axis is None else self.layer(layer).shape[axis]
        return names.of_axis(self, self.attended.get(self.name(layer), ""), size)

    @property
    def predicted(self) -> np.ndarray:
        """The class predicted for each sample, of the output that `explain` was told: whether its
        one value is more than one half, or the largest of several."""
        return predicted_classes(self.predictions, self.output)

    def __getitem__(self, samples: Any) -> Explanation:
        """The explanation of some of the samples: a number, a slice, indices or booleans;
        ValueError where they choose none."""
        rows = np.arange(len(self))[samples]
        rows = np.atleast_1d(rows)
        if not rows.size:
            raise ValueError(f"Of {len(self)} samples no sample is chosen. Received: {samples!r}")

        def some(array: np.ndarray) -> np.ndarray:
            return array[rows]

        changed = {
            field.name: keras.tree.map_structure(some, getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name in ("x", "predictions", "scores", "truth", "y", "masks")
            and getattr(self, field.name) is not None
        }
        return dataclasses.replace(self, **changed)

    def of_class(self, label: Any, *, by: str = "prediction") -> Explanation:
        """The explanation of the samples of one class.

        Args:
            label: the class.
            by: `"prediction"`, the predicted class, or `"label"`, that of `y`.

        Raises:
            ValueError: if no sample is of that class, or there are no labels.
        """
        if by not in ("prediction", "label"):
            raise one_of("by", by, ("prediction", "label"))
        if by == "label" and self.y is None:
            raise ValueError("by='label' needs the labels: explain(model, x, y=y).")
        of = (
            self.predicted
            if by == "prediction"
            else np.asarray(self.y).reshape(len(self), -1)[:, 0]
        )
        chosen = of == label
        if not chosen.any():
            raise ValueError(
                f"No sample has the {by} {label!r}. There are: {sorted(set(of.tolist()))[:20]}"
            )
        return self[chosen]

    def to_frame(self, layer: str | None = None) -> Any:
        """The scores as a tidy pandas DataFrame, a row for each score.

        Args:
            layer: the name of an attention layer; by default all of them, one after the other.

        Returns:
            Columns `sample`, `layer`, one an axis of the scores (their union over the layers),
            `score`, and where they are known `visible` and `truth`.

        Raises:
            ImportError: without pandas, the extra `frames`.
        """
        return frame.tidy(self, None if layer is None else self.name(layer))

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything to one `.npz`; FileExistsError unless `overwrite`."""
        return storage.save(self, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, max_bytes: int | None = None) -> Explanation:
        """Read what `save` wrote; ValueError for another file, or beyond `max_bytes` of memory."""
        return cls(**storage.load(path, max_bytes))

    def plot(
        self,
        layer: str | None = None,
        *,
        kind: str = "bars",
        sample: int = 0,
        names: Any = None,
        title: str = "",
    ) -> Figure:
        """A picture of where the model looks.

        Args:
            layer: the name of an attention layer; by default the first.
            kind: of all samples, `"bars"`, the mean attention per index with its spread and the
                expected index, or `"rows"`, a row each of attention, its largest cell and the
                truth; of one sample, `"heatmap"`, time by feature below the series itself,
                `"alignment"`, queries by keys, `"heads"`, the same for each head, or `"tokens"`,
                a text in colours.
            sample: the number of the sample that is drawn, for the kinds of one.
            names: one label an index; by default the names given to `explain`, or numbers.
            title: a line above the picture.

        Returns:
            A Matplotlib `Figure`, not shown: `explanation.plot().savefig("where.png")`. The
            colours begin at 0, padding is grey, the truth is outlined.

        Raises:
            ValueError: for an unknown kind, or one that the layer's scores have no axes for.
        """
        from attention_zoo.explaining.picture import draw  # Matplotlib only when it is needed

        return draw(self, layer, kind, sample, names, title)

    def to_html(
        self,
        path: str | Path,
        *,
        title: str = "",
        trust: Any = None,
        overwrite: bool = False,
        samples: int = 200,
    ) -> Path:
        """Write one interactive page that needs no network: samples, layers and heads to choose,
        values under the pointer or the arrow keys, and the figures of `az.trust`.

        Args:
            path: the `.html` file to write.
            title: the heading; by default the layers' names.
            trust: what `az.trust` returned, to be shown below.
            overwrite: whether a file that is there may be replaced.
            samples: the most samples that the page holds, spread evenly over all.

        Raises:
            ValueError: for a path that does not end in `.html`.
            FileExistsError: if the file exists and `overwrite` is false.
        """
        from attention_zoo.explaining.page import write_page  # only when it is needed

        return write_page(
            self, path, title=title, trust=trust, overwrite=overwrite, samples=samples
        )
