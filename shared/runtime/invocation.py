"""One invocation: who is called, until when, and the one line it leaves in the log."""

import logging
from dataclasses import dataclass
from typing import Any

from shared.backups.deadline import Deadline
from shared.backups.ports import Clock
from shared.backups.reports import Report
from shared.runtime.context import Context


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation of the function.

    Attributes:
        request_id: the platform's id of it.
        function: the function's name.
        cold_start: whether it is the first of the function's instance.
        began: a moment of the monotonic clock.
    """

    request_id: str
    function: str
    version: str
    package: str
    cold_start: bool
    deadline: Deadline
    clock: Clock
    began: float

    @classmethod
    def begin(cls, context: Context, clock: Clock, *, cold_start: bool) -> "Invocation":
        """Read the context; the deadline counts from now."""
        return cls(
            request_id=context.getRequestID(),
            function=context.getFunctionName(),
            version=context.getVersion(),
            package=context.getPackage(),
            cold_start=cold_start,
            deadline=Deadline.after(context.getRemainingTimeInMilliSeconds() / 1000, clock),
            clock=clock,
            began=clock.monotonic(),
        )

    def facts(self) -> dict[str, Any]:
        """What each of its log lines says."""
        return {"request_id": self.request_id, "function": self.function, "version": self.version}

    def log_report(self, report: Report) -> None:
        """A line for everything that is wrong, and the line of the invocation."""
        for level, message, fields in report.problems():
            _log.log(level, message, extra={"fields": _fields(fields)})
        self._line(trigger=report.trigger, status=report.status.value, **report.summary())

    def log_failure(self, error: Exception) -> None:
        """The line of an invocation that could not even try."""
        self._line(
            status="FAILED", code=getattr(error, "code", "internal_error"), error=f"{type(error).__name__}: {error}"
        )

    def _line(self, **facts: Any) -> None:
        took = round(self.clock.monotonic() - self.began, 3)
        _log.info("invocation", extra={"fields": {**facts, "duration": took, "cold_start": self.cold_start}})


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    """A document as fields of a log line, which has a message of its own."""
    return {"error" if name == "message" else name: value for name, value in document.items()}
