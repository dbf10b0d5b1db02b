"""Messages from which nothing came."""

import logging
from dataclasses import dataclass
from typing import Any

from shared.backups.errors import BackupError, RequestError


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message from which nothing came: it can never be carried out, or, if the error is retryable, not now.

    Attributes:
        position: where it stood in the event, such as "record.1.smn.message".
        payload: what it said, so that nothing is lost.
        identity: what identifies it, for a notification that is the same at a redelivery.
    """

    position: str
    error: BackupError
    payload: object
    identity: tuple[str, ...]
    notified: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """Every fault found, one line each."""
        return self.error.errors if isinstance(self.error, RequestError) else (str(self.error),)

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return self.error.retryable or not self.notified

    def left(self) -> str:
        """What a redelivery would do about it, in words."""
        reason = self.error.code if self.error.retryable else "notification not published"
        return f"{self.position} rejected ({reason})"

    def problem(self) -> tuple[int, str, dict[str, Any]]:
        """Its line in the log: an error if it is final, a warning if it comes again."""
        return logging.WARNING if self.error.retryable else logging.ERROR, "message rejected", self.document()

    def document(self) -> dict[str, Any]:
        """The rejection as JSON, without the payload."""
        return {
            "position": self.position,
            "code": self.error.code,
            "message": str(self.error),
            "errors": list(self.errors),
            "notified": self.notified,
        }
