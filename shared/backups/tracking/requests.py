"""What is asked of track_backups."""

from datetime import timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.backups.requests import IdempotencyKey


LONGEST_SPAN = timedelta(days=31)

Id = Annotated[str, Field(min_length=1, max_length=64)]


class TrackRequest(BaseModel):
    """A question, a span of time to announce again, or, with nothing in it, a tick of the timer.

    Attributes:
        job_id: how far is the backup that this job makes?
        backup_id: how far is this backup?
        idempotency_key: how far are the backups of the event that create_backup was sent under this key?
        since: announce again what happened after this moment, which has a time zone,
        until: and not after this one; at most 31 days later. Default: now.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    job_id: Id | None = None
    backup_id: Id | None = None
    idempotency_key: IdempotencyKey | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

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
