"""What a row of the page of trust claims, and how rows that contradict each other are settled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attention_zoo.trusting.page import TrustRow

#: What can be claimed of a model, and of its opposite.
PROPOSITIONS: dict[str, tuple[str, str]] = {
    "needs scores": (
        "the answer needs these scores",
        "the answer does not need these scores",
    ),
    "needs places": (
        "the answer depends on where the scores fall",
        "the answer does not depend on where the scores fall",
    ),
    "no others": (
        "no other scores give the same answer",
        "other scores give the same answer",
    ),
    "carry": (
        "the attended inputs carry the answer",
        "the attended inputs do not carry the answer",
    ),
    "enough": (
        "the attended inputs are enough for the answer",
        "the attended inputs are not enough for the answer",
    ),
    "needed": (
        "the answer needs the attended inputs",
        "the answer does not need the attended inputs",
    ),
    "ranked": (
        "attention ranks the inputs by what the answer loses without them",
        "attention does not rank the inputs by what the answer loses without them",
    ),
    "located": (
        "attention lies where the answer is",
        "attention does not lie where the answer is",
    ),
}

#: The second is true where the first is: a model that answers the same with uniform scores does
#: not depend on where they fall, and inputs that carry no answer are neither needed nor enough.
IMPLIED: tuple[tuple[str, str], ...] = (
    ("no others", "needs places"),
    ("needs places", "needs scores"),
    ("enough", "carry"),
    ("needed", "carry"),
    ("ranked", "carry"),
)


class Said(NamedTuple):
    """What is said where a row has one verdict: what was found, what follows from it, what does
    not, and what the row claims by that."""

    finding: str
    conclusion: str = ""
    limits: str = ""
    claims: Mapping[str, bool] = {}

    @property
    def sentence(self) -> str:
        """All of it."""
        found = f"{self.finding}: {self.conclusion}." if self.conclusion else f"{self.finding}."
        return f"{found} {self.limits}".rstrip()


class Finding(NamedTuple):
    """A row of the page with what its sentence says; None where it claims nothing. The lower its
    rank, the more its claims count."""

    row: TrustRow
    said: Said | None = None
    rank: int = 0


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
    """The rows in their order, no two of which contradict each other.

    Of two that do, the one of higher rank number is withdrawn: it keeps its figures, and its
    sentence what was found, but it concludes nothing and its verdict is "undecided".
    """
    #: What holds, and the row and the claim of that row by which it does.
    known: dict[str, tuple[bool, str, str]] = {}
    rows = [finding.row for finding in findings]
    order = sorted(range(len(findings)), key=lambda number: findings[number].rank)
    for number in order:
        row, said, _ = findings[number]
        if said is None:
            continue
        follows = implications(said.claims)
        against = [
            name for name in follows if known.get(name, (follows[name],))[0] != follows[name]
        ]
        if against:
            _, stronger, claim = known[against[0]]
            sentence = f'{said.finding}. This decides nothing here: by "{stronger}", {claim}.'
            rows[number] = dataclasses.replace(row, verdict="undecided", sentence=sentence)
            continue
        claimed = [PROPOSITIONS[name][not truth] for name, truth in said.claims.items()]
        for name, truth in follows.items():
            known.setdefault(name, (truth, row.name, claimed[0]))
    return tuple(rows)
