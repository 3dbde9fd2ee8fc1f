"""`attention-zoo explain`: where a model looks, as a picture, and how far that can be believed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from attention_zoo.cli.cards import retrained_uniform
from attention_zoo.cli.console import out
from attention_zoo.cli.progress import steps
from attention_zoo.core import checks, files

_BAR = 40
_MOST_ROWS = 60


def explain(
    model: Annotated[str, typer.Argument(help="A preset's name or folder, or a .keras file.")],
    data: Annotated[Path | None, typer.Option(help="Your own .npz (arrays x, y) or .csv.")] = None,
    target: Annotated[str | None, typer.Option(help="The .csv's column that is no input.")] = None,
    out_: Annotated[Path | None, typer.Option("--out", help="The picture to write.")] = None,
    layer: Annotated[str | None, typer.Option(help="An attention layer by name.")] = None,
    samples: Annotated[int, typer.Option(help="How many samples of the preset's task.")] = 1000,
    trust: Annotated[
        bool, typer.Option("--trust", help="Print how far the attention can be believed instead.")
    ] = False,
    trust_out: Annotated[
        Path | None, typer.Option(help="Write what --trust prints to a .json.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Print the mean attention per index, with the planted index marked, and write a picture; or,
    with --trust, measure how far the attention can be believed."""
    checks.positive_int("samples", samples)
    source = _Source(model)
    if trust or trust_out is not None:
        _trust(source, data, target, layer, samples, trust_out, overwrite)
        return
    picture = out_ or Path(f"{source.name}.png")
    files.refuse_existing(picture, overwrite=overwrite)
    given = source.open(data, target, samples)
    explanation = given.explain()
    profile, expected = explanation.profile(layer), explanation.expected(layer)
    mean = profile.mean(0)
    out.print(f"{source.name}: mean attention over {len(profile)} samples\n")
    _bars(mean, expected, given.names)
    title = f"{source.name}: attention per index"
    figure = explanation.plot(layer, names=given.names, title=title)
    with files.new_file(picture, overwrite=overwrite) as scratch:
        figure.savefig(scratch, dpi=150)
    out.print(f"\nPicture: {picture}")


def _trust(
    source: _Source,
    data: Path | None,
    target: str | None,
    layer: str | None,
    samples: int,
    path: Path | None,
    overwrite: bool,
) -> None:
    """Print the page of trust, and write it where a path is given."""
    if path is not None:
        files.refuse_existing(path, overwrite=overwrite)
        if path.suffix != ".json":
            raise ValueError(f"--trust-out must end in .json. Received: {path}")
    given = source.open(data, target, samples)
    import attention_zoo as az

    with steps("measuring") as progress:
        page = az.trust(
            given.model, given.x, given.y, truth=given.truth, layer=layer,
            retrained_uniform=retrained_uniform(source.card), progress=progress,
        )  # fmt: skip
    page = dataclasses.replace(page, model=source.name)
    out.print(page.as_text(min(out.width, 100)))
    if path is not None:
        with files.new_file(path, overwrite=overwrite) as scratch:
            scratch.write_text(json.dumps(page.to_dict(), indent=1) + "\n", encoding="utf-8")
        out.print(f"\nFigures: {path}")


class _Given(NamedTuple):
    """A model and data for it; None for what is not known."""

    model: Any
    x: Any
    y: Any = None
    truth: Any = None
    names: list[str] | None = None

    def explain(self) -> Any:
        import attention_zoo as az

        return az.explain(self.model, self.x, truth=self.truth)


class _Source:
    """A preset or a file with a model, and the data that comes with it."""

    def __init__(self, model: str):
        from attention_zoo.presets.folder import find, read_card

        self.card: Any = None
        if model.endswith(".keras"):
            self.path = Path(model)
            if not self.path.is_file():
                raise FileNotFoundError(f"There is no file {model}.")
            self.name = self.path.stem
        else:
            self.path = find(model)
            self.card = read_card(self.path)
            self.name = self.path.resolve().name

    def open(self, data: Path | None, target: str | None, samples: int) -> _Given:
        """The model, with the data of the file or a draw of the preset's task."""
        if data is None and not (self.card and (self.card.recipe or {}).get("task")):
            raise ValueError(f"{self.name} comes with no data: give --data FILE (.npz or .csv).")
        import attention_zoo as az
        from attention_zoo import training
        from attention_zoo.training.data import PADDING

        network = az.load(self.path)
        if data is None:
            recipe = self.card.recipe
            task = az.tasks.get(recipe["task"], **recipe["task_config"])
            drawn = training.from_task(task, samples, 0, "test")
            return _Given(network, drawn.x, drawn.y, drawn.relevance)
        x, y, mask, names = training.read_arrays(data, target=target)
        if mask is not None:
            x[~mask.astype(bool)] = PADDING
        if x.ndim == 2 and len(network.input_shape) == 3:
            x = x[..., None]
        return _Given(network, x, self._codes(y), None, names)

    def _codes(self, y: Any) -> Any:
        """Labels as the numbers of the model's classes, where the preset says what these are."""
        import numpy as np

        classes = self.card.classes if self.card else None
        if y is None or (not classes and y.dtype.kind in "fiub"):
            return y
        # Without a card, text is taken to be numbered in its order, as our training does
        classes = classes or sorted(set(y.ravel().tolist()))
        unknown = sorted(set(y.ravel().tolist()) - set(classes))
        if unknown:
            raise ValueError(
                f"The target has the class {unknown[0]!r}, which {self.name} does not know. "
                f"Its classes: {classes}"
            )
        order = {label: number for number, label in enumerate(classes)}
        return np.array([order[label] for label in y.ravel().tolist()])


def _bars(mean: Any, expected: Any, names: Any) -> None:
    """One line an index, or one for each of the largest where there are many."""
    shown = list(range(len(mean)))
    if len(mean) > _MOST_ROWS:
        shown = sorted(sorted(shown, key=lambda i: -mean[i])[:_MOST_ROWS])
        out.print(f"(the {_MOST_ROWS} largest of {len(mean)} indices)")
    longest = max(mean.max(), 1e-12)
    labels = [str(names[i]) if names else str(i) for i in range(len(mean))]
    width = min(24, max(len(label) for label in labels))
    for i in shown:
        bar = "█" * round(_BAR * mean[i] / longest)
        mark = "  <- the answer is here" if expected is not None and _planted(expected, i) else ""
        out.print(f"{labels[i][:width]:>{width}} {mean[i]:6.3f} {bar}{mark}")


def _planted(expected: Any, index: int) -> bool:
    # An answer that may be anywhere marks nothing
    return expected[index] > 0 and expected[index] > 2 * expected.mean()
