"""From the figures of the samples to a row of the page: its interval, verdict and sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attention_zoo.metrics.bootstrap import bootstrap_interval
from attention_zoo.trusting.claims import Finding
from attention_zoo.trusting.page import AGAINST, FOR, NOT_MEASURED, UNDECIDED, TrustRow
from attention_zoo.trusting.questions import QUESTIONS

#: What a figure is compared with: its control, or a margin that the control gives.
REFERENCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the control": lambda control: control,
    "a quarter of the answer": lambda control: np.full(control.shape, 0.25),
    "a tenth of the control": lambda control: control / 10,
    "half of the control": lambda control: control / 2,
    "two thirds of the control": lambda control: control / 1.5,
    "one and a half times the control": lambda control: 1.5 * control,
    "half way from the control to 1": lambda control: (1 + control) / 2,
}

#: Of fewer samples an interval tells nothing.
FEWEST = 10


def compared(
    question: str,
    name: str,
    values: Any,
    controls: Any,
    against: str,
    *,
    reference: str = "the control",
    blocked: str = "",
    seed: int = 0,
) -> Finding:
    """The row of one measure.

    Args:
        question: its key in `QUESTIONS`.
        name: of the measure.
        values, controls: figures of the samples, `(samples,)` each, NaN where there is none.
        against: what the control is.
        reference: which of `REFERENCES` decides.
        blocked: why the figures decide nothing, whatever they are.
        seed: of the bootstrap.

    Returns:
        Its verdict is "for" or "against" only where the 95 % bootstrap interval of the mean
        difference of values and reference, sample by sample, excludes zero.
    """
    values, controls = np.asarray(values, "float64"), np.asarray(controls, "float64")
    known = ~(np.isnan(values) | np.isnan(controls))
    values, controls = values[known], controls[known]
    if not len(values):
        return not_measured(question, name, "no sample has such a figure")
    figures = float(values.mean()), float(controls.mean())
    low = high = None
    if len(values) >= FEWEST:
        low, high = bootstrap_interval(values - REFERENCES[reference](controls), seed=seed)
    verdict = _verdict(low, high, QUESTIONS[question].more)
    if blocked:
        return told(question, name, *figures, against, UNDECIDED, blocked, reference, low, high)
    if verdict != UNDECIDED:
        return told(question, name, *figures, against, verdict, "", reference, low, high)
    if low is None:
        sentence = f"{len(values)} samples are too few for an interval: {FEWEST} are the least."
    elif low == high:
        sentence = f"It equals {reference} on all {len(values)} samples."
    else:
        sentence = (
            f"On {len(values)} samples this could not be told apart from {reference}: more "
            "samples may decide."
        )
    return told(question, name, *figures, against, UNDECIDED, sentence, reference, low, high)


def told(
    question: str, name: str, value: float, control: float, against: str, verdict: str,
    sentence: str = "", reference: str = "the control", low: float | None = None,
    high: float | None = None,
) -> Finding:  # fmt: skip
    """The row of a verdict, with the sentence of the question for it or another one that claims
    nothing."""
    asked = QUESTIONS[question]
    said = None if sentence else asked.for_ if verdict == FOR else asked.against
    row = TrustRow(
        name, value, control, against, said.sentence if said else sentence, asked.source,
        asked.asks, reference, low, high, verdict,
    )  # fmt: skip
    return Finding(row, said, list(QUESTIONS).index(question))


def not_measured(question: str, name: str, reason: str) -> Finding:
    """The row of what could not be measured."""
    asked = QUESTIONS[question]
    row = TrustRow(
        name, None, None, "", f"Not measured: {reason.rstrip('.')}.", asked.source, asked.asks,
        verdict=NOT_MEASURED,
    )  # fmt: skip
    return Finding(row)


def _verdict(low: float | None, high: float | None, more: bool) -> str:
    if low is None or high is None or low <= 0 <= high:
        return UNDECIDED
    return FOR if (low > 0) == more else AGAINST
