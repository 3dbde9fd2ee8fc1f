"""Attention during training, as a GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from attention_zoo.core import checks, files
from attention_zoo.explaining.compute import explain

#: More frames would take memory, and time to look at.
_FRAMES = 200


class TrainingAnimation(keras.callbacks.Callback):
    """A Keras callback that writes the mean attention per index after each epoch as a GIF.

    It calls `explain` and leaves the training as it is: the same weights, the same losses.

    Args:
        path: the `.gif` to write when training ends, of at most 200 frames. After Ctrl-C, which
            ends `fit` without calling its callbacks, call `write()`.
        x: some samples, as for `explain`.
        truth: 1 on the relevant inputs, if they are known.
        layer: the name of an attention layer; by default the first.
        every: the number of epochs between two frames. The first frame precedes the training.
        frames_per_second: the speed of the animation.
        overwrite: replace an existing file.

    Raises:
        FileExistsError: on construction, if the file exists and `overwrite` is False.
        ValueError: for another ending than .gif, or numbers that are not positive.

    Example:

    >>> import keras
    >>> x, y, relevance = az.tasks.get("planted_step").sample(50)
    >>> model = az.build("gru", input_shape=(20, 2), units=2, attention="temporal", outputs=1)
    >>> model.compile("adam", "mse")
    >>> animation = az.TrainingAnimation("attention.gif", x, truth=relevance)
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[animation])
    >>> len(animation.profiles)
    3
    """

    def __init__(
        self,
        path: str | Path,
        x: Any,
        *,
        truth: Any = None,
        layer: str | None = None,
        every: int = 1,
        frames_per_second: int = 5,
        overwrite: bool = False,
    ):
        super().__init__()
        checks.positive_int("every", every)
        checks.positive_int("frames_per_second", frames_per_second)
        self.path = files.local_path("path", path)
        if self.path.suffix.lower() != ".gif":
            raise ValueError(f"`path` must end in .gif. Received: {path}")
        files.refuse_existing(self.path, overwrite=overwrite)
        self.x, self.truth, self.layer = x, truth, layer
        self.every, self.frames_per_second = every, frames_per_second
        self.overwrite = overwrite
        #: The mean attention per index of each frame, and its number of epochs.
        self.profiles: list[np.ndarray] = []
        self.epochs: list[int] = []
        self._expected: np.ndarray | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.profiles, self.epochs = [], []
        self._add_frame(0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.every == 0:
            self._add_frame(epoch + 1)

    def on_train_end(self, logs: Any = None) -> None:
        self.write()

    def _add_frame(self, epochs: int) -> None:
        layer = explain(self.model, self.x, truth=self.truth).layer(self.layer)
        self.profiles.append(layer.profile().mean(0))
        self.epochs.append(epochs)
        self._expected = layer.expected

    def write(self) -> Path:
        """Write the frames so far and return the path. `fit` calls it when it ends."""
        from matplotlib.animation import FuncAnimation, PillowWriter
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from attention_zoo.plots import style

        count = len(self.profiles[0])
        figure = style.new_figure(min(12, max(5, 0.3 * count)), 3.2)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        if self._expected is not None and self._expected.any():
            shown = self._expected / self._expected.max() * 1.02
            axes.bar(range(count), shown, width=1.0, color=style.ORANGE, alpha=0.35)
        bars = axes.bar(range(count), self.profiles[0], width=0.75, color=style.BLUE)
        most = max(float(profile.max()) for profile in self.profiles)
        axes.set_ylim(0, min(1.02, max(0.05, 1.15 * most)))
        style.label(axes, "x", count, title="index")
        axes.set_ylabel("attention")
        style.plain(axes)

        def draw(frame: int) -> Any:
            for bar, height in zip(bars, self.profiles[frame], strict=True):
                bar.set_height(height)
            axes.set_title(f"epoch {self.epochs[frame]}", fontsize=10, loc="left")
            return bars

        shown_frames = np.unique(np.linspace(0, len(self.profiles) - 1, _FRAMES).astype(int))
        moving = FuncAnimation(figure, draw, frames=shown_frames.tolist())
        with files.new_file(self.path, overwrite=self.overwrite) as scratch:
            moving.save(scratch, writer=PillowWriter(fps=self.frames_per_second), dpi=80)
        return self.path
