"""The request to audit_backups: which instances should have a backup, and how young it has to be."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.drills import is_drill
from shared.fields import IdempotencyKey, InstanceId, Interval
from shared.fleet import Selector
from shared.limits import MAX_INSTANCE_IDS, MAX_POLICIES
from shared.model import JOBS_KEPT, Instance


def _check_policy_name(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise ValueError(f"must hold no control characters and no blanks at its ends; found {value!r:.80}")
    return value


def _check_verified_within(value: timedelta) -> timedelta:
    if not timedelta(days=1) <= value <= JOBS_KEPT:
        raise ValueError(f"must be 1 to {JOBS_KEPT.days} days, since DDS tells of no older drill; found {value}")
    return value


PolicyName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_check_policy_name)]


class Policy(BaseModel):
    """What is expected of some instances: a good backup that is not older than `expected_interval` and `grace`.

    Attributes:
        name: identifies the policy within the request; every finding names it.
        select: selects the instances, as in a request to create_backup; or
        instance_ids: names them.
        expected_interval: how often they are backed up: seconds, "90s", "30m", "12h", "7d" or ISO 8601 ("PT12H").
        grace: how much later than that a backup may begin before it counts as missed.
        verified_within: how long ago a restore drill may have verified a backup of each instance, 1 to 30 days; None
            asks for no drills.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: PolicyName
    select: Selector | None = None
    instance_ids: Annotated[tuple[InstanceId, ...], Field(validate_default=True, max_length=MAX_INSTANCE_IDS)] = ()
    expected_interval: Interval
    grace: Interval = timedelta(hours=2)
    verified_within: Annotated[Interval, AfterValidator(_check_verified_within)] | None = None

    @field_validator("instance_ids")
    @classmethod
    def _named_in_one_way(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        # A selector that is missing in info.data was given and is wrong: it has a fault of its own already.
        selects = "select" not in info.data or info.data["select"] is not None
        if selects and value:
            raise ValueError("name the instances in one way; found select and instance_ids")
        if not selects and not value:
            raise ValueError("name the instances: select, or instance_ids (a list)")
        return tuple(dict.fromkeys(value))

    @property
    def limit(self) -> timedelta:
        """The age that the newest good backup may have."""
        return self.expected_interval + self.grace

    def choose(self, instances: Sequence[Instance]) -> list[Instance]:
        """Return the instances that the policy covers. The instance of a restore drill is none of them."""
        if self.select:
            return self.select.choose(instances)
        named = frozenset(self.instance_ids)
        return [instance for instance in instances if instance.id in named and not is_drill(instance)]

    def unknown(self, instances: Sequence[Instance]) -> list[tuple[str, str]]:
        """Return the ids that the policy names in vain, each with the reason: not_found, or drill for a drill's."""
        existing = {instance.id: "drill" if is_drill(instance) else None for instance in instances}
        named = ((instance_id, existing.get(instance_id, "not_found")) for instance_id in self.instance_ids)
        return [(instance_id, code) for instance_id, code in named if code]


class AuditRequest(BaseModel):
    """A request for one audit.

    Attributes:
        policies: what is expected. Without policies the audit finds only tagged instances, failed and stuck backups,
            and backups of deleted instances.
        covered_elsewhere: selects instances that the policies of another timer cover, so that they are not reported as
            uncovered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    policies: Annotated[tuple[Policy, ...], Field(max_length=MAX_POLICIES)] = ()
    covered_elsewhere: Annotated[tuple[Selector, ...], Field(max_length=MAX_POLICIES)] = ()
    idempotency_key: IdempotencyKey | None = None

    @field_validator("policies")
    @classmethod
    def _have_names_of_their_own(cls, value: tuple[Policy, ...]) -> tuple[Policy, ...]:
        names = [policy.name for policy in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each policy needs a name of its own; found twice: {', '.join(twice)}")
        return value
