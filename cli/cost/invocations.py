"""Invocations of one kind, and how long one takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from cli.cost.assumptions import Assumptions
from cli.cost.calls import Calls, dds_calls


@dataclass(frozen=True, slots=True)
class Invocation:
    """What comes so often a month.

    Attributes:
        calls: of one of them.
        concurrency: how many calls that change something are made side by side; lists are read page by page.
        waits: seconds for which it waits on purpose.
        shares: calls of DDS made at the same time by others of the same event; they share the calls of a minute.
    """

    times: float
    calls: Calls
    concurrency: int = 1
    waits: float = 0.0
    shares: int = 0

    @property
    def dds_at_once(self) -> int:
        """The calls of DDS that it makes, with those that share the minute."""
        return dds_calls(self.calls) + self.shares

    def seconds(self, timeout: int, assumptions: Assumptions) -> float:
        """Return how long it takes, cold start included; it ends at the timeout."""
        rounds = sum(
            count if ".List" in operation else ceil(count / self.concurrency) for operation, count in self.calls.items()
        )
        working = rounds * assumptions.call_seconds + self.waits
        minutes = self.dds_at_once / assumptions.calls_a_minute
        if minutes > 1:
            working = max(working, 60 * minutes)
        return assumptions.cold_start + min(working, timeout)


def calls_a_month(invocations: Iterable[Invocation]) -> dict[str, float]:
    """Return the calls of a month by operation."""
    month: dict[str, float] = {}
    for invocation in invocations:
        for operation, count in invocation.calls.items():
            if count:
                month[operation] = month.get(operation, 0.0) + count * invocation.times
    return month
