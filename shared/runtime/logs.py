"""The log: one JSON object a line on standard output, which FunctionGraph collects (FunctionGraph, Logs)."""

import json
import logging
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from shared.format import shortened
from shared.limits import MAX_LOG_LINE


SDK_LOGGERS = ("HuaweiCloud-SDK-DdsClient", "HuaweiCloud-SDK-SmnClient")
"""The SDK's loggers. They do not propagate, and without a handler they would write plain text to standard error."""


_LONGEST = 10_000


class JsonLog(logging.Handler):
    """Writes each record as one JSON line with the invocation's facts, without secrets.

    A record may have fields of its own, ``extra={"fields": {...}}``. They do not replace the fields of the line.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._facts: dict[str, Any] = {}
        self._redact: Callable[[str], str] = str

    def bind(self, facts: dict[str, Any]) -> None:
        """Begin an invocation; its lines contain these facts."""
        self._facts = facts
        self._redact = str

    def redact_with(self, redact: Callable[[str], str]) -> None:
        """Mask this invocation's secrets in every line from now on."""
        self._redact = redact

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        fields: dict[str, Any] = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **self._facts,
        }
        fields |= {name: value for name, value in getattr(record, "fields", {}).items() if name not in fields}
        if record.exc_info:
            fields["exception"] = logging.Formatter().formatException(record.exc_info)
        line = json.dumps(fields, default=str)
        if len(line) > MAX_LOG_LINE:
            scalars = {name: value for name, value in fields.items() if not isinstance(value, (list, dict))}
            texts = {name: shortened(value, _LONGEST) for name, value in scalars.items() if isinstance(value, str)}
            line = json.dumps({**scalars, **texts, "cut": True}, default=str)
        # Look standard output up now: it may have been replaced since the start.
        sys.stdout.write(self._redact(line) + "\n")
        sys.stdout.flush()


def start_logging(now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> JsonLog:
    """Send the logs of this application and of the SDK to a new JsonLog, which replaces an earlier one.

    `now` is the time of the lines in UTC.
    """
    log = JsonLog(now)
    for name in ("shared", *SDK_LOGGERS):
        logger = logging.getLogger(name)
        logger.handlers = [log]
        logger.propagate = False
    set_level("INFO")
    return log


def set_level(level: str) -> None:
    """Set the level of the log. The SDK's line for each call is written only at DEBUG."""
    logging.getLogger("shared").setLevel(level)
    for name in SDK_LOGGERS:
        logging.getLogger(name).setLevel(
            "INFO" if level == "DEBUG" else max(logging.WARNING, logging.getLevelName(level))
        )
