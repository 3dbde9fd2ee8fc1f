"""`attention-zoo explain`: where a model attends, as a picture or a page, and tests of trust."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer

from attention_zoo.cli.cards import retrained_uniform
from attention_zoo.cli.console import out
from attention_zoo.cli.options import Model, Overwrite, Target
from attention_zoo.cli.progress import steps
from attention_zoo.core import checks, files
from attention_zoo.core.identity import by_identity

if TYPE_CHECKING:
    from attention_zoo.explaining import Explanation
    from attention_zoo.explaining.layer_scores import LayerScores
    from attention_zoo.presets.card import Card
    from attention_zoo.trusting import Trust

_BAR = 40
_MOST_ROWS = 60
#: The formats of pictures that Matplotlib writes without other packages and that open anywhere.
_ENDINGS = (".eps", ".jpeg", ".jpg", ".pdf", ".png", ".svg", ".tif", ".tiff", ".webp")


def explain(
    model: Model,
    data: Annotated[Path | None, typer.Option(help="Your own .npz (arrays x, y) or .csv.")] = None,
    target: Target = None,
    out_: Annotated[Path | None, typer.Option("--out", help="The picture to write.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write one interactive page (.html) instead of a picture.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="An attention layer by name.")] = None,
    samples: Annotated[int, typer.Option(help="How many samples of the preset's task.")] = 1000,
    trust: Annotated[
        bool, typer.Option("--trust", help="Print tests of how far the attention can be trusted.")
    ] = False,
    trust_out: Annotated[
        Path | None, typer.Option(help="Write what --trust prints to a .json.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Print the mean attention per index, with the planted index marked, and write a picture; or,
    with --trust, test how far the attention can be trusted; with --html, write a page that shows
    all of it."""
    checks.positive_int("samples", samples)
    trust = trust or trust_out is not None
    source = _Source(model)
    picture = Path(f"{source.name}.png") if (out_, html, trust) == (None, None, False) else out_
    writer = _Files(picture, html, trust_out, overwrite)
    inputs = source.open(data, target, samples)
    explanation = inputs.explain() if picture or html or not trust else None
    if explanation is not None:
        explanation.layer(layer)
    measured = _trust(source, inputs, layer) if trust else None
    if measured is None and explanation is not None:
        _print_bars(source.name, explanation.layer(layer))
    writer.write(source.name, explanation, measured, layer)


def _trust(source: _Source, inputs: _Inputs, layer: str | None) -> Trust:
    """Run and print the tests of trust."""
    import attention_zoo as az

    with steps("measuring") as progress:
        measured = az.trust(
            *inputs[:3],
            truth=inputs.truth,
            layer=layer,
            retrained_uniform=retrained_uniform(source.card),
            progress=progress,
        )
    measured = dataclasses.replace(measured, model=source.name)
    out.print(measured.as_text(min(out.width, 100)))
    return measured


class _Files:
    """The files to write. An existing one is refused before anything is measured."""

    def __init__(
        self, picture: Path | None, html: Path | None, trust: Path | None, overwrite: bool
    ):
        self.picture, self.html, self.trust = picture, html, trust
        self.overwrite = overwrite
        for option, path, suffix in (("--html", html, ".html"), ("--trust-out", trust, ".json")):
            if path is not None and path.suffix.lower() != suffix:
                raise ValueError(f"{option} must end in {suffix}. Received: {path}")
        if picture is not None and picture.suffix.lower() not in _ENDINGS:
            raise ValueError(f"--out must end in one of {', '.join(_ENDINGS)}. Received: {picture}")
        for path in (picture, html, trust):
            if path is not None:
                files.refuse_existing(path, overwrite=overwrite)

    def write(
        self,
        name: str,
        explanation: Explanation | None,
        measured: Trust | None,
        layer: str | None,
    ) -> None:
        """Write the files and print their paths."""
        written = []
        if self.picture is not None and explanation is not None:
            figure = explanation.plot(layer, title=f"{name}: attention per index")
            with files.new_file(self.picture, overwrite=self.overwrite) as scratch:
                figure.savefig(scratch, dpi=150)
            written.append(f"Picture: {self.picture}")
        if self.html is not None and explanation is not None:
            title, replace = f"{name}: where it attends", self.overwrite
            page = _first(explanation, layer)
            page.to_html(self.html, title=title, trust=measured, overwrite=replace)
            written.append(f"Page: {self.html}")
        if self.trust is not None and measured is not None:
            with files.new_file(self.trust, overwrite=self.overwrite) as scratch:
                text = json.dumps(measured.to_dict(), indent=1) + "\n"
                scratch.write_text(text, encoding="utf-8")
            written.append(f"Trust: {self.trust}")
        if written:
            out.print("\n" + "\n".join(written))


