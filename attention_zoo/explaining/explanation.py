"""What a model predicts and where it attends: the data, and what is made of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from attention_zoo.capture.outputs import predicted_classes
from attention_zoo.core.optional import require
from attention_zoo.core.registry import one_of
from attention_zoo.explaining import notebook, storage
from attention_zoo.explaining.layer_scores import LayerScores
from attention_zoo.models.classes import class_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Explanation:
    """Predictions and attention scores of a model on some samples.

    `explanation[samples]` is that of some samples: a number, a slice, indices or booleans.

    Attributes:
        x: the inputs, `(samples, ...)`, or a list of them.
        predictions: the outputs of the model, from the same pass as the scores.
        scores: `{layer name: array (samples, ...)}`.
        truth: 1 on the relevant inputs, or None.
        y: the targets, or None; classes by their names, where `class_names` has them.
        masks: False on padding, `{layer name: booleans (samples, [segments,] indices)}`.
        axes: the names of the axes of the scores after the samples, `{layer name: names}`, such as
            `("step",)`, `("step", "feature")` or `("head", "query", "key")`.
        attended: the axis that is attended over, `{layer name: name}`.
        step_names, feature_names: labels of the time steps and of the features, or None.
        output: the number of the output that `y` and `predicted` belong to, or None.
        class_names: the names of the classes in the order of the model's numbers, or None.
        contributions: what each step adds to the logits, `{layer name: array (samples, steps,
            logits)}`, of the layers whose steps the model adds up.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_step").sample(100, split="test")
    >>> explanation = az.explain(az.load("lstm_after"), x, y=y, truth=relevance)
    >>> explanation
    <Explanation of 100 samples: attention ('step',)>
    >>> len(explanation[:7])
    7
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
    class_names: list[Any] | None = None
    contributions: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.scores.values())))

    def __repr__(self) -> str:
        layers = [f"{name} {self.axes.get(name, ())}" for name in self.scores]
        return f"<Explanation of {len(self)} samples: {', '.join(layers)}>"

    def layer(self, name: str | None = None) -> LayerScores:
        """Return the scores of one layer with their axes, mask, truth and labels.

        Args:
            name: the name of an attention layer; by default the first.

        Raises:
            ValueError: for an unknown name.
        """
        name = next(iter(self.scores)) if name is None else name
        if name not in self.scores:
            raise one_of("layer", name, self.scores)
        steps = dict.fromkeys(("step", "query", "key"), self.step_names)
        classes = self.class_names and [str(name) for name in self.class_names]
        labels = {**steps, "feature": self.feature_names, "logit": classes}
        return LayerScores(
            name,
            self.scores[name],
            self.axes.get(name, ()),
            self.attended.get(name),
            self.masks.get(name),
            self.truth,
            labels,
            self.contributions.get(name),
        )

    def profile(self, layer: str | None = None) -> np.ndarray:
        """Return the attention per index, `(samples, indices)`, of a layer: see
        `LayerScores.profile`. ValueError for an unknown name."""
        return self.layer(layer).profile()

    @property
    def predicted(self) -> np.ndarray:
        """The predicted class of each sample, by its name where `class_names` has one."""
        return class_labels(predicted_classes(self.predictions, self.output), self.class_names)

    def __getitem__(self, samples: Any) -> Explanation:
        rows = np.atleast_1d(np.arange(len(self))[samples])
        if not rows.size:
            raise ValueError(f"Of {len(self)} samples no sample is chosen. Received: {samples!r}")
        changed = {
            name: keras.tree.map_structure(lambda array: array[rows], getattr(self, name))
            for name in ("x", "predictions", "scores", "truth", "y", "masks", "contributions")
            if getattr(self, name) is not None
        }
        return dataclasses.replace(self, **changed)

    def of_class(self, label: Any, *, by: str = "prediction") -> Explanation:
        """Return the explanation of the samples of one class.

        Args:
            label: the class: its name where `class_names` has one, else its number.
            by: `"prediction"` for the predicted class, or `"label"` for that of `y`.

        Raises:
            ValueError: if no sample is of that class, or there are no labels.
        """
        if by not in ("prediction", "label"):
            raise one_of("by", by, ("prediction", "label"))
        if by == "label" and self.y is None:
            raise ValueError("by='label' needs the labels: explain(model, x, y=y).")
        labels = self.predicted if by == "prediction" else np.asarray(self.y)
        labels = labels.reshape(len(self), -1)[:, 0]
        chosen = labels == label
        if not chosen.any():
            known = sorted(set(labels.tolist()))[:20]
            raise ValueError(f"No sample has the {by} {label!r}. There are: {known}")
        return self[chosen]

    def to_frame(self, layer: str | None = None) -> Any:
        """Return the scores as a tidy pandas DataFrame, one row per score.

        Args:
            layer: the name of an attention layer; by default all of them, one after the other.

        Returns:
            Columns `sample`, `layer`, one for each axis of the scores, `score`, and where they are
            known `visible`, `truth` and `contribution`, or `contribution_0`, ... of several.

        Raises:
            ImportError: without pandas, the extra `frames`.
            ValueError: for an unknown layer.
        """
        pandas = require("pandas", extra="frames")
        layers = self.scores if layer is None else [layer]
        return pandas.concat(
            [pandas.DataFrame(self.layer(name).columns()) for name in layers], ignore_index=True
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything to one `.npz` and return its path.

        Raises:
            ValueError: for another ending, or arrays of neither numbers nor text.
            FileExistsError: if the file exists and `overwrite` is False.
        """
        return storage.save(vars(self), path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, max_bytes: int | None = None) -> Explanation:
        """Read what `save` wrote, up to `max_bytes` of memory (a quarter of the free memory).

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: for another file, or one beyond `max_bytes`.
        """
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
        """Draw where the model attends.

        Args:
            layer: the name of an attention layer; by default the first.
            kind: of all samples `"bars"`, the mean attention per index with its spread and the
                relevant indices, or `"rows"`, a row of attention per sample, its largest cell and
                the truth; of one sample `"heatmap"`, time by feature below the series,
                `"alignment"`, queries by keys, `"heads"`, the same for each head, `"tokens"`, a
                coloured text, or `"contributions"`, what each step adds to each logit.
            sample: the number of the sample, for the kinds of one.
            names: one label per index; by default the names given to `explain`, or numbers.
            title: a line above the picture; by default a sample's class, where it has a name.

        Returns:
            A Matplotlib `Figure`, not shown: `explanation.plot().savefig("where.png")`. The
            colours begin at 0, padding is grey, relevant cells are outlined.

        Raises:
            ValueError: for an unknown kind, or one that the axes of the scores do not allow.
            TypeError: for a sample that is not an integer.
        """
        from attention_zoo.explaining.picture import draw  # Matplotlib only when it is needed

        classes = (self.predicted, self.y) if self.class_names else None
        return draw(self.layer(layer), self.x, kind, sample, names, title, classes)

    def to_html(
        self,
        path: str | Path,
        *,
        title: str = "",
        trust: Any = None,
        overwrite: bool = False,
        samples: int = 200,
    ) -> Path:
        """Write one interactive page that needs no network and return its path.

        The page shows a sample or the mean, each layer, head and query, values under the pointer
        or the arrow keys, and the rows of `az.trust`. Scores are rounded to 1/65534 of the largest
        of their layer; of more than 100,000 per sample it shows means of neighbours.

        Args:
            path: the `.html` file to write.
            title: the heading; by default the names of the layers.
            trust: what `az.trust` returned, shown below.
            overwrite: replace an existing file.
            samples: the largest number of samples in the page, spread evenly over all.

        Raises:
            ValueError: for a path that does not end in `.html`, or `samples` below 1.
            TypeError: for a title that is not a string, or another kind of `trust`.
            FileExistsError: if the file exists and `overwrite` is False.
        """
        from attention_zoo.explaining.page import content, write_page  # only when it is needed

        shown = content(
            [self.layer(name) for name in self.scores],
            self.x,
            self.predictions,
            self.y,
            self.output,
            self.feature_names,
            samples,
            self.class_names,
        )
        title = title or "Where the model attends: " + ", ".join(self.scores)
        return write_page(path, shown, title=title, trust=trust, overwrite=overwrite)

    def _repr_png_(self) -> bytes:
        return notebook.png(self.plot())

    def _repr_html_(self) -> str:
        layers = [self.layer(name) for name in self.scores]
        return notebook.page(layers, lambda name: notebook.png(self.plot(name)))
