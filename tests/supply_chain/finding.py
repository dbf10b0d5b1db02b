"""The result of a check."""

from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """The exit status of a check. 2 is that of a wrong command line."""

    CLEAN = 0
    FOUND = 1
    UNCHECKED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: what was checked.
        lines: one for each thing that somebody has to look at.
    """

    subject: str
    verdict: Verdict
    lines: tuple[str, ...] = ()


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the worst verdict: FOUND before UNCHECKED before CLEAN."""
    order = (Verdict.FOUND, Verdict.UNCHECKED, Verdict.CLEAN)
    return min(verdicts, key=order.index)
