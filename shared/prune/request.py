"""The request to prune_backups; an empty one prunes by the settings."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from shared.fields import IdempotencyKey, InstanceId
from shared.limits import MAX_INSTANCE_IDS
from shared.prune.retention import Retention, read_retention


RetentionText = Annotated[Retention, PlainValidator(read_retention)]


class PruneRequest(BaseModel):
    """A request to prune; an empty one means all backups of this application.

    Attributes:
        dry_run: only report what would be deleted. A request cannot switch DRY_RUN of the settings off.
        force: switch the mass-deletion guard off, so that more than half of an instance's backups may be deleted.
        instance_ids: only the backups of these instances.
        retention: rules to try: what they would delete is reported, never deleted.
        idempotency_key: identifies the request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = False
    force: bool = False
    instance_ids: Annotated[tuple[InstanceId, ...], Field(min_length=1, max_length=MAX_INSTANCE_IDS)] | None = None
    retention: RetentionText | None = None
    idempotency_key: IdempotencyKey | None = None
