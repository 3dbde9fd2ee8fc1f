"""The page of trust as data, text, table and HTML."""

from __future__ import annotations

import dataclasses
import html
import textwrap
from collections.abc import Iterator
from typing import Any

from attention_zoo.core.optional import require

#: The verdicts on attention.
FOR, AGAINST, UNDECIDED, NOT_MEASURED = "for", "against", "undecided", "not measured"

#: The last lines of every page.
CLOSING = (
    "No single row decides. Trust attention as far as several rows agree, each beside its control. "
    "About one in twenty 95 % intervals is wrong by chance."
)


@dataclasses.dataclass(frozen=True)
class TrustRow:
    """One row of the page: what a test measured and what that shows.

    Attributes:
        name: the measure.
        value: the mean over the samples; None if it could not be measured, as the sentence says.
        control: the same measure of the control, or None.
        control_name: what the control is.
        sentence: what value and control show, and what they do not.
        source: the paper that proposed the measure.
        question: what the test asks.
        reference: what the value is compared with: the control, or a margin that follows from it.
        low, high: the 95 % bootstrap interval of value - reference over the samples, or None.
        verdict: `"for"` or `"against"` the attention, `"undecided"` or `"not measured"`.
    """

    name: str
    value: float | None
    control: float | None
    control_name: str
    sentence: str
    source: str
    question: str = ""
    reference: str = "the control"
    low: float | None = None
    high: float | None = None
    verdict: str = NOT_MEASURED

    @property
    def interval(self) -> str:
        """The interval in words; empty if there is none."""
        if self.low is None or self.high is None:
            return ""
        less = "difference" if self.reference == "the control" else f"minus {self.reference}"
        return f"{less}: {number(self.low)} to {number(self.high)}"


@dataclasses.dataclass(frozen=True, repr=False)
class Trust:
    """What tests of trust found on a model, one row per test.

    `print` shows it, and so does a notebook. `trust[name]` is a row, and `for row in trust` goes
    through all of them.

    Attributes:
        model: the name of the model.
        layer: the name of the attention layer.
        samples: the number of samples.
        rows: the rows, the strongest evidence first.
        output: the name of the output, of a model with several.

    Example:

    >>> from attention_zoo.trusting import TrustRow
    >>> row = TrustRow("pointing game", 0.9, 0.1, "uniform attention", "A sentence.", "a paper")
    >>> page = az.Trust("model", "attention", 100, (row,))
    >>> page["pointing game"].value
    0.9
    """

    model: str
    layer: str
    samples: int
    rows: tuple[TrustRow, ...]
    output: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TrustRow]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> TrustRow:
        """Return the row of that name; KeyError if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} is not a row. Rows: {[row.name for row in self.rows]}")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def to_frame(self) -> Any:
        """Return the rows as a pandas DataFrame with a column for each attribute of `TrustRow`.

        Raises:
            ImportError: without pandas, the extra `frames`.
        """
        return require("pandas", extra="frames").DataFrame(list(self.rows))

    @property
    def title(self) -> str:
        """The heading of the page."""
        output = "" if self.output is None else f"output {self.output}, "
        return (
            f"Can the attention of {self.model} be trusted? Layer {self.layer}, {output}"
            f"{self.samples} samples"
        )

    def cells(self) -> list[tuple[str, ...]]:
        """Return the texts of each row: name, value, control, verdict, sentence, source."""
        return [
            (
                row.name,
                number(row.value),
                ""
                if row.control is None
                else f"{row.control_name}: {number(row.control)}"
                + (f"; {row.interval}" if row.interval else ""),
                "" if row.verdict == NOT_MEASURED else f"{row.verdict.capitalize()}.",
                row.sentence,
                f"[{row.source}]" if row.source else "",
            )
            for row in self.rows
        ]

    def as_text(self, width: int = 88) -> str:
        """Return the page as text.

        Args:
            width: the longest line, at least 40; long names may exceed it.
        """
        width = max(40, width)
        lines = textwrap.wrap(self.title, width)
        for name, value, control, *says in self.cells():
            value = f"  {value}" * bool(value) + f"  ({control})" * bool(control)
            said = " ".join(filter(None, says))
            lines += ["", *textwrap.wrap(name + value, width)]
            lines += textwrap.wrap(said, width, initial_indent="    ", subsequent_indent="    ")
        return "\n".join([*lines, "", *textwrap.wrap(CLOSING, width)])

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return f"<Trust in {self.layer} of {self.model}: {len(self.rows)} rows>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{cell}</th>" for cell in ("", "value", "control", "what it shows"))
        body = ""
        for name, value, control, *says in self.cells():
            cells = (name, value, control, " ".join(filter(None, says)))
            row = (f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in cells)
            body += f"<tr>{''.join(row)}</tr>"
        return (
            f"<table><caption>{html.escape(self.title)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><p>{html.escape(CLOSING)}</p>"
        )


def number(value: float | None) -> str:
    """A value with three significant digits or decimals; empty for None."""
    if value is None:
        return ""
    if 1e-6 < abs(value) < 0.0995:
        return f"{value:.3g}"
    return f"{value if abs(value) > 1e-6 else 0.0:.3f}"