def _first(explanation: Explanation, layer: str | None) -> Explanation:
    """Return the explanation with that layer first, so that the page opens on it."""
    name = explanation.layer(layer).name
    scores = {name: explanation.scores[name], **explanation.scores}
    return dataclasses.replace(explanation, scores=scores)


@by_identity
class _Inputs(NamedTuple):
    """A model and its data; None where there is none."""

    model: Any
    x: Any
    y: Any = None
    truth: Any = None
    step_names: list[str] | None = None
    feature_names: list[str] | None = None

    def explain(self) -> Explanation:
        import attention_zoo as az

        return az.explain(**self._asdict())


class _Source:
    """A preset or a .keras file, with its data."""

    def __init__(self, model: str):
        from attention_zoo.presets.folder import find, read_card

        self.card: Card | None = None
        if model.endswith(".keras"):
            self.path = Path(model)
            if not self.path.is_file():
                raise FileNotFoundError(f"There is no file {model}.")
            self.name = self.path.stem
        else:
            self.path = find(model)
            self.card = read_card(self.path)
            self.name = self.path.resolve().name

    def open(self, data: Path | None, target: str | None, samples: int) -> _Inputs:
        """Return the model with the data of the file, or with samples of the task of the preset."""
        recipe = (self.card.recipe if self.card else None) or {}
        if data is None and not recipe.get("task"):
            raise ValueError(f"{self.name} comes with no data: give --data FILE (.npz or .csv).")
        if data is not None and not data.exists():
            # Checked before Keras is imported and the model is read
            raise FileNotFoundError(f"There is no file {data}.")
        import attention_zoo as az
        from attention_zoo import training
        from attention_zoo.data.alignment import as_codes, in_order, padding_of
        from attention_zoo.data.padding import pad
        from attention_zoo.models.classes import class_labels, class_names

        network = az.load(self.path)
        if data is None:
            task = az.tasks.get(recipe["task"], **recipe["task_config"])
            drawn = training.from_task(task, samples, 0, "test")
            return _Inputs(network, drawn.x, drawn.y, drawn.relevance)
        x, y, mask, names = training.read_arrays(data, target=target)
        card = self.card
        known, kind, classes = (card.names, card.kind, card.classes) if card else (None,) * 3
        if target is None and names and [len(names) - 1] == list(network.input_shape[1:2]):
            others = [each for each in names if known and each not in known] or names[-1:]
            raise ValueError(
                f"{data} has one column more than {self.name} takes. Name the one that is to be "
                f"predicted: --target {others[0]}"
            )
        if mask is not None:
            x, marked = pad(x, mask)
            hidden = np.all(x == marked, axis=-1, keepdims=True)
            x = np.where(hidden, np.float32(padding_of(network, self.name)), x)
        x, names = in_order(x, names, known, self.name)
        if y is not None:
            y = as_codes(y, classes, kind, self.name, network.outputs[0].shape[-1])
            y = class_labels(y, class_names(network))
        if x.ndim == 2 and len(network.input_shape) == 3:
            return _Inputs(network, x[..., None], y, step_names=names)
        return _Inputs(network, x, y, feature_names=names)


def _print_bars(name: str, layer: LayerScores) -> None:
    """Print the mean attention of each index, or of the largest where there are many."""
    mean, expected, names = layer.profile().mean(0), layer.expected, layer.index_names
    out.print(f"{name}: mean attention over {len(layer.scores)} samples\n")
    # Relevance that is about the same everywhere marks nothing
    marked = np.zeros(len(mean)) if expected is None else expected > 2 * expected.mean()
    shown = list(range(len(mean)))
    if len(mean) > _MOST_ROWS:
        shown = sorted(sorted(shown, key=lambda i: -mean[i])[:_MOST_ROWS])
        out.print(f"(the {_MOST_ROWS} largest of {len(mean)} indices)")
    longest = max(mean.max(), 1e-12)
    labels = [str(names[i]) if names else str(i) for i in range(len(mean))]
    width = min(24, max(len(label) for label in labels))
    for i in shown:
        bar = "█" * round(_BAR * mean[i] / longest)
        mark = "  <- relevant" if marked[i] else ""
        out.print(f"{labels[i][:width]:>{width}} {mean[i]:6.3f} {bar}{mark}")
