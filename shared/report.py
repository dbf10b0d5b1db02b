"""What every function returns and logs of an event: one status, from what became of each of its parts."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.limits import MAX_ANSWER


LogEvent = tuple[int, str, dict[str, Any]]
"""A log record: level, message, fields."""


class Status(str, Enum):
    """What became of an event, or of a part of it."""

    SUCCEEDED = "SUCCEEDED"
    PARTIALLY_FAILED = "PARTIALLY_FAILED"
    FAILED = "FAILED"


class Item(ABC):
    """What became of one part of an event: an instance, a window, a run, an audit, a rejected message."""

    __slots__ = ()

    @property
    @abstractmethod
    def status(self) -> Status:
        """What became of this part."""

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """Serialize it to JSON types."""

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do here."""
        return False

    @property
    def codes(self) -> Sequence[str]:
        """The stable codes of what went wrong."""
        return ()

    def pending(self) -> Sequence[str]:
        """What a redelivery would do, in words."""
        return ()

    def log_events(self) -> Sequence[LogEvent]:
        """Return the log lines for problems: errors for final ones, warnings for the rest."""
        return ()


def combine_status(statuses: Iterable[Status]) -> Status:
    """SUCCEEDED or FAILED if all are, also SUCCEEDED for none; otherwise PARTIALLY_FAILED."""
    found = set(statuses) or {Status.SUCCEEDED}
    return found.pop() if len(found) == 1 else Status.PARTIALLY_FAILED


@dataclass(frozen=True)
class Report(ABC):
    """The base of the four functions' reports.

    Attributes:
        trigger: the trigger's name; "unknown" for an event of no known trigger.
        rejected: the messages that were rejected.
        ignored: how many messages were notifications of this application itself, or repeated another one.
    """

    trigger: str
    request_id: str
    rejected: Sequence[Item] = ()
    ignored: int = 0

    @property
    @abstractmethod
    def items(self) -> Sequence[Item]:
        """What became of the parts of the event, without the rejected messages."""

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """Serialize the part of the report that is particular to the function."""

    @abstractmethod
    def log_facts(self) -> dict[str, Any]:
        """The counts and verdicts for the log line of the invocation."""

    @abstractmethod
    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
        """What one looks for at 3 a.m., such as ids, in lists of any length for further log lines."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing in the report is still under way."""
        return False

    @property
    def status(self) -> Status:
        """The status of the whole event."""
        return combine_status(item.status for item in (*self.items, *self.rejected))

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do."""
        return any(item.unfinished for item in (*self.items, *self.rejected))

    @property
    def codes(self) -> list[str]:
        """The stable codes of everything that went wrong."""
        return [code for item in (*self.rejected, *self.items) for code in item.codes]

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        return [line for item in (*self.items, *self.rejected) if item.unfinished for line in item.pending()]

    def log_events(self) -> list[LogEvent]:
        """Return the log lines for problems: errors for final ones, warnings for the rest."""
        return [event for item in (*self.items, *self.rejected) for event in item.log_events()]

    def document(self) -> dict[str, Any]:
        """Serialize the report, which is the return value of the function."""
        facts: dict[str, Any] = {
            "status": self.status.value,
            "trigger": self.trigger,
            "request_id": self.request_id,
            **self.body(),
        }
        if self.rejected:
            facts["rejected"] = [item.document() for item in self.rejected]
        return _fitting(facts | ({"ignored": self.ignored} if self.ignored else {}))

    def summary(self) -> dict[str, Any]:
        """Return the facts for the log line of the invocation."""
        return {**self.log_facts(), "rejected": len(self.rejected), "ignored": self.ignored}


def _fitting(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that FunctionGraph can return. `left_out` counts what is missing in its lists."""
    left_out: dict[str, int] = {}
    while len(json.dumps(document)) > MAX_ANSWER:
        name = max((n for n, value in document.items() if isinstance(value, list)), key=lambda n: len(document[n]))
        kept = document[name][: len(document[name]) // 2]
        left_out[name] = left_out.get(name, 0) + len(document[name]) - len(kept)
        document = {**document, name: kept, "left_out": left_out}
    return document
