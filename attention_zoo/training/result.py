"""What a training run gives: the model, its history, its score beside a trivial baseline."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras

from attention_zoo.data.baseline import Baseline
from attention_zoo.data.dataset import Dataset
from attention_zoo.training.recipe import Recipe


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrainingResult:
    """A finished training run.

    A quantity of the user's own is trained on with a mean of 0 and a deviation of 1: so are the
    losses of the history, while the model predicts, and is measured, in its units.

    Attributes:
        model: the trained `keras.Model`.
        history: a `keras.callbacks.History` over all phases, from before an interruption too.
        score: the metrics on the test data, or else the validation data; None without either.
        baseline: the best trivial prediction of the same samples, its name and its score.
        recipe: what was trained, and how.
        path: the preset's folder; None where nothing was written or another process wrote it.
        scored_on: `"test"` or `"validation"`; None without a score.
        held_out: the samples of the score.
    """

    model: keras.Model
    history: keras.callbacks.History
    score: dict[str, float] | None
    baseline: Baseline | None
    recipe: Recipe
    path: Path | None = None
    scored_on: str | None = None
    held_out: Dataset | None = None

    def summary(self) -> str:
        """Say in sentences how the model did, and whether it is worse than the baseline."""
        epochs = len(self.history.epoch)
        begin = f"{self.recipe.architecture}, trained for {epochs} epoch{'s' * (epochs != 1)}."
        if self.score is None or self.baseline is None or self.held_out is None:
            return f"{begin} Not measured: give validation_data, validation_split or test_data."
        lines = [f"{begin} On {len(self.held_out)} {self.scored_on} samples:"]
        for metric, value in self.score.items():
            line = f"  {metric} {value:.4g}"
            if metric in self.baseline.score:
                other = self.baseline.score[metric]
                line += f", {_compared(metric, value, other)} the baseline's {other:.4g}"
            lines.append(line)
        return "\n".join([*lines, f"The baseline is the {self.baseline.name}."])

    __repr__ = summary

    @property
    def worse_than_baseline(self) -> bool | None:
        """Whether a main metric, accuracy or else the squared error, is worse than the baseline's;
        None without a score."""
        if self.score is None or self.baseline is None:
            return None
        shared = [name for name in self.score if name in self.baseline.score]
        main = [name for name in shared if name.endswith("accuracy")]
        main += [name for name in shared if name.endswith("mse")]
        first = [name for name in main if name in ("accuracy", "mse")][:1] or main
        return any(
            _compared(name, self.score[name], self.baseline.score[name]).startswith("worse")
            for name in first
        )


def _compared(metric: str, value: float, other: float) -> str:
    if value == other:
        return "as good as"
    less_is_better = metric.endswith(("mae", "mse", "log_loss", "smape", "mase", "pinball"))
    return "better than" if (value < other) == less_is_better else "worse than"


def keras_history(model: keras.Model, columns: dict[str, list[float]]) -> keras.callbacks.History:
    """Keras's `History` of all epochs."""
    history = keras.callbacks.History()
    history.set_model(model)
    history.history = columns
    history.epoch = list(range(max(map(len, columns.values()), default=0)))
    history.set_params({"epochs": len(history.epoch)})
    return history
