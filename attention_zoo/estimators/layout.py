"""How an estimator's inputs become what its model takes."""

from __future__ import annotations

import dataclasses

import numpy as np

from attention_zoo.data.padding import pad
from attention_zoo.estimators.inputs import Inputs


@dataclasses.dataclass(frozen=True)
class Layout:
    """The inputs of `fit`, and the architecture for them.

    Attributes:
        architecture: the name of a factory.
        series: whether the inputs are series; else they are tables.
        any_length: whether series of any length are taken, since `fit` got a list of them.
        steps: of the longest series in `fit`.
        mask_value: marks the padding steps of series in an array, or None.
    """

    architecture: str
    series: bool
    any_length: bool
    steps: int
    mask_value: float | None

    @property
    def rows_are_series(self) -> bool:
        """Whether the rows of a table are read as series of one feature."""
        return not self.series and self.architecture != "dense"

    def arrange(self, inputs: Inputs) -> tuple[np.ndarray, float | None]:
        """The array for the model, and the value that marks its padding.

        Raises:
            ValueError: for inputs of another kind, or series of another length.
        """
        x, mask = inputs
        if (x.ndim == 3) != self.series:
            was, now = ("series", "a table") if self.series else ("a table", "series")
            raise ValueError(f"`X` was {was} in fit. Received: {now}, of shape {x.shape}")
        if not self.series:
            return (x[..., None] if self.rows_are_series else x), self.mask_value
        if not self.any_length:
            lengths = {x.shape[1]} if mask is None else set(mask.sum(1).tolist())
            if lengths != {self.steps}:
                raise ValueError(
                    f"`X` must be series of {self.steps} steps, as in fit. Received: "
                    f"{min(lengths)} to {max(lengths)} steps. A model that was fitted to a list "
                    "of series takes any length."
                )
            return x, self.mask_value
        if mask is None:
            mask = np.ones(x.shape[:2], bool)
        missing = max(0, self.steps - x.shape[1])  # a model of one shape is compiled once
        return pad(np.pad(x, ((0, 0), (0, missing), (0, 0))), np.pad(mask, ((0, 0), (0, missing))))


def layout_of(architecture: str, inputs: Inputs, mask_value: float | None) -> Layout:
    """The layout of the inputs of `fit`; ValueError if the architecture does not take them."""
    x, mask = inputs
    series = x.ndim == 3
    if series and architecture == "dense":
        raise ValueError(
            "`architecture` must be one for series, such as 'gru', or 'auto', since X is series. "
            "Received: architecture='dense', which is for tables"
        )
    if mask_value is not None and mask is not None:
        raise ValueError(
            "`mask_value` marks padding in an array; a list of series needs none. "
            f"Received: mask_value={mask_value!r}"
        )
    if mask_value is not None and architecture == "dense":
        raise ValueError(
            "`mask_value` marks the padding steps of series, and 'dense' reads a table. "
            f"Received: mask_value={mask_value!r}"
        )
    return Layout(architecture, series, mask is not None, x.shape[1], mask_value)
