"""One invocation: who is called, until when, and the one line it leaves in the log."""

import logging
from dataclasses import dataclass
from typing import Any

from shared.backups.deadline import Deadline
from shared.backups.outcomes import EventReport
from shared.backups.ports import Clock
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

    def log_report(self, report: EventReport) -> None:
        """A line for each instance and message that something is wrong with, and the line of the invocation."""
        for result in report.results:
            if not result.succeeded or result.warnings:
                level = logging.WARNING if result.succeeded or result.retryable else logging.ERROR
                _log.log(level, "instance %s", result.outcome.value, extra={"fields": _fields(result.document())})
        for rejection in report.rejected:
            _log.error("message rejected", extra={"fields": _fields(rejection.document())})
        self._line(
            trigger=report.trigger,
            status=report.status.value,
            results=[
                {
                    "instance_id": result.instance_id,
                    "outcome": result.outcome.value,
                    "code": result.code,
                    "backup_id": result.backup_id,
                    "job_id": result.job_id,
                    "event_key": result.event_key,
                    "attempts": result.attempts,
                    "duration": round(result.duration, 3),
                }
                for result in report.results
            ],
            rejected=len(report.rejected),
            ignored=report.ignored,
        )

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
