"""The log: one JSON object a line on standard output, which FunctionGraph collects (FunctionGraph, Logs)."""

import json
import logging
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any


SDK_LOGGERS = ("HuaweiCloud-SDK-DdsClient", "HuaweiCloud-SDK-SmnClient")
"""They do not propagate, and without a handler their errors would go to standard error as plain text."""


class JsonLog(logging.Handler):
    """Writes each record as one JSON line with the invocation's facts, and no secret.

    A record brings facts of its own as ``extra={"fields": {...}}``; they replace none of the line's.
    """

    def __init__(self) -> None:
        super().__init__()
        self._facts: dict[str, Any] = {}
        self._redact: Callable[[str], str] = str

    def bind(self, facts: dict[str, Any]) -> None:
        """Begin an invocation: these facts are in each of its lines."""
        self._facts = facts
        self._redact = str

    def redact_with(self, redact: Callable[[str], str]) -> None:
        """From now on, take this invocation's secrets out of every line."""
        self._redact = redact

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **self._facts,
        }
        fields |= {name: value for name, value in getattr(record, "fields", {}).items() if name not in fields}
        if record.exc_info:
            fields["exception"] = logging.Formatter().formatException(record.exc_info)
        # Standard output as it is now: whoever replaced it since the start gets the line.
        sys.stdout.write(self._redact(json.dumps(fields, default=str)) + "\n")
        sys.stdout.flush()


def start_logging() -> JsonLog:
    """Send this application's log and the SDK's to one JsonLog, in place of one that was there before."""
    log = JsonLog()
    for name in ("shared", *SDK_LOGGERS):
        logger = logging.getLogger(name)
        logger.handlers = [log]
        logger.propagate = False
    set_level("INFO")
    return log


def set_level(level: str) -> None:
    """What is written from now on; the SDK's line for each call only at DEBUG."""
    logging.getLogger("shared").setLevel(level)
    for name in SDK_LOGGERS:
        logging.getLogger(name).setLevel(
            "INFO" if level == "DEBUG" else max(logging.WARNING, logging.getLevelName(level))
        )
