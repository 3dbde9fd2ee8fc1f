"""The page that says how far the attention of a model can be believed."""

from __future__ import annotations

import dataclasses
import html
import textwrap
from collections.abc import Iterator
from typing import Any

from attention_zoo.core.optional import require

#: What a row says of the attention. "undecided": the difference from the control may be chance, or
#: a stronger row says otherwise.
FOR, AGAINST, UNDECIDED, NOT_MEASURED = "for", "against", "undecided", "not measured"

#: What stands below every page.
CLOSING = (
    "No single row decides. Attention can be believed as far as several of them, each beside its "
    "control, agree. Of twenty 95 % intervals about one is wrong by chance."
)


@dataclasses.dataclass(frozen=True)
class TrustRow:
    """One figure of the page.

    Attributes:
        name: what was measured.
        value: the figure; None where it could not be measured, which the sentence explains.
        control: what it is to be compared with; None where there is nothing.
        against: what the control is.
        sentence: what the two show, and what they do not.
        source: who proposed the measure.
        question: what is asked by it.
        reference: what the value is compared with: the control, or a margin that it gives.
        low, high: the 95 % bootstrap interval of value - reference, over the samples; None where
            there is none. Only an interval without zero decides.
        verdict: `"for"` or `"against"` the attention, `"undecided"` or `"not measured"`.
    """

    name: str
    value: float | None
    control: float | None
    against: str
    sentence: str
    source: str
    question: str = ""
    reference: str = "the control"
    low: float | None = None
    high: float | None = None
    verdict: str = NOT_MEASURED

    @property
    def interval(self) -> str:
        """The interval in words; nothing where there is none."""
        if self.low is None or self.high is None:
            return ""
        less = "difference" if self.reference == "the control" else f"less {self.reference}"
        return f"{less}: {number(self.low)} to {number(self.high)}"


@dataclasses.dataclass(frozen=True, repr=False)
class Trust:
    """How far the attention of a model can be believed: figures, each with its control.

    Print it, look at it in a notebook, or take it as a table or as JSON.

    Attributes:
        model: the model's name.
        layer: the attention layer's.
        samples: on how many samples it was measured.
        rows: the figures; `for row in trust` goes through them.
        output: the output that it is about, of a model with several.
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
        """The row of that name; KeyError if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} is none of {[row.name for row in self.rows]}")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        return {**dataclasses.asdict(self), "rows": [dataclasses.asdict(r) for r in self.rows]}

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame; ImportError without pandas, the extra `frames`."""
        pandas = require("pandas", extra="frames")
        names = [field.name for field in dataclasses.fields(TrustRow)]
        return pandas.DataFrame([dataclasses.asdict(row) for row in self.rows], columns=names)

    @property
    def title(self) -> str:
        """What the page is about."""
        output = "" if self.output is None else f"output {self.output}, "
        return (
            f"Can the attention of {self.model} be believed? Layer {self.layer}, {output}"
            f"{self.samples} samples"
        )

    def as_text(self, width: int = 88) -> str:
        """The page in lines of at most so many characters, but for long names."""
        width = max(40, width)
        lines = textwrap.wrap(self.title, width)
        for row in self.rows:
            figures = "" if row.value is None else f"  {number(row.value)}"
            if row.control is not None:
                figures += f"  ({_beside(row)})"
            lines += ["", *textwrap.wrap(row.name + figures, width)]
            lines += textwrap.wrap(
                _said(row), width, initial_indent="    ",
                subsequent_indent="    ",
            )  # fmt: skip
        return "\n".join([*lines, "", *textwrap.wrap(CLOSING, width)])

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return f"<Trust in {self.layer} of {self.model}: {len(self.rows)} figures>"

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        head = "".join(f"<th>{cell}</th>" for cell in ("", "value", "control", "what it shows"))
        body = "".join(f"<tr>{_html_cells(row)}</tr>" for row in self.rows)
        return (
            f"<table><caption>{html.escape(self.title)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><p>{html.escape(CLOSING)}</p>"
        )


def number(value: float | None) -> str:
    """A figure with three digits that mean something; nothing for None."""
    if value is None:
        return ""
    if 1e-6 < abs(value) < 0.0995:
        return f"{value:.3g}"
    return f"{value if abs(value) > 1e-6 else 0.0:.3f}"


def _beside(row: TrustRow) -> str:
    """The control, and the interval if there is one."""
    control = f"{row.against}: {number(row.control)}"
    return f"{control}; {row.interval}" if row.interval else control


def _said(row: TrustRow) -> str:
    verdict = "" if row.verdict == NOT_MEASURED else f"{row.verdict.capitalize()}. "
    return f"{verdict}{row.sentence}{f' [{row.source}]' if row.source else ''}"


def _html_cells(row: TrustRow) -> str:
    control = "" if row.control is None else _beside(row)
    cells = (row.name, number(row.value), control, _said(row))
    return "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in cells)
