"""From measured values to verdicts, and from rows to a page without contradictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from attention_zoo.metrics.bootstrap import bootstrap_interval
from attention_zoo.trusting.page import AGAINST, FOR, NOT_MEASURED, UNDECIDED, TrustRow

#: What a value is compared with: its control, or a margin that follows from the control.
REFERENCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the control": lambda control: control,
    "0.25": lambda control: np.full(control.shape, 0.25),
    "a tenth of the control": lambda control: control / 10,
    "half the control": lambda control: control / 2,
    "two thirds of the control": lambda control: control / 1.5,
    "1.5 times the control": lambda control: 1.5 * control,
    "the midpoint of the control and 1": lambda control: (1 + control) / 2,
}

#: With fewer samples there is no interval.
FEWEST = 10

#: The first claim implies the second: predictions that stay the same with uniform scores do not
#: depend on positions, and inputs that carry no prediction are neither needed nor enough.
IMPLIED: tuple[tuple[str, str], ...] = (
    ("no others", "needs positions"),
    ("needs positions", "needs scores"),
    ("enough", "carry"),
    ("needed", "carry"),
    ("ranked", "carry"),
)


class Words(NamedTuple):
    """What a row says for one verdict: what was found, what follows, what does not, and which
    claims on the model it makes (True) or denies (False)."""

    finding: str
    conclusion: str = ""
    limits: str = ""
    claims: Mapping[str, bool] = {}

    @property
    def sentence(self) -> str:
        """The whole text of the row."""
        found = f"{self.finding}: {self.conclusion}." if self.conclusion else f"{self.finding}."
        return f"{found} {self.limits}".rstrip()


class Measured(NamedTuple):
    """What a measure found.

    Attributes:
        values, controls: one value per sample, `(samples,)` each; NaN where there is none.
        inconclusive: why the values decide nothing; empty if they may decide.
        verdict: the verdict on single values, which have no interval.
        changes: the fields of the test that differ for this model, such as its name.
    """

    values: Any
    controls: Any
    inconclusive: str = ""
    verdict: str = ""
    changes: Mapping[str, Any] = {}


class TrustTest(NamedTuple):
    """One row of the table of tests.

    Attributes:
        question: what the test asks.
        measure: `measure(subject) -> Measured`; a ValueError says why it cannot be measured.
        control: what the value is compared with.
        supports: what the row says where the test speaks for the attention.
        contradicts: what it says where the test speaks against it.
        name: the name of the row.
        source: the paper that proposed the measure.
        reference: the entry of `REFERENCES` that decides.
        larger: whether a value above the reference speaks for the attention.
        needs: the attribute of the subject without which the row is left out.
    """

    question: str
    measure: Callable[[Any], Measured]
    control: str
    supports: Words
    contradicts: Words
    name: str
    source: str
    reference: str = "the control"
    larger: bool = True
    needs: str = ""


class Finding(NamedTuple):
    """A row and the words that it uses; None where it claims nothing."""

    row: TrustRow
    words: Words | None = None


def interval(
    values: Any, controls: Any, reference: str = "the control", seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % bootstrap interval of values - reference, without NaN; None for too few samples."""
    values, controls = np.asarray(values, "float64"), np.asarray(controls, "float64")
    known = ~(np.isnan(values) | np.isnan(controls))
    if known.sum() < FEWEST:
        return None
    return bootstrap_interval(values[known] - REFERENCES[reference](controls[known]), seed=seed)


def decide(test: TrustTest, measured: Measured, seed: int = 0) -> Finding:
    """The row of a test: only an interval without zero is "for" or "against"."""
    test = test._replace(**measured.changes)
    values, controls = (np.asarray(v, "float64") for v in measured[:2])
    known = ~(np.isnan(values) | np.isnan(controls))
    count = int(known.sum())
    if not count:
        return not_measured(test, "no sample has such a value")
    low, high = interval(values, controls, test.reference, seed) or (None, None)
    verdict, sentence = measured.verdict or UNDECIDED, measured.inconclusive
    if sentence or measured.verdict:
        pass
    elif low is None or high is None:
        sentence = f"{count} samples are too few for an interval, which takes {FEWEST}."
    elif low == high == 0:
        sentence = f"The value equals {test.reference} on all {count} samples."
    elif low <= 0 <= high:
        sentence = (
            f"On {count} samples the difference from {test.reference} may be chance. More samples "
            "may decide."
        )
    else:
        verdict = FOR if (low > 0) == test.larger else AGAINST
    words = None if sentence else test.supports if verdict == FOR else test.contradicts
    row = TrustRow(
        test.name,
        float(values[known].mean()),
        float(controls[known].mean()),
        test.control,
        words.sentence if words else sentence,
        test.source,
        test.question,
        test.reference,
        low,
        high,
        verdict,
    )
    return Finding(row, words)


def not_measured(test: TrustTest, reason: str) -> Finding:
    """The row of a test that this model or these data do not allow."""
    sentence = f"Not measured: {reason.rstrip('.')}."
    return Finding(
        TrustRow(
            test.name, None, None, "", sentence, test.source, test.question, verdict=NOT_MEASURED
        )
    )


def implications(claims: Mapping[str, bool]) -> dict[str, bool]:
    """The claims with all that follows from them."""
    known = dict(claims)
    # Twice, since one implication leads to another
    for _ in range(2):
        for first, second in IMPLIED:
            if known.get(first) is True:
                known.setdefault(second, True)
            if known.get(second) is False:
                known.setdefault(first, False)
    return known


def consistent(findings: Sequence[Finding]) -> tuple[TrustRow, ...]:
    """The rows of findings, the strongest first, none of which contradicts another.

    Of two that do, the later one keeps its values and what it found, concludes nothing and is
    "undecided".
    """
    #: What holds, the row that shows it, and the conclusion of that row.
    known: dict[str, tuple[bool, str, str]] = {}
    rows = []
    for row, words in findings:
        follows = implications(words.claims) if words else {}
        against = [
            name for name in follows if known.get(name, (follows[name],))[0] != follows[name]
        ]
        if words and against:
            _, stronger, conclusion = known[against[0]]
            sentence = f'{words.finding}. The row "{stronger}" outweighs this: {conclusion}.'
            row = dataclasses.replace(row, verdict=UNDECIDED, sentence=sentence)
        elif words:
            for claim, holds in follows.items():
                known.setdefault(claim, (holds, row.name, words.conclusion or words.finding))
        rows.append(row)
    return tuple(rows)
