"""What an audit came to."""

from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """As exit statuses: 2 is left to wrong calls."""

    CLEAN = 0
    FOUND = 1
    UNCHECKED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, what came of it, and a line for each thing that somebody has to look at."""

    subject: str
    verdict: Verdict
    lines: tuple[str, ...] = ()


def worst(verdicts: list[Verdict]) -> Verdict:
    """Something found outranks something unchecked, which outranks nothing."""
    order = (Verdict.FOUND, Verdict.UNCHECKED, Verdict.CLEAN)
    return min(verdicts, key=order.index)
