"""`attention-zoo explain`: where a model looks, in the terminal and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from attention_zoo.cli.console import out
from attention_zoo.core import checks, files

_BAR = 40
_MOST_ROWS = 60


def explain(
    model: Annotated[str, typer.Argument(help="A preset's name or folder, or a .keras file.")],
    data: Annotated[Path | None, typer.Option(help="Your own .npz (array x) or .csv.")] = None,
    target: Annotated[str | None, typer.Option(help="The .csv's column that is no input.")] = None,
    out_: Annotated[Path | None, typer.Option("--out", help="The picture to write.")] = None,
    layer: Annotated[str | None, typer.Option(help="An attention layer by name.")] = None,
    samples: Annotated[int, typer.Option(help="How many samples of the preset's task.")] = 1000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture.")] = False,
) -> None:
    """Print the mean attention per index, with the planted index marked, and write a picture."""
    checks.positive_int("samples", samples)
    source = _Source(model)
    picture = out_ or Path(f"{source.name}.png")
    files.refuse_existing(picture, overwrite=overwrite)
    explanation, names = source.explain(data, target, samples)
    profile, expected = explanation.profile(layer), explanation.expected(layer)
    mean = profile.mean(0)
    out.print(f"{source.name}: mean attention over {len(profile)} samples\n")
    _bars(mean, expected, names)
    title = f"{source.name}: attention per index"
    figure = explanation.plot(layer, names=names, title=title)
    with files.new_file(picture, overwrite=overwrite) as scratch:
        figure.savefig(scratch, dpi=150)
    out.print(f"\nPicture: {picture}")


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

    def explain(self, data: Path | None, target: str | None, samples: int) -> Any:
        """The explanation of the model on the data, and the names of the indices."""
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
            return az.explain(network, drawn.x, truth=drawn.relevance), None
        x, _, mask, names = training.read_arrays(data, target=target)
        if mask is not None:
            x[~mask.astype(bool)] = PADDING
        if x.ndim == 2 and len(network.input_shape) == 3:
            x = x[..., None]
        return az.explain(network, x), names


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
