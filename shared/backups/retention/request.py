"""What one may ask of prune_backups, beside what its settings say."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from shared.backups.requests import IdempotencyKey, InstanceId
from shared.backups.retention.rules import Retention, read_retention


RetentionText = Annotated[Retention, PlainValidator(read_retention)]


class PruneRequest(BaseModel):
    """A request to prune; an empty one means all backups of this application, by the settings.

    Attributes:
        dry_run: whether to say only what would be deleted. DRY_RUN in the settings cannot be switched off by it.
        force: whether the brake is off: more than half of an instance's backups may go.
        instance_ids: only the backups of these instances.
        retention: rules to try; what they would delete is said, never done.
        idempotency_key: what identifies the request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = False
    force: bool = False
    instance_ids: Annotated[tuple[InstanceId, ...], Field(min_length=1)] | None = None
    retention: RetentionText | None = None
    idempotency_key: IdempotencyKey | None = None
