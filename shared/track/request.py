"""The request to track_backups: a question, a span of time, or nothing for a run of the timer."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.fields import IdempotencyKey, Time


LONGEST_SPAN = timedelta(days=31)

Id = Annotated[str, Field(min_length=1, max_length=64)]


class TrackRequest(BaseModel):
    """A question, a span of time to publish again, or, if it is empty, a run of the timer.

    Attributes:
        job_id: asks about the backup that this job makes.
        backup_id: asks about this backup.
        idempotency_key: asks about the backups of the event that was sent to create_backup under this key.
        since: asks to publish again what happened after this moment, which has a time zone.
        until: the end of the span, at most 31 days later. Default: now.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    job_id: Id | None = None
    backup_id: Id | None = None
    idempotency_key: IdempotencyKey | None = None
    since: Time | None = None
    until: Time | None = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> "TrackRequest":
        given = [name for name in ("job_id", "backup_id", "idempotency_key", "since") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"ask for one thing at a time; found {' and '.join(given)}")
        if self.until and not self.since:
            raise ValueError("until needs a since")
        if self.since and self.until and not timedelta(0) < self.until - self.since <= LONGEST_SPAN:
            raise ValueError(f"until must be after since, by {LONGEST_SPAN.days} days at most")
        return self
