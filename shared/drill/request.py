"""The request to drill_backups: which instances are drilled; an empty one means all."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.fields import IdempotencyKey, InstanceId, Time
from shared.fleet import Selector
from shared.limits import MAX_EXPECTED, MAX_INSTANCE_IDS
from shared.model import Instance


_Namespace = Annotated[str, Field(min_length=1, max_length=255)]
_Expected = Annotated[dict[_Namespace, Annotated[int, Field(ge=0)]], Field(max_length=MAX_EXPECTED)]


class DrillRequest(BaseModel):
    """A request to go on with the drills that run, and to begin one if one is due.

    Attributes:
        select: selects the instances, as in a request to create_backup; or
        instance_ids: names them. Without either all instances in ALLOWED_INSTANCES are drilled.
        at: drill the one instance of `instance_ids` now, outside its schedule. The time identifies the drill: the same
            message sent again begins no other one. At most an hour ago.
        expect: by instance id, the least that its copy has to hold: the number of collections of a database ("shop"),
            or of documents of a collection ("shop.orders").
        dry_run: only report what would be done. A request cannot switch DRY_RUN of the settings off.
        idempotency_key: identifies the request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    select: Selector | None = None
    instance_ids: Annotated[tuple[InstanceId, ...], Field(min_length=1, max_length=MAX_INSTANCE_IDS)] | None = None
    at: Annotated[Time | None, Field(validate_default=True)] = None
    expect: Annotated[dict[InstanceId, _Expected], Field(max_length=MAX_INSTANCE_IDS)] = {}
    dry_run: bool = False
    idempotency_key: IdempotencyKey | None = None

    @field_validator("instance_ids")
    @classmethod
    def _named_in_one_way(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if value and info.data.get("select") is not None:
            raise ValueError("name the instances in one way; found select and instance_ids")
        return tuple(dict.fromkeys(value)) if value else None

    @field_validator("at")
    @classmethod
    def _is_for_one_instance(cls, value: Time | None, info: ValidationInfo) -> Time | None:
        if value and len(info.data.get("instance_ids") or ()) != 1:
            raise ValueError("needs instance_ids with exactly one instance")
        return value

    def choose(self, instances: Sequence[Instance]) -> list[Instance]:
        """Return the instances that are meant, in the order of their ids."""
        if self.select:
            return self.select.choose(instances)
        named = None if self.instance_ids is None else frozenset(self.instance_ids)
        return sorted((i for i in instances if named is None or i.id in named), key=lambda instance: instance.id)
