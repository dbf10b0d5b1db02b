"""The request to create_backup, the same for every trigger."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.fields import BackupName, Description, IdempotencyKey, InstanceId, Interval, Time
from shared.fleet import Selector
from shared.limits import MAX_INSTANCE_IDS


_PART = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built as a part of requests, not by itself


class ManualBackup(BaseModel):
    """The ``backup`` object of the API page (DDS API, Creating a Manual Backup, table 2)."""

    model_config = _PART

    instance_id: InstanceId
    name: BackupName
    description: Description | None = None


class HandedOn(BaseModel):
    """The event whose instances an invocation hands off: what identifies it, never the names that follow from it.

    The receiver computes the names by the same rules, so that a forged message gains nothing that sending the event
    itself would not.

    Attributes:
        identity: as in `shared.triggers.envelope.Message`.
        time: when the event was sent or due.
        recurring: whether the same payload comes again and again, each time as a new event.
        single: whether the event names a single instance.
        hops: how often the instances were handed off.
    """

    model_config = _PART

    identity: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    time: Time | None = None
    recurring: bool = False
    single: bool = False
    hops: Annotated[int, Field(ge=0)] = 0


class BackupRequest(BaseModel):
    """A request for one manual backup of each instance that it names or selects.

    Attributes:
        instance_ids: names the instances; or
        instance_id: names one; or
        backup: is the body of the API page, for one instance; or
        select: selects the instances when the event arrives.
        name: the name of the backup; see `shared.identity.name_event`.
        description: the description, to which the event key is appended.
        idempotency_key: identifies the event.
        min_interval: skip instances that have a younger good backup.
        handed_on: written by this application itself, and accepted from the request topic alone; see `HandedOn`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backup: ManualBackup | None = None
    instance_id: InstanceId | None = None
    select: Selector | None = None
    instance_ids: Annotated[tuple[InstanceId, ...], Field(validate_default=True, max_length=MAX_INSTANCE_IDS)] = ()
    name: BackupName | None = None
    description: Description | None = None
    idempotency_key: IdempotencyKey | None = None
    min_interval: Interval | None = None
    handed_on: HandedOn | None = None

    @field_validator("instance_ids")
    @classmethod
    def _named_in_one_way(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        # A field that is missing in info.data was given and is wrong: it has a fault of its own already.
        given = [
            way for way in ("backup", "instance_id", "select") if way not in info.data or info.data[way] is not None
        ]
        if value:
            given.append("instance_ids")
        if not given:
            raise ValueError("name at least one instance: instance_ids (a list), instance_id, backup, or select")
        if len(given) > 1:
            raise ValueError(f"name the instances in one way; found {' and '.join(given)}")
        return value

    @field_validator("name", "description")
    @classmethod
    def _not_together_with_backup(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("backup") is not None:
            raise ValueError("belongs inside backup when that is given")
        return value

    @property
    def instances(self) -> tuple[str, ...]:
        """The named instance ids, each once, in the given order; empty for a selector."""
        single = self.backup.instance_id if self.backup else self.instance_id
        return (single,) if single else tuple(dict.fromkeys(self.instance_ids))

    @property
    def wanted_name(self) -> str | None:
        """The requested name, from `backup` or from `name`."""
        return self.backup.name if self.backup else self.name

    @property
    def wanted_description(self) -> str:
        """The requested description, from `backup` or from `description`; "" for none."""
        return (self.backup.description if self.backup else self.description) or ""
